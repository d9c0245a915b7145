// SPDX-License-Identifier: MIT
// A YAML document as a tree of nodes that know where they stand. Any bytes are
// a sound input: depth, size and the growth by aliases are bounded here, so
// whoever walks the tree need not care. Knows no option of ours.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace distributex {

struct Node {
  enum class Kind { scalar, list, map };
  Kind kind = Kind::scalar;
  bool plain = false;  // a scalar without quotes
  std::string text;    // of a scalar
  size_t line = 1;     // both count from 1, columns in characters
  size_t column = 1;
  size_t weight = 0;                  // of it and all below, aliases followed
  std::vector<const Node*> children;  // items; in a map key, value, key, value...
};

// Children point into nodes: a Document moves, and is not copied. Two parents
// may share a child (an alias), but no node is below itself.
struct Document {
  Document() = default;
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

  std::deque<Node> nodes;
  const Node* root = nullptr;  // nothing: the text is empty
};

// What is wrong, and where.
struct Mistake {
  size_t line = 1;
  size_t column = 1;
  std::string what;
};

// Reads one document of UTF-8. Explicit tags, a second document, a nesting of
// more than 32, and aliases that blow the text up are mistakes.
[[nodiscard]] std::variant<Document, Mistake> read_document(std::string_view text);

}  // namespace distributex
