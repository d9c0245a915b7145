// SPDX-License-Identifier: MIT
// A YAML document as a tree of nodes with their positions. Any bytes are a sound input:
// depth, size and the growth by aliases are bounded here, so code that walks the tree needs
// no bounds. Knows no option.
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
  size_t line = 1;     // line and column count from 1, columns in characters
  size_t column = 1;
  size_t weight = 0;                  // of the node and all below; an alias weighs as its node
  std::vector<const Node*> children;  // of a list the items; of a map key, value, key, value...
};

// `children` point into `nodes`: so a Document can be moved, but not copied. Two parents
// may share a child (an alias), but no node is below itself.
struct Document {
  Document() = default;
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

  std::deque<Node> nodes;
  const Node* root = nullptr;  // nullptr: the text is empty
};

// What is wrong, and its position.
struct Mistake {
  size_t line = 1;
  size_t column = 1;
  std::string what;
};

// Reads one document of UTF-8. Mistakes are also: explicit tags, a second document, a
// nesting of more than 32, and aliases that together weigh too much.
[[nodiscard]] std::variant<Document, Mistake> read_document(std::string_view text);

}  // namespace distributex
