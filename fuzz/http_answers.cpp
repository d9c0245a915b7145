// SPDX-License-Identifier: MIT
// A strict reader. It does not know the requests: if an answer tells a length but the next
// answer follows its headers, it takes it for an answer to HEAD.
#include "http_answers.h"

#include <stdlib.h>
#include <strings.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "fuzz.h"

namespace distributex::fuzz {

namespace {

constexpr int statuses[] = {100, 200, 400, 403, 404, 405, 409, 413, 417, 503};

constexpr std::pair<std::string_view, std::string_view> words[] = {
    {"granted", "YES"},     {"held", "YES"},      {"busy", "NO"},    {"timeout", "NO"},
    {"released", "OK"},     {"not-held", "OK"},   {"renewed", "OK"}, {"lost", "NO"},
    {"invalid", "INVALID"}, {"unavailable", "NO"}};

struct Head {
  HttpAnswer answer{};
  std::string content_type{};
  std::optional<size_t> length{};
  bool chunked = false;
  bool closes = false;
};

bool is_name(std::string_view text, std::string_view name) {
  return text.size() == name.size() && strncasecmp(text.data(), name.data(), name.size()) == 0;
}

std::string read_status_line(std::string_view line, Head& head) {
  const size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == line.npos || line.size() < space + 5) {
    return "no status line";
  }
  const std::string digits(line.substr(space + 1, 3));
  head.answer.status = atoi(digits.c_str());
  head.closes = line.starts_with("HTTP/1.0");
  const auto* known = std::find(std::begin(statuses), std::end(statuses), head.answer.status);
  return known == std::end(statuses) ? "status " + digits : "";
}

std::string read_header(std::string_view line, Head& head) {
  const size_t colon = line.find(": ");
  if (colon == line.npos) {
    return "a header without a colon";
  }
  const std::string_view name = line.substr(0, colon);
  const std::string value(line.substr(colon + 2));
  if (is_name(name, "Distributex-Result")) {
    head.answer.result = value;
  }
  if (is_name(name, "Distributex-Token")) {
    head.answer.token = strtoull(value.c_str(), nullptr, 10);
  }
  if (is_name(name, "Content-Type")) {
    head.content_type = value;
  }
  if (is_name(name, "Transfer-Encoding")) {
    head.chunked = value == "chunked";
  }
  if (is_name(name, "Connection")) {
    head.closes = head.closes || is_name(value, "close");
  }
  if (!is_name(name, "Content-Length")) {
    return "";
  }
  if (head.length) {
    return "two lengths";
  }
  head.length = strtoull(value.c_str(), nullptr, 10);
  return "";
}

// Without the empty line at its end.
std::string read_head(std::string_view text, Head& head) {
  bool is_first = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(line.size() + 2, text.size()));
    if (!is_printable(line)) {
      return "raw bytes in the head";
    }
    std::string fault = is_first ? read_status_line(line, head) : read_header(line, head);
    if (!fault.empty()) {
      return fault + ": " + std::string(line.substr(0, 200));
    }
    is_first = false;
  }
  // evhttp's own page for what is no request ends with the connection, and does
  // not say so to whoever asked for another host, or for a tunnel.
  const bool is_page = head.answer.status == 400 && head.content_type == "text/html";
  const bool is_bounded =
      head.length || head.chunked || head.closes || head.answer.status == 100 || is_page;
  return is_bounded ? "" : "no length, and the connection stays open";
}

// The size of all chunks, the last one included; nullopt while more must come. Sets the fault
// if something is no chunk.
std::optional<size_t> size_of_chunks(std::string_view text, std::string& fault) {
  size_t at = 0;
  for (;;) {
    const size_t line = text.find("\r\n", at);
    if (line == text.npos) {
      return std::nullopt;
    }
    const std::string digits(text.substr(at, line - at));
    char* end = nullptr;
    const size_t size = strtoull(digits.c_str(), &end, 16);
    if (digits.empty() || *end != '\0') {
      fault = "a chunk without a size";
    }
    if (!fault.empty() || text.size() < line + 2 + size + 2) {
      return std::nullopt;
    }
    if (text.substr(line + 2 + size, 2) != "\r\n") {
      fault = "a chunk without an end";
    }
    at = line + 2 + size + 2;
    if (size == 0) {
      return at;
    }
  }
}

// Returns nullopt while the body is not complete.
std::optional<size_t> body_size(std::string_view rest, const Head& head, std::string& fault) {
  if (head.answer.status == 100) {
    return 0;
  }
  if (head.chunked) {
    return size_of_chunks(rest, fault);
  }
  if (!head.length) {
    return rest.size();
  }
  if (rest.starts_with("HTTP/")) {
    return 0;
  }
  return rest.size() < *head.length ? std::nullopt : head.length;
}

std::string check_body(std::string_view body, const Head& head) {
  const auto* known = std::find_if(std::begin(words), std::end(words), [&](const auto& row) {
    return row.first == head.answer.result;
  });
  if (head.answer.result.empty()) {
    return "";
  }
  if (known == std::end(words)) {
    return "result " + head.answer.result;
  }
  if (!head.content_type.starts_with("text/plain") || body.empty()) {
    return "";
  }
  return body == known->second ? "" : head.answer.result + " with " + std::string(body);
}

}  // namespace

HttpAnswers read_answers(std::string_view bytes) {
  HttpAnswers answers;
  std::string& fault = answers.fault;
  while (!bytes.empty() && fault.empty()) {
    const size_t end = bytes.find("\r\n\r\n");
    if (!bytes.starts_with(std::string_view("HTTP/").substr(0, bytes.size()))) {
      fault = "what comes is no answer: " + std::string(bytes.substr(0, 80));
    }
    if (end == bytes.npos || !fault.empty()) {
      break;
    }
    Head head;
    fault = read_head(bytes.substr(0, end), head);
    if (!fault.empty()) {
      fault.append(", in:\n").append(bytes.substr(0, std::min<size_t>(end, 600)));
    }
    bytes.remove_prefix(end + 4);
    if (!fault.empty()) {
      break;
    }
    const std::optional<size_t> size = body_size(bytes, head, fault);
    if (!size || !fault.empty()) {
      break;
    }
    fault = check_body(bytes.substr(0, *size), head);
    bytes.remove_prefix(*size);
    answers.whole.push_back(head.answer);
  }
  return answers;
}

}  // namespace distributex::fuzz
