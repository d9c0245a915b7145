// SPDX-License-Identifier: MIT
// Walks through a file: looks each key up among the declared options, refuses an unknown
// key with the nearest known name, and reads the default of each option that is missing. A
// default is written as it would stand in the file, and is read like a value of the file.
#include "config/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/handle.h"
#include "base/text.h"
#include "config/value.h"
#include "config/yaml.h"

namespace distributex {
namespace {

constexpr size_t file_max = 8u << 20;

using MaybeMistake = std::optional<Mistake>;

// The options that may stand at one place of the file.
struct Level {
  std::vector<const Option*> options;
  const Level* above = nullptr;  // for the maps of a list: the level that has the list
  const char* noun = "";         // for the maps of a list: what one map is called

  [[nodiscard]] size_t find(std::string_view name) const {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const Option* option) { return option->name == name; });
    return static_cast<size_t>(found - options.begin());
  }
  [[nodiscard]] bool knows(std::string_view name) const { return find(name) < options.size(); }
};

Level level_of(const Items& items, const Level& above) {
  Level level{{}, &above, items.noun};
  for (const Option& option : items.rows) {
    level.options.push_back(&option);
  }
  return level;
}

Mistake mistake(const Node& node, std::string what) {
  return {node.line, node.column, std::move(what)};
}

// --- unknown keys -----------------------------------------------------------

// The number of letters to change, add or drop to get from one short name to the other,
// without regard to case.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string suggestion(const Level& level, std::string_view name) {
  std::string known;
  std::string_view nearest;
  size_t least = 3;  // names that differ in so many letters are no typing error
  for (const Option* option : level.options) {
    known.append(known.empty() ? "" : ", ").append(option->name);
    const size_t apart = name.size() <= quote_max ? distance(name, option->name) : least;
    if (apart < least && apart < name.size()) {
      least = apart;
      nearest = option->name;
    }
  }
  if (!nearest.empty()) {
    return "did you mean " + std::string(nearest) + "? Known are " + known;
  }
  return "known are " + known;
}

Mistake unknown_option(const Node& key, const Level& level) {
  for (const Option* option : level.options) {
    const Items* items = option->slot.rule.maps;
    if (items && level_of(*items, level).knows(key.text)) {
      return mistake(key, key.text + " is a key of a " + items->noun +
                              "; indent it to stand in an item of " + option->name);
    }
  }
  return mistake(key, in_quotes(key.text) + " is no option; " + suggestion(level, key.text));
}

Mistake unknown_key(const Node& key, const Level& level) {
  if (!level.above) {
    return unknown_option(key, level);
  }
  const std::string is_no_key = std::string(" is no key of a ") + level.noun + "; ";
  if (level.above->knows(key.text)) {
    return mistake(key, key.text + is_no_key + "move it to the top level, without indent");
  }
  return mistake(key, in_quotes(key.text) + is_no_key + suggestion(level, key.text));
}

// --- values -----------------------------------------------------------------

// Makes a whole sentence of the mistake that read_value() found.
Mistake explained(Mistake wrong, const Option& option) {
  wrong.what = std::string(option.name) + ": " + wrong.what + "; write " + wanted(option.slot.rule);
  if (option.fallback && *option.fallback) {
    wrong.what.append(" (default ").append(option.fallback).append(")");
  }
  return wrong;
}

[[nodiscard]] MaybeMistake read_maps(const Node& list, const Items& items, const Level& above,
                                     Value& to);

[[nodiscard]] MaybeMistake read_option(const Node& node, const Option& option, const Level& level,
                                       Value& to) {
  if (MaybeMistake wrong = read_value(node, option.slot.rule, to)) {
    return explained(*std::move(wrong), option);
  }
  const Items* items = option.slot.rule.maps;
  return items ? read_maps(node, *items, level, to) : MaybeMistake{};
}

[[nodiscard]] MaybeMistake read_default(const Node& map, const Option& option, const Level& level,
                                        Value& to) {
  if (!option.fallback) {
    return explained(mistake(map, "missing"), option);
  }
  if (!*option.fallback) {
    return {};
  }
  Node node;
  node.plain = true;
  node.text = option.fallback;
  return read_option(node, option, level, to);
}

// Stores in `values` one value for each option of the level, in their order.
[[nodiscard]] MaybeMistake read_map(const Node& map, const Level& level,
                                    std::vector<Value>& values) {
  values.resize(level.options.size());
  std::vector<const Node*> keys(level.options.size());  // the key that named each option
  for (size_t i = 0; i + 1 < map.children.size(); i += 2) {
    const Node& key = *map.children[i];
    const bool is_name = key.kind == Node::Kind::scalar && key.text != "<<";
    if (!is_name) {
      return mistake(key, "no key; write the name of an option (keys cannot be merged)");
    }
    const size_t at = level.find(key.text);
    if (at == level.options.size()) {
      return unknown_key(key, level);
    }
    if (const Node* earlier = std::exchange(keys[at], &key)) {
      return mistake(key, key.text + " is given in line " + std::to_string(earlier->line) +
                              " already; keep one of the two");
    }
    const Node& node = *map.children[i + 1];
    if (MaybeMistake wrong = read_option(node, *level.options[at], level, values[at])) {
      return wrong;
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i]) {
      continue;
    }
    if (MaybeMistake wrong = read_default(map, *level.options[i], level, values[i])) {
      return wrong;
    }
  }
  return {};
}

MaybeMistake read_maps(const Node& list, const Items& items, const Level& above, Value& to) {
  const Level level = level_of(items, above);
  const std::string noun = items.noun;
  std::vector<std::vector<Value>> maps;
  std::unordered_map<std::string, size_t> lines;  // the line of each name
  for (const Node* item : list.children) {
    if (item->kind != Node::Kind::map) {
      return mistake(*item, shown(*item) + " is not a " + noun + "; write - " + items.rows[0].name +
                                ": NAME and its other keys");
    }
    std::vector<Value>& values = maps.emplace_back();
    if (MaybeMistake wrong = read_map(*item, level, values)) {
      return wrong;
    }
    if (!items.distinct) {
      continue;
    }
    const std::string name = text_of(values[0]);
    const auto [earlier, is_new] = lines.emplace(name, item->line);
    if (!is_new) {
      return mistake(*item, "the " + noun + ' ' + in_quotes(name) + " is given in line " +
                                std::to_string(earlier->second) + " already; keep one of the two");
    }
  }
  if (items.check) {
    if (auto [place, what] = items.check(maps); !what.empty()) {
      return mistake(*list.children[place], std::move(what));
    }
  }
  to.is = std::move(maps);
  return {};
}

[[nodiscard]] MaybeMistake read_root(std::string_view text, const Level& level,
                                     std::vector<Value>& values) {
  auto result = read_document(text);
  if (const auto* wrong = std::get_if<Mistake>(&result)) {
    return *wrong;
  }
  const Node* root = std::get<Document>(result).root;
  if (!root || is_nothing(*root)) {
    return Mistake{1, 1, "the file is empty; write at least a list of pools"};
  }
  if (root->kind != Node::Kind::map) {
    return mistake(*root,
                   shown(*root) + " where options are due; write lines like pools: and its list");
  }
  return read_map(*root, level, values);
}

// --- the file ---------------------------------------------------------------

// Returns the reason why the file cannot be read; empty: `text` has it.
[[nodiscard]] std::string read_file(const std::string& name, std::string& text) {
  const auto reason = [] { return "cannot be read: " + std::generic_category().message(errno); };
  // O_NONBLOCK: open() would wait for the writer of a named pipe.
  const Fd fd(open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd || fstat(fd.get(), &status) != 0) {
    return reason();
  }
  if (!S_ISREG(status.st_mode)) {
    return "is not a plain file; name a file of YAML";
  }
  std::array<char, 65536> part;
  while (text.size() <= file_max) {
    const ssize_t size = read(fd.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return reason();
    }
    if (size == 0) {
      break;
    }
    text.append(part.data(), static_cast<size_t>(size));
  }
  return {};
}

}  // namespace

std::string text_of(const Value& value) {
  struct Text {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(uint32_t number) const { return std::to_string(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::vector<std::string>& texts) const {
      std::string all;
      for (const std::string& text : texts) {
        all.append(all.empty() ? "" : ", ").append(text);
      }
      return all;
    }
    std::string operator()(const std::vector<std::vector<Value>>& maps) const {
      return std::to_string(maps.size());
    }
  };
  return std::visit(Text{}, value.is);
}

std::variant<Config, std::string> parse_config(std::string_view text, const std::string& file,
                                               const std::vector<OptionRows>& rooms) {
  if (text.size() > file_max) {
    return file + ": is larger than 8 MiB; make it smaller";
  }
  Level level;
  for (const OptionRows rows : rooms) {
    for (const Option& option : rows) {
      level.options.push_back(&option);
    }
  }
  std::vector<Value> values;
  if (const MaybeMistake wrong = read_root(text, level, values)) {
    return file + ':' + std::to_string(wrong->line) + ':' + std::to_string(wrong->column) + ": " +
           wrong->what;
  }
  Config config;
  for (size_t i = 0; i < values.size(); ++i) {
    config.entries.push_back({level.options[i], std::move(values[i])});
  }
  return config;
}

std::variant<Config, std::string> load_config(const std::string& file,
                                              const std::vector<OptionRows>& rooms) {
  std::string text;
  if (const std::string trouble = read_file(file, text); !trouble.empty()) {
    return file + ": " + trouble;
  }
  return parse_config(text, file, rooms);
}

}  // namespace distributex
