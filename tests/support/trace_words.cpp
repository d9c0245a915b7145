// SPDX-License-Identifier: MIT
#include "support/trace_words.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>

namespace distributex::test {

Words split(std::string_view text, char at) {
  Words words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(at), text.size());
    if (end != 0) {
      words.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

uint64_t number(const std::string& text) { return strtoull(text.c_str(), nullptr, 10); }

Duration length(const std::string& text) {
  const std::chrono::duration<double> exact{strtod(text.c_str(), nullptr)};
  return std::chrono::round<std::chrono::milliseconds>(exact);
}

std::string shown(Duration d) {
  char text[32];
  snprintf(text, sizeof text, "%.10g", std::chrono::duration<double>(d).count());
  return text;
}

std::string shown(const Owner& owner) {
  return owner.id.empty() ? owner.host : owner.host + "/" + owner.id;
}

Owner owner_named(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) {
    return Owner{text, {}};
  }
  return Owner{text.substr(0, slash), text.substr(slash + 1)};
}

std::vector<uint8_t> address_named(const std::string& text) {
  std::vector<uint8_t> address;
  for (const std::string& part : text == "unix" ? Words{} : split(text, '.')) {
    address.push_back(static_cast<uint8_t>(number(part)));
  }
  return address;
}

std::optional<std::string> option(const Words& words, const std::string& name) {
  for (const std::string& word : words) {
    if (word.starts_with(name + "=")) {
      return word.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace distributex::test
