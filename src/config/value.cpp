// SPDX-License-Identifier: MIT
// The kinds of values and their checks. No part of a value is ignored or guessed: YAML 1.1
// would read 010 as eight and 1_0 as ten, so a number must be written in plain digits. If
// an option wants a text, words that mean something else in YAML (yes, 12) are texts.
#include "config/value.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace distributex {
namespace {

constexpr size_t host_max = 255;  // bytes
constexpr std::string_view yaml_blanks = " \t\r\n";

using MaybeMistake = std::optional<Mistake>;
using Complaint = const char*;  // nullptr: the text is sound

Mistake mistake(const Node& node, std::string what) {
  return {node.line, node.column, std::move(what)};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// Reads plain digits without a leading zero. A number that does not fit becomes a value
// that is out of range for every option.
std::optional<uint64_t> whole_number(std::string_view text) {
  if (!is_digits(text) || (text.size() > 1 && text[0] == '0')) {
    return {};
  }
  return parse_whole(text).value_or(uint64_t{UINT32_MAX} + 1);
}

Complaint check_host(std::string_view host) {
  if (host.empty()) {
    return "has an empty name";
  }
  if (host.size() > host_max) {
    return "is longer than 255 bytes";
  }
  if (host.find_first_of(yaml_blanks) != host.npos) {
    return "has a space inside";
  }
  return has_control_character(host) ? "has a control character" : nullptr;
}

MaybeMistake refuse_unless_scalar(const Node& node, std::string_view due) {
  if (node.kind != Node::Kind::scalar) {
    return mistake(node, shown(node) + " where " + std::string(due) + " is due");
  }
  if (is_nothing(node)) {
    return mistake(node, "no value");
  }
  return {};
}

MaybeMistake refuse_unless_list(const Node& node) {
  if (is_nothing(node)) {
    return mistake(node, "no value");
  }
  if (node.kind != Node::Kind::list) {
    return mistake(node, shown(node) + " where a list is due");
  }
  if (node.children.empty()) {
    return mistake(node, "an empty list");
  }
  return {};
}

std::string words_of(const Rule& rule) {
  std::string all;
  for (const std::string_view word : rule.words()) {
    all.append(all.empty() ? "" : ", ").append(word);
  }
  return all;
}

MaybeMistake read_number(const Node& node, const Rule& rule, Value& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, "a number")) {
    return wrong;
  }
  if (!node.plain) {
    return mistake(node, shown(node) + " is a text, by its quotes");
  }
  const bool negative = node.text.starts_with('-') && is_digits(node.text.substr(1));
  const auto value = whole_number(node.text);
  if (!value && !negative) {
    return mistake(node, escaped(node.text, quote_max) + " is not a whole number in plain digits");
  }
  if (negative || *value < rule.least || *value > rule.most) {
    return mistake(node, escaped(node.text, quote_max) + " is out of range");
  }
  to.is = static_cast<uint32_t>(*value);
  return {};
}

MaybeMistake read_word(const Node& node, const Rule& rule, Value& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, "a text")) {
    return wrong;
  }
  const auto words = rule.words();
  if (std::find(words.begin(), words.end(), node.text) == words.end()) {
    return mistake(node, shown(node) + " is not known");
  }
  to.is = node.text;
  return {};
}

MaybeMistake refused_by(const Node& node, const Rule& rule) {
  if (!rule.check) {
    return {};
  }
  std::string complaint = rule.check(node.text);
  if (complaint.empty()) {
    return {};
  }
  return mistake(node, std::move(complaint));
}

MaybeMistake read_text(const Node& node, const Rule& rule, Value& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, "a text")) {
    return wrong;
  }
  if (node.text.size() < rule.least) {
    return mistake(node, shown(node) + " is too short");
  }
  if (node.text.size() > rule.most) {
    return mistake(node, shown(node) + " is too long");
  }
  if (has_control_character(node.text)) {
    return mistake(node, shown(node) + " has a control character");
  }
  if (MaybeMistake wrong = refused_by(node, rule)) {
    return wrong;
  }
  to.is = node.text;
  return {};
}

MaybeMistake add_text(const Node& node, const Rule& rule, std::vector<std::string>& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, rule.item)) {
    return wrong;
  }
  if (MaybeMistake wrong = refused_by(node, rule)) {
    return wrong;
  }
  if (to.size() == rule.most) {
    return mistake(node, "more than " + std::to_string(rule.most) + ' ' + rule.items);
  }
  if (std::find(to.begin(), to.end(), node.text) != to.end()) {
    return mistake(node, shown(node) + " is listed twice");
  }
  to.push_back(node.text);
  return {};
}

// Reads names with commas between them. A comma after the last name is allowed, as in a
// list of YAML.
MaybeMistake add_hosts(const Node& node, const Rule&, std::vector<std::string>& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, "a host name")) {
    return wrong;
  }
  std::string_view rest = node.text;
  for (bool more = true; more;) {
    const size_t comma = rest.find(',');
    const std::string_view host = trimmed(rest.substr(0, comma), yaml_blanks);
    if (const Complaint complaint = check_host(host)) {
      return mistake(node, in_quotes(host.empty() ? node.text : host) + ' ' + complaint);
    }
    to.emplace_back(host);
    more = comma != rest.npos;
    if (more) {
      rest.remove_prefix(comma + 1);
    }
    if (trimmed(rest, yaml_blanks).empty()) {
      more = false;
    }
  }
  return {};
}

using AddItem = MaybeMistake (*)(const Node&, const Rule&, std::vector<std::string>&);

// Reads a list, or one item without a list.
MaybeMistake read_items(const Node& node, const Rule& rule, AddItem add,
                        std::vector<std::string>& items) {
  if (node.kind != Node::Kind::list) {
    return add(node, rule, items);
  }
  for (const Node* item : node.children) {
    if (MaybeMistake wrong = add(*item, rule, items)) {
      return wrong;
    }
  }
  if (items.empty()) {
    return mistake(node, "an empty list");
  }
  return {};
}

MaybeMistake read_list(const Node& node, const Rule& rule, Value& to) {
  std::vector<std::string> items;
  if (MaybeMistake wrong = read_items(node, rule, add_text, items)) {
    return wrong;
  }
  to.is = std::move(items);
  return {};
}

MaybeMistake read_hosts(const Node& node, const Rule& rule, Value& to) {
  std::vector<std::string> items;
  if (MaybeMistake wrong = read_items(node, rule, add_hosts, items)) {
    return wrong;
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  to.is = std::move(items);
  return {};
}

}  // namespace

std::string wanted(const Rule& rule) {
  if (rule.wanted) {
    return rule.wanted;
  }
  const std::string range = std::to_string(rule.least) + " to " + std::to_string(rule.most);
  switch (rule.kind) {
    case Rule::Kind::number:
      return std::string("a whole number") + (*rule.unit ? " of " : "") + rule.unit + ", " + range;
    case Rule::Kind::word:
      return "one of " + words_of(rule);
    case Rule::Kind::text:
      return "a text of " + range + " bytes";
    case Rule::Kind::list:
      return std::string("one or a list of ") + rule.items;
    case Rule::Kind::hosts:
      return "host names with commas between, or a list of them";
    case Rule::Kind::maps:
      return std::string("a list of maps, each with a ") + rule.maps->rows[0].name;
  }
  return {};
}

MaybeMistake read_value(const Node& node, const Rule& rule, Value& to) {
  switch (rule.kind) {
    case Rule::Kind::number:
      return read_number(node, rule, to);
    case Rule::Kind::word:
      return read_word(node, rule, to);
    case Rule::Kind::text:
      return read_text(node, rule, to);
    case Rule::Kind::list:
      return read_list(node, rule, to);
    case Rule::Kind::hosts:
      return read_hosts(node, rule, to);
    case Rule::Kind::maps:
      return refuse_unless_list(node);
  }
  return {};
}

// libyaml has checked that the bytes are UTF-8.
bool has_control_character(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) {
      return true;
    }
    const bool latin_control =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0x9f;
    if (latin_control) {
      return true;
    }
  }
  return false;
}

bool is_nothing(const Node& node) {
  if (node.kind != Node::Kind::scalar || !node.plain) {
    return false;
  }
  constexpr std::string_view nothings[] = {"", "~", "null", "Null", "NULL"};
  return std::find(std::begin(nothings), std::end(nothings), node.text) != std::end(nothings);
}

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::scalar:
      return in_quotes(node.text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

}  // namespace distributex
