// SPDX-License-Identifier: MIT
// Stricter than evhttp and than read_framing everywhere: what is taken here, both
// take and read as the same request (tests/http/test_brief.cpp). So a doubt is
// no error, but a reason to leave the request to evhttp.
#include "http/brief.h"

#include <algorithm>

#include "base/text.h"
#include "http/characters.h"

namespace distributex {

namespace {

constexpr std::string_view method = "GET ";
constexpr std::string_view version = " HTTP/1.1\r\n";
constexpr std::string_view host = "Host";

// Of a path and a query; no fragment, and nothing that RFC 3986 excludes.
constexpr Characters of_targets = set_of("-._~%!$&'()*+,;=:@/?");

constexpr Characters visible() {
  Characters set{};
  std::fill(set.begin() + 0x20, set.begin() + 0x7f, true);
  return set;
}
constexpr Characters of_values = visible();

// Those that change where a request ends or what becomes of its connection, and those
// by which a request is refused for who sent it.
constexpr std::string_view refused_names[] = {
    "Connection",        "Upgrade",        "Expect",         "TE",
    "Transfer-Encoding", "Content-Length", "Trailer",        "Keep-Alive",
    "Proxy-Connection",  "Authorization",  "Sec-Fetch-Site", "Origin"};

bool is_refused(std::string_view name) {
  return std::any_of(std::begin(refused_names), std::end(refused_names),
                     [&](std::string_view refused) {
                       return refused.size() == name.size() && equal_ignoring_case(refused, name);
                     });
}

// Takes what begins with these bytes off the rest.
bool take(std::string_view expected, std::string_view& rest) {
  if (!rest.starts_with(expected)) {
    return false;
  }
  rest.remove_prefix(expected.size());
  return true;
}

bool take_line_end(std::string_view& rest) {
  if (rest.size() < 2 || rest[0] != '\r' || rest[1] != '\n') {
    return false;
  }
  rest.remove_prefix(2);
  return true;
}

// Takes all bytes of a set off the rest.
std::string_view take_of(const Characters& set, std::string_view& rest) {
  size_t size = 0;
  while (size < rest.size() && is_of(set, rest[size])) {
    ++size;
  }
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

bool take_field(std::string_view& rest, Field& field) {
  field.name = take_of(of_names, rest);
  if (field.name.empty() || !rest.starts_with(':')) {
    return false;
  }
  rest.remove_prefix(1);
  while (rest.starts_with(' ')) {
    rest.remove_prefix(1);
  }
  field.value = take_of(of_values, rest);
  return !field.value.empty() && field.value.back() != ' ' && take_line_end(rest);
}

}  // namespace

bool read_brief(std::string_view bytes, size_t most, BriefRequest& into) {
  std::string_view rest = bytes;
  if (!take(method, rest)) {
    return false;
  }
  into.target = take_of(of_targets, rest);
  if (!into.target.starts_with('/') || into.target.starts_with("//") || !take(version, rest)) {
    return false;
  }
  size_t hosts = 0;
  into.field_count = 0;
  while (!take_line_end(rest)) {
    if (into.field_count == BriefRequest::most_fields) {
      return false;
    }
    Field& field = into.all_fields[into.field_count];
    if (!take_field(rest, field) || is_refused(field.name)) {
      return false;
    }
    const bool is_host = field.name.size() == host.size() && equal_ignoring_case(field.name, host);
    if (is_host && (++hosts > 1 || !is_of(of_hosts, field.value))) {
      return false;
    }
    ++into.field_count;
  }
  into.size = bytes.size() - rest.size();
  return hosts == 1 && into.size <= most;
}

}  // namespace distributex
