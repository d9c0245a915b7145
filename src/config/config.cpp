// SPDX-License-Identifier: MIT
// The options of distributex.yaml: one row each, with type, range, default and
// the place of the value. A new option is one row here (and its paragraph in
// the sample and the manual page, which a check asks for). A default is written
// as it would stand in the file and goes the same way as a given value. Nothing
// here knows who uses a value.
#include "config/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "backends/memcache/key.h"
#include "base/handle.h"
#include "base/text.h"
#include "config/value.h"
#include "config/yaml.h"

namespace distributex {
namespace {

constexpr size_t file_max = 8u << 20;

// A template, against our habit: the top level and a pool have rows of one
// form, and a row cannot pair a place with a rule of another type.
template <typename Room>
using Place = std::variant<uint32_t Room::*, std::chrono::seconds Room::*,
                           std::chrono::milliseconds Room::*, std::string Room::*,
                           std::vector<std::string> Room::*, std::vector<PoolSpec> Room::*>;

template <typename Room>
struct Value {
  Place<Room> place;
  Rule rule;
};

template <typename Room>
struct Option {
  const char* name;
  Value<Room> value;
  const char* fallback;  // null: must be given; "": stays empty
};

using Kind = Rule::Kind;

template <typename Room>
constexpr Value<Room> number(uint32_t Room::*place, uint32_t least, uint32_t most,
                             const char* unit) {
  return {place, {Kind::number, least, most, unit}};
}

template <typename Room>
constexpr Value<Room> number(std::chrono::seconds Room::*place, uint32_t least, uint32_t most) {
  return {place, {Kind::number, least, most, "seconds"}};
}

template <typename Room>
constexpr Value<Room> number(std::chrono::milliseconds Room::*place, uint32_t least,
                             uint32_t most) {
  return {place, {Kind::number, least, most, "milliseconds"}};
}

template <typename Room>
constexpr Value<Room> word(std::string Room::*place, const char* words) {
  return {place, {Kind::word, 0, 0, words}};
}

template <typename Room>
constexpr Value<Room> text(std::string Room::*place, uint32_t least, uint32_t most) {
  return {place, {Kind::text, least, most}};
}

constexpr Value<Config> memcached(std::string Config::*place) {
  return {place, {Kind::memcached, 1, 1024}};
}

constexpr Value<Config> key_prefix(std::string Config::*place) {
  return {place, {Kind::key_prefix, 0, memcache_prefix_max}};
}

template <typename Room>
constexpr Value<Room> addresses(std::vector<std::string> Room::*place) {
  return {place, {Kind::addresses}};
}

template <typename Room>
constexpr Value<Room> hosts(std::vector<std::string> Room::*place) {
  return {place, {Kind::hosts}};
}

template <typename Room>
constexpr Value<Room> pools(std::vector<PoolSpec> Room::*place) {
  return {place, {Kind::pools}};
}

// clang-format off
constexpr Option<Config> options[] = {
    // options begin
    {"backend", word(&Config::backend, "inmemory, memcache, sqlite"), "inmemory"},
    {"memcachehost", memcached(&Config::memcachehost), "localhost"},
    {"memcacheport", number(&Config::memcacheport, 1, 65535, ""), "11211"},
    {"memcacheprefix", key_prefix(&Config::memcacheprefix), "distributex:"},
    {"memcachetimeout", number(&Config::memcachetimeout, 100, 60000), "2000"},
    {"sqlitefile", text(&Config::sqlitefile, 1, 1024), "/var/lib/distributex/locks.db"},
    {"sqlitetimeout", number(&Config::sqlitetimeout, 100, 60000), "2000"},
    {"poll", number(&Config::poll, 10, 60000), "100"},
    {"listen", addresses(&Config::listen), "*:9889"},
    {"max_connections", number(&Config::max_connections, 1, 1000000, ""), "65536"},
    {"max_connections_per_peer", number(&Config::max_connections_per_peer, 0, 1000000, ""), "0"},
    {"max_waiting", number(&Config::max_waiting, 1, 1000000, ""), "50000"},
    {"request_timeout", number(&Config::request_timeout, 1, 3600), "10"},
    {"idle_timeout", number(&Config::idle_timeout, 1, 86400), "120"},
    {"max_header_size", number(&Config::max_header_size, 1024, 65536, "bytes"), "8192"},
    {"max_body_size", number(&Config::max_body_size, 0, 65536, "bytes"), "8192"},
    {"events", number(&Config::events, 1, 10000, ""), "1000"},
    {"audit", word(&Config::audit, "on, off"), "on"},
    {"pools", pools(&Config::pools), nullptr},
    // options end
};

constexpr Option<PoolSpec> pool_options[] = {
    // pool options begin
    {"name", text(&PoolSpec::name, 1, 255), nullptr},
    {"expire", number(&PoolSpec::expire, 0, 2147483647), "1800"},
    {"maxlocks", number(&PoolSpec::maxlocks, 1, 1000000, ""), "1"},
    {"servers", hosts(&PoolSpec::servers), ""},
    // pool options end
};
// clang-format on

using MaybeMistake = std::optional<Mistake>;

Mistake mistake(const Node& node, std::string what) {
  return {node.line, node.column, std::move(what)};
}

// --- unknown keys -----------------------------------------------------------

// How many letters to change, add or drop between two short names, whatever
// their case.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
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

template <typename Room>
const Option<Room>* find_option(std::span<const Option<Room>> all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& option) { return option.name == name; });
  return found == all.end() ? nullptr : &*found;
}

template <typename Room>
std::string suggestion(std::span<const Option<Room>> all, std::string_view name) {
  std::string known;
  std::string_view nearest;
  size_t least = 3;  // letters apart: no longer a slip of the hand
  for (const auto& option : all) {
    known.append(known.empty() ? "" : ", ").append(option.name);
    const size_t apart = name.size() <= quote_max ? distance(name, option.name) : least;
    if (apart < least && apart < name.size()) {
      least = apart;
      nearest = option.name;
    }
  }
  if (!nearest.empty()) return "did you mean " + std::string(nearest) + "? Known are " + known;
  return "known are " + known;
}

Mistake unknown_key(const Node& key, std::span<const Option<Config>> all) {
  if (find_option<PoolSpec>(pool_options, key.text)) {
    return mistake(key, key.text + " is a key of a pool; indent it to stand in an item of pools");
  }
  return mistake(key, in_quotes(key.text) + " is no option; " + suggestion(all, key.text));
}

Mistake unknown_key(const Node& key, std::span<const Option<PoolSpec>> all) {
  if (find_option<Config>(options, key.text)) {
    return mistake(key,
                   key.text + " is no key of a pool; move it to the top level, without indent");
  }
  return mistake(key, in_quotes(key.text) + " is no key of a pool; " + suggestion(all, key.text));
}

// --- values -----------------------------------------------------------------

// Makes a sentence of what a reader of values found.
template <typename Room>
Mistake explained(Mistake wrong, const Option<Room>& option) {
  wrong.what =
      std::string(option.name) + ": " + wrong.what + "; write " + wanted(option.value.rule);
  if (option.fallback && *option.fallback) {
    wrong.what.append(" (default ").append(option.fallback).append(")");
  }
  return wrong;
}

[[nodiscard]] MaybeMistake refuse_unless_pools(const Node& node) {
  if (is_nothing(node)) return mistake(node, "no value");
  if (node.kind != Node::Kind::list) return mistake(node, shown(node) + " where a list is due");
  if (node.children.empty()) return mistake(node, "an empty list");
  return {};
}

[[nodiscard]] MaybeMistake read_pools(const Node& list, std::vector<PoolSpec>& to);

template <typename Room>
[[nodiscard]] MaybeMistake read_value(const Node& node, const Option<Room>& option, Room& room) {
  const Rule& rule = option.value.rule;
  const auto read = [&](auto place) -> MaybeMistake {
    auto& to = room.*place;
    using Type = std::remove_reference_t<decltype(to)>;
    if constexpr (std::is_same_v<Type, std::string>) {
      return read_text(node, rule, to);
    } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
      return read_list(node, rule, to);
    } else if constexpr (std::is_same_v<Type, std::vector<PoolSpec>>) {
      return refuse_unless_pools(node);
    } else {
      uint32_t value = 0;
      MaybeMistake wrong = read_number(node, rule, value);
      to = Type{value};
      return wrong;
    }
  };
  if (MaybeMistake wrong = std::visit(read, option.value.place)) {
    return explained(*std::move(wrong), option);
  }
  if (const auto* place = std::get_if<std::vector<PoolSpec> Room::*>(&option.value.place)) {
    return read_pools(node, room.**place);
  }
  return {};
}

template <typename Room>
[[nodiscard]] MaybeMistake read_default(const Node& map, const Option<Room>& option, Room& room) {
  if (!option.fallback) return explained(mistake(map, "missing"), option);
  if (!*option.fallback) return {};
  Node node;
  node.plain = true;
  node.text = option.fallback;
  return read_value(node, option, room);
}

template <typename Room>
[[nodiscard]] MaybeMistake read_map(const Node& map, std::span<const Option<Room>> all,
                                    Room& room) {
  std::vector<const Node*> keys(all.size());  // the key that named each option
  for (size_t i = 0; i + 1 < map.children.size(); i += 2) {
    const Node& key = *map.children[i];
    const Node& node = *map.children[i + 1];
    const bool is_name = key.kind == Node::Kind::scalar && key.text != "<<";
    if (!is_name)
      return mistake(key, "no key; write the name of an option (keys cannot be merged)");
    const Option<Room>* option = find_option(all, key.text);
    if (!option) return unknown_key(key, all);
    const Node*& earlier = keys[static_cast<size_t>(option - all.data())];
    if (earlier) {
      return mistake(key, key.text + " stands in line " + std::to_string(earlier->line) +
                              " already; keep one of the two");
    }
    earlier = &key;
    if (MaybeMistake wrong = read_value(node, *option, room)) return wrong;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (keys[i]) continue;
    if (MaybeMistake wrong = read_default(map, all[i], room)) return wrong;
  }
  return {};
}

MaybeMistake read_pools(const Node& list, std::vector<PoolSpec>& to) {
  std::unordered_map<std::string, size_t> lines;  // where each name stands
  for (const Node* item : list.children) {
    if (item->kind != Node::Kind::map) {
      return mistake(*item, shown(*item) + " is not a pool; write - name: NAME and its other keys");
    }
    PoolSpec pool;
    if (MaybeMistake wrong = read_map<PoolSpec>(*item, pool_options, pool)) return wrong;
    const auto [earlier, is_new] = lines.emplace(pool.name, item->line);
    if (!is_new) {
      return mistake(*item, "the pool " + in_quotes(pool.name) + " stands in line " +
                                std::to_string(earlier->second) + " already; keep one of the two");
    }
    to.push_back(std::move(pool));
  }
  return {};
}

[[nodiscard]] MaybeMistake read_config(std::string_view text, Config& config) {
  auto result = read_document(text);
  if (const auto* wrong = std::get_if<Mistake>(&result)) return *wrong;
  const Node* root = std::get<Document>(result).root;
  if (!root || is_nothing(*root)) {
    return Mistake{1, 1, "the file is empty; write at least a list of pools"};
  }
  if (root->kind != Node::Kind::map) {
    return mistake(*root,
                   shown(*root) + " where options are due; write lines like pools: and its list");
  }
  return read_map<Config>(*root, options, config);
}

// --- the file ---------------------------------------------------------------

// Nothing, or the reason why it cannot be read.
[[nodiscard]] std::string read_file(const std::string& name, std::string& text) {
  const auto reason = [] { return "cannot be read: " + std::generic_category().message(errno); };
  // A pipe without a writer shall not stop us.
  const Fd fd(open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd || fstat(fd.get(), &status) != 0) return reason();
  if (!S_ISREG(status.st_mode)) return "is not a plain file; name a file of YAML";
  std::array<char, 65536> part;
  while (text.size() <= file_max) {
    const ssize_t size = read(fd.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return reason();
    if (size == 0) break;
    text.append(part.data(), static_cast<size_t>(size));
  }
  return {};
}

}  // namespace

std::variant<Config, std::string> parse_config(std::string_view text, const std::string& file) {
  if (text.size() > file_max) return file + ": is larger than 8 MiB; make it smaller";
  Config config;
  if (const MaybeMistake wrong = read_config(text, config)) {
    return file + ':' + std::to_string(wrong->line) + ':' + std::to_string(wrong->column) + ": " +
           wrong->what;
  }
  return config;
}

std::variant<Config, std::string> load_config(const std::string& file) {
  std::string text;
  if (const std::string trouble = read_file(file, text); !trouble.empty()) {
    return file + ": " + trouble;
  }
  return parse_config(text, file);
}

}  // namespace distributex
