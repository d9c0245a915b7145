// SPDX-License-Identifier: MIT
//
// Reads answers. All of it came over the network: lengths are bounded, numbers are parsed whole or
// not at all, and a header that says granted is believed only together with the body's YES.
#include "client/reply.h"

#include <strings.h>

#include <array>
#include <charconv>
#include <cmath>

namespace distributex::client {

namespace {

constexpr std::uint64_t token_bound = std::uint64_t{1} << 53U;
constexpr double longest_seconds = 10.0 * 365 * 86400;

struct Word {
  std::string_view name;
  Result result;
};

constexpr std::array header_words{
    Word{"granted", Result::granted},   Word{"held", Result::held},
    Word{"busy", Result::busy},         Word{"timeout", Result::timeout},
    Word{"released", Result::released}, Word{"not-held", Result::not_held},
    Word{"renewed", Result::renewed},   Word{"lost", Result::lost},
    Word{"invalid", Result::invalid},   Word{"unavailable", Result::unavailable},
};

// The original's whole vocabulary.
constexpr std::array body_words{
    Word{"YES", Result::granted},
    Word{"NO", Result::busy},
    Word{"OK", Result::released},
    Word{"INVALID", Result::invalid},
};

template <std::size_t N>
Result look_up(const std::array<Word, N>& words, std::string_view name) {
  for (const Word& word : words) {
    if (word.name == name) {
      return word.result;
    }
  }
  return Result::strange;
}

template <class Number>
std::optional<Number> parse(const std::optional<std::string>& text) {
  Number number{};
  if (!text || text->empty()) {
    return std::nullopt;
  }
  const char* end = text->data() + text->size();
  const auto [stop, trouble] = std::from_chars(text->data(), end, number);
  if (trouble != std::errc() || stop != end) {
    return std::nullopt;
  }
  return number;
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
  reply.result = reply.original ? look_up(body_words, raw.body) : Result::strange;
  if (is_gateway_trouble(raw.status)) {
    reply.result = Result::unavailable;
    reply.retry_after = parse_span(raw.retry_after);
    reply.error = "HTTP " + std::to_string(raw.status) + " in place of the lock server";
  } else if (reply.result == Result::strange) {
    reply.original = false;
    reply.error = describe(raw);
  } else if (reply.result == Result::invalid) {
    reply.error =
        "the server says INVALID: it does not know the pool, or does not serve it to this host";
  }
  return reply;
}

// A lease that says it ends, but not readably when, cannot be kept safely.
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
    return reply;
  }
  if (!raw.result) {
    return interpret_original(raw);
  }
  Reply reply;
  reply.result = look_up(header_words, *raw.result);
  reply.token = parse<std::uint64_t>(raw.token);
  if (reply.token && *reply.token >= token_bound) {
    reply.token.reset();
  }
  reply.expires = parse_span(raw.expires);
  reply.retry_after = parse_span(raw.retry_after);
  reply.error = raw.error ? printable(*raw.error) : std::string();
  if (reply.result == Result::strange || !is_sound(raw, reply)) {
    reply.result = Result::strange;
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
    raw.result = raw.token = raw.expires = raw.error = raw.retry_after = std::nullopt;
    return;
  }
  if (colon == std::string_view::npos || line.size() > 1024) {
    return;
  }
  const std::string name(line.substr(0, colon));
  std::string_view value = line.substr(colon + 1);
  const std::size_t first = value.find_first_not_of(" \t");
  const std::size_t last = value.find_last_not_of(" \t\r\n");
  value = first == std::string_view::npos || last == std::string_view::npos || last < first
              ? std::string_view()
              : value.substr(first, last - first + 1);
  const std::array<std::pair<const char*, std::optional<std::string>*>, 5> wanted{{
      {"Distributex-Result", &raw.result},
      {"Distributex-Token", &raw.token},
      {"Distributex-Expires", &raw.expires},
      {"Distributex-Error", &raw.error},
      {"Retry-After", &raw.retry_after},
  }};
  for (const auto& [header, where] : wanted) {
    if (strcasecmp(name.c_str(), header) == 0 && !*where) {
      *where = std::string(value);
    }
  }
}

std::string printable(std::string_view text) {
  std::string safe;
  unsigned char before = 0;
  for (const char c : text.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_c1 =
        before == 0xc2 && byte < 0xa0;  // U+0080 to U+009F, control characters in UTF-8
    safe += byte < 0x20 || byte == 0x7f || is_c1 ? '?' : c;
    before = byte;
  }
  return safe;
}

}  // namespace distributex::client
