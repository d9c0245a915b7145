// SPDX-License-Identifier: MIT
//
// Reads answers. They come over the network: lengths are bounded, numbers are parsed whole or not
// at all, and a header that says granted counts only if the body says YES.
#include "client/reply.h"

#include <array>
#include <cmath>

#include "base/text.h"
#include "client/say.h"
#include "lock/names.h"

namespace distributex::client {

namespace {

constexpr double longest_seconds = 10.0 * 365 * 86400;

// All words of the original server.
std::optional<Result> find_original(std::string_view body) {
  struct Word {
    std::string_view body;
    Result result;
  };
  constexpr std::array words{Word{"YES", Result::granted}, Word{"NO", Result::busy},
                             Word{"OK", Result::released}, Word{"INVALID", Result::invalid}};
  for (const Word& word : words) {
    if (word.body == body) {
      return word.result;
    }
  }
  return std::nullopt;
}

template <class Number>
std::optional<Number> parse(const std::optional<std::string>& text) {
  return text ? parse_whole<Number>(*text) : std::nullopt;
}

std::optional<Span> parse_span(const std::optional<std::string>& text) {
  const auto seconds = parse<double>(text);
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > longest_seconds) {
    return std::nullopt;
  }
  return from_seconds(*seconds);
}

bool is_gateway_trouble(long status) { return status == 502 || status == 503 || status == 504; }

std::string describe(const RawAnswer& raw) {
  return "not a lock server's answer (HTTP " + std::to_string(raw.status) + ", \"" +
         printable(std::string_view(raw.body).substr(0, 40)) + "\")";
}

Reply interpret_original(const RawAnswer& raw) {
  Reply reply;
  reply.original = raw.status == 200;
  reply.result = reply.original ? find_original(raw.body) : std::nullopt;
  if (is_gateway_trouble(raw.status)) {
    reply.result = Result::unavailable;
    reply.retry_after = parse_span(raw.retry_after);
    reply.error = "HTTP " + std::to_string(raw.status) + " in place of the lock server";
  } else if (!reply.result) {
    reply.original = false;
    reply.error = describe(raw);
  } else if (reply.result == Result::invalid) {
    reply.error =
        "the server says INVALID: it does not know the pool, or does not serve it to this host";
  }
  return reply;
}

// Refuses a lease whose end is given but cannot be read: it could not be kept safely.
bool is_sound(const RawAnswer& raw, const Reply& reply) {
  if (reply.result == Result::granted || reply.result == Result::held) {
    return raw.body == "YES" && raw.expires.has_value() == reply.expires.has_value() &&
           reply.token.has_value();
  }
  return reply.result != Result::renewed || raw.expires.has_value() == reply.expires.has_value();
}

}  // namespace

Reply interpret(const RawAnswer& raw) {
  if (raw.status == 0) {
    Reply reply;
    reply.error = raw.trouble;
    reply.lasting = raw.lasting;
    return reply;
  }
  if (!raw.result) {
    return interpret_original(raw);
  }
  Reply reply;
  reply.result = find_result(*raw.result);
  reply.token = parse<std::uint64_t>(raw.token);
  if (reply.token && *reply.token > max_token) {
    reply.token.reset();
  }
  reply.expires = parse_span(raw.expires);
  reply.retry_after = parse_span(raw.retry_after);
  reply.error = raw.error ? printable(*raw.error) : std::string();
  reply.frozen = raw.frozen ? printable(*raw.frozen) : std::string();
  if (!reply.result || !is_sound(raw, reply)) {
    reply.result.reset();
    reply.error = describe(raw);
  } else if (reply.error.empty()) {
    reply.error = "the server says " + *raw.result;
  }
  return reply;
}

void take_header(RawAnswer& raw, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    // Only the last answer counts, not an interim one.
    raw.result = raw.token = raw.expires = raw.error = raw.retry_after = raw.frozen = std::nullopt;
    return;
  }
  if (colon == std::string_view::npos || line.size() > 1024) {
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1), " \t\r\n");
  const std::array<std::pair<std::string_view, std::optional<std::string>*>, 6> wanted{{
      {"Distributex-Result", &raw.result},
      {"Distributex-Token", &raw.token},
      {"Distributex-Expires", &raw.expires},
      {"Distributex-Error", &raw.error},
      {"Retry-After", &raw.retry_after},
      {"Distributex-Frozen", &raw.frozen},
  }};
  for (const auto& [header, where] : wanted) {
    if (equal_ignoring_case(name, header) && !*where) {
      *where = std::string(value);
    }
  }
}

}  // namespace distributex::client
