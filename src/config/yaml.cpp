// SPDX-License-Identifier: MIT
// Turns libyaml's events into nodes. libyaml's own document is not used, because libyaml
// recurses as deep as the text nests, and lets an alias make a cycle. Here no function
// recurses, an alias shares its node, and an alias to a node that is still open (a cycle)
// is refused. Reading ends as soon as a bound is reached: libyaml needs quadratic time for
// deep nesting and for many %TAG lines.
#include "config/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/handle.h"
#include "base/text.h"

namespace distributex {
namespace {

constexpr size_t depth_max = 32;
constexpr size_t node_weight = 16;        // of a node without its text
constexpr size_t weight_max = 32u << 20;  // four times the largest file

using ParserHandle = std::unique_ptr<yaml_parser_t, FreeWith<yaml_parser_delete>>;
using EventHandle = std::unique_ptr<yaml_event_t, FreeWith<yaml_event_delete>>;

using MaybeMistake = std::optional<Mistake>;

std::string name_of(const yaml_char_t* anchor) { return reinterpret_cast<const char*>(anchor); }

Mistake mistake_at(const yaml_mark_t& mark, std::string what) {
  return {mark.line + 1, mark.column + 1, std::move(what)};
}

// A mistake at the byte with this offset; the column counts characters, as an editor does.
Mistake mistake_at_byte(std::string_view text, size_t offset, std::string what) {
  const std::string_view before = text.substr(0, offset);
  const size_t start = before.rfind('\n') + 1;
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto columns = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start),
                                     before.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return {static_cast<size_t>(lines) + 1, static_cast<size_t>(columns) + 1, std::move(what)};
}

// The offset of the first %TAG line, behind any of the line breaks of YAML.
std::optional<size_t> find_tag_directive(std::string_view text) {
  constexpr std::string_view breaks[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
  for (size_t at = text.find("%TAG"); at != text.npos; at = text.find("%TAG", at + 1)) {
    const std::string_view before = text.substr(0, at);
    if (before.empty() || std::any_of(std::begin(breaks), std::end(breaks),
                                      [&](auto end) { return before.ends_with(end); })) {
      return at;
    }
  }
  return {};
}

bool is_indented_by_tab(std::string_view text, size_t line) {
  size_t start = 0;
  for (; line > 0 && start != text.npos; --line) {
    start = text.find('\n', start);
    if (start != text.npos) {
      ++start;
    }
  }
  if (start == text.npos) {
    return false;
  }
  const size_t end = text.find_first_not_of(' ', start);
  return end != text.npos && text[end] == '\t';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] std::variant<Document, Mistake> read();

 private:
  [[nodiscard]] Mistake syntax_mistake(const yaml_parser_t& parser) const;
  [[nodiscard]] MaybeMistake take(const yaml_event_t& event);
  [[nodiscard]] MaybeMistake add_scalar(const yaml_event_t& event);
  [[nodiscard]] MaybeMistake add_alias(const yaml_event_t& event);
  [[nodiscard]] MaybeMistake open(Node::Kind kind, const yaml_event_t& event,
                                  const yaml_char_t* tag, const yaml_char_t* anchor);
  void close();
  Node& add_node(Node::Kind kind, const yaml_mark_t& mark, const yaml_char_t* anchor);
  void place(const Node* node);

  std::string_view text_;
  Document document_;
  std::vector<Node*> open_;  // innermost last
  std::unordered_map<std::string, Node*> anchors_;
  size_t weight_ = 0;  // of the document so far; an alias weighs as much as its node
};

std::variant<Document, Mistake> Reader::read() {
  if (const auto tag = find_tag_directive(text_)) {
    return mistake_at_byte(text_, *tag, "a %TAG line; this file needs none, remove it");
  }
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser)) {
    return Mistake{1, 1, "no memory for the YAML parser"};
  }
  const ParserHandle handle(&parser);
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text_.data()),
                               text_.size());
  for (bool more = true; more;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      return syntax_mistake(parser);
    }
    const EventHandle event_handle(&event);
    if (MaybeMistake mistake = take(event)) {
      return *std::move(mistake);
    }
    more = event.type != YAML_STREAM_END_EVENT;
  }
  return std::move(document_);
}

Mistake Reader::syntax_mistake(const yaml_parser_t& parser) const {
  std::string what = "not valid YAML: ";
  what += parser.problem ? parser.problem : "out of memory";
  if (parser.error == YAML_READER_ERROR) {
    return mistake_at_byte(text_, parser.problem_offset, what + "; save the file as UTF-8 text");
  }
  const std::string_view context = parser.context ? parser.context : "";
  if (!context.empty()) {
    what.append(", ").append(context);
    if (parser.context_mark.line != parser.problem_mark.line) {
      what += " that begins in line " + std::to_string(parser.context_mark.line + 1);
    }
  }
  what += is_indented_by_tab(text_, parser.problem_mark.line)
              ? "; indent with spaces, not with tabs"
              : "; check indentation and colons here, and put a value that begins with a sign like "
                "* or [ in quotes";
  return mistake_at(parser.problem_mark, std::move(what));
}

MaybeMistake Reader::take(const yaml_event_t& event) {
  MaybeMistake mistake;
  switch (event.type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
      break;
    case YAML_DOCUMENT_START_EVENT:
      if (document_.root) {
        mistake = mistake_at(event.start_mark,
                             "a second document begins here; the file holds one, remove this ---");
      }
      break;
    case YAML_SCALAR_EVENT:
      mistake = add_scalar(event);
      break;
    case YAML_ALIAS_EVENT:
      mistake = add_alias(event);
      break;
    case YAML_SEQUENCE_START_EVENT:
      mistake = open(Node::Kind::list, event, event.data.sequence_start.tag,
                     event.data.sequence_start.anchor);
      break;
    case YAML_MAPPING_START_EVENT:
      mistake = open(Node::Kind::map, event, event.data.mapping_start.tag,
                     event.data.mapping_start.anchor);
      break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      close();
      break;
  }
  if (!mistake && weight_ > weight_max) {
    mistake =
        mistake_at(event.start_mark,
                   "too much in one file, aliases followed; use fewer aliases (*) or entries");
  }
  return mistake;
}

Mistake tag_mistake(const yaml_mark_t& mark) {
  return mistake_at(mark,
                    "a tag means nothing here; remove it, or quote a value that begins with !");
}

MaybeMistake Reader::add_scalar(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  if (scalar.tag) {
    return tag_mistake(event.start_mark);
  }
  Node& node = add_node(Node::Kind::scalar, event.start_mark, scalar.anchor);
  node.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
  node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
  node.weight = node_weight + scalar.length;
  weight_ += node.weight;
  return {};
}

MaybeMistake Reader::add_alias(const yaml_event_t& event) {
  const std::string name = name_of(event.data.alias.anchor);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    const std::string shown = escaped(name, quote_max);
    return mistake_at(event.start_mark, "*" + shown + " stands for nothing; define &" + shown +
                                            " above, or quote a value that begins with *");
  }
  if (std::find(open_.begin(), open_.end(), found->second) != open_.end()) {
    return mistake_at(event.start_mark,
                      "*" + escaped(name, quote_max) +
                          " refers to a node that contains it; write the content out");
  }
  weight_ += found->second->weight;
  place(found->second);
  return {};
}

MaybeMistake Reader::open(Node::Kind kind, const yaml_event_t& event, const yaml_char_t* tag,
                          const yaml_char_t* anchor) {
  if (tag) {
    return tag_mistake(event.start_mark);
  }
  if (open_.size() == depth_max) {
    return mistake_at(event.start_mark, "nested more than " + std::to_string(depth_max) +
                                            " deep; pools with their keys need four");
  }
  Node& node = add_node(kind, event.start_mark, anchor);
  node.weight = weight_;  // the weight before the node; close() makes a difference of it
  weight_ += node_weight;
  open_.push_back(&node);
  return {};
}

void Reader::close() {
  open_.back()->weight = weight_ - open_.back()->weight;
  open_.pop_back();
}

Node& Reader::add_node(Node::Kind kind, const yaml_mark_t& mark, const yaml_char_t* anchor) {
  Node& node = document_.nodes.emplace_back();
  node.kind = kind;
  node.line = mark.line + 1;
  node.column = mark.column + 1;
  if (anchor) {
    anchors_[name_of(anchor)] = &node;
  }
  place(&node);
  return node;
}

void Reader::place(const Node* node) {
  if (open_.empty()) {
    document_.root = node;
  } else {
    open_.back()->children.push_back(node);
  }
}

}  // namespace

std::variant<Document, Mistake> read_document(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) {
    text.remove_prefix(byte_order_mark.size());
  }
  return Reader(text).read();
}

}  // namespace distributex
