// SPDX-License-Identifier: MIT
// Bytes that are not plain letters and signs are written as \xHH.
#include "http_steps.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <array>

namespace distributex::fuzz {

namespace {

// In the order of Step::Kind.
constexpr std::array<std::string_view, 7> names = {"open",  "send",  "pause", "half",
                                                   "reset", "close", "check"};

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c > 0x20 && c < 0x7f && c != '\\') {
      text += c;
      continue;
    }
    char code[5];
    snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
    text += code;
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      const std::string code(text.substr(at + 2, 2));
      bytes += static_cast<char>(strtoul(code.c_str(), nullptr, 16));
      at += 3;
    } else {
      bytes += text[at];
    }
  }
  return bytes;
}

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

}  // namespace

std::string text_of(const Steps& steps) {
  std::string text;
  for (const Step& step : steps) {
    text.append(names[static_cast<size_t>(step.kind)]).append(" ");
    text.append(std::to_string(step.connection));
    if (step.kind == Step::Kind::send) {
      text.append(" ").append(escaped(step.bytes));
    }
    text += '\n';
  }
  return text;
}

std::optional<Steps> steps_of(std::string_view text) {
  Steps steps;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto* name = std::find(names.begin(), names.end(), take_word(line));
    if (name == names.end()) {
      return std::nullopt;
    }
    Step step{.kind = static_cast<Step::Kind>(name - names.begin())};
    step.connection =
        static_cast<unsigned>(strtoul(std::string(take_word(line)).c_str(), nullptr, 10));
    step.bytes = unescaped(line);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace distributex::fuzz
