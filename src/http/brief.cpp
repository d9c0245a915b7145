// SPDX-License-Identifier: MIT
// Every check is stricter than that of evhttp and of read_framing(): a request that is
// accepted here, both accept and read in the same way (tests/http/test_brief.cpp). A
// request that fails a check is not an error: evhttp reads it.
#include "http/brief.h"

#include <algorithm>

#include "base/text.h"
#include "http/characters.h"

namespace distributex {

namespace {

constexpr std::string_view method = "GET ";
constexpr std::string_view version = " HTTP/1.1\r\n";
constexpr std::string_view host = "Host";

// The characters of a path and a query by RFC 3986, without a fragment.
constexpr Characters of_targets = set_of("-._~%!$&'()*+,;=:@/?");

constexpr Characters visible() {
  Characters set{};
  std::fill(set.begin() + 0x20, set.begin() + 0x7f, true);
  return set;
}
constexpr Characters of_values = visible();

// Headers that say where a request ends or whether its connection goes on, and headers
// that prove who sent the request or tell from which site.
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

// Removes the expected bytes from the beginning of the rest; false if it has others.
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

// Removes the bytes of the set from the beginning of the rest, and returns them.
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
