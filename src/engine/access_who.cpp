// SPDX-License-Identifier: MIT
// Reads and writes the words of `who` in a rule.
#include <algorithm>

#include "base/text.h"
#include "engine/access.h"

namespace distributex {

namespace {

constexpr uint32_t nobody = 65534;  // the kernel shows it for a uid that this namespace lacks

constexpr std::string_view known =
    "anyone, certificate [PATTERN], secret [NAME], unix, uid N, an address or a network";

std::variant<Who, std::string> parse_uid(std::string_view text) {
  const auto uid = parse_whole<uint32_t>(text);
  if (!uid) {
    return "uid " + in_quotes(text) + " is not a whole number";
  }
  if (*uid == nobody || *uid == UINT32_MAX) {
    return "uid " + decimal(*uid) + " stands for every user that the kernel cannot show here";
  }
  return Who{.kind = Who::Kind::uid, .uid = *uid};
}

std::variant<Who, std::string> parse_network_of(std::string_view text) {
  if (const auto network = parse_network(text)) {
    return Who{.kind = Who::Kind::network, .network = *network};
  }
  return in_quotes(text) + " is none of " + std::string(known);
}

}  // namespace

std::variant<Who, std::string> parse_who(std::string_view text) {
  std::string_view rest = trimmed(text);
  const std::string_view word = take_until(' ', rest);
  rest = trimmed(rest);
  if (word == "uid") {
    return parse_uid(rest);
  }
  if (word == "certificate" || word == "secret") {
    const auto kind = word == "secret" ? Who::Kind::secret : Who::Kind::certificate;
    if (rest.find_first_of(blanks) != rest.npos) {
      return in_quotes(rest) + " has a blank: write one name, or a list of who";
    }
    return Who{.kind = kind, .name = std::string(rest)};
  }
  if (!rest.empty()) {
    return in_quotes(text) + " is none of " + std::string(known);
  }
  if (word == "anyone" || word == "unix") {
    return Who{.kind = word == "unix" ? Who::Kind::unix_socket : Who::Kind::anyone};
  }
  return parse_network_of(word);
}

std::string to_text(const Who& who) {
  const auto named = [&](std::string_view word) {
    return std::string(word) + (who.name.empty() ? "" : " ") + escaped(who.name);
  };
  switch (who.kind) {
    case Who::Kind::anyone:
      return "anyone";
    case Who::Kind::certificate:
      return named("certificate");
    case Who::Kind::secret:
      return named("secret");
    case Who::Kind::unix_socket:
      return "unix";
    case Who::Kind::uid:
      return "uid " + decimal(who.uid);
    case Who::Kind::network:
      return to_text(who.network);
  }
  return {};
}

}  // namespace distributex
