// SPDX-License-Identifier: MIT
// The parser of targets, queries and forms. The rules are of our own and
// strict: a name is decoded once and compared whole, the first of equal names
// counts, and a value that we use is either sound or refused with a sentence
// that says what would be right. Nothing here depends on a zero byte, a locale
// or a bound that was checked elsewhere, and no reply is written here.
#include "doors/plain/request.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace distributex {
namespace {

enum class Param { host, pool, id, token, expire, timeout };

// In the order of Param.
constexpr std::array<std::string_view, 6> param_names = {"host",  "pool",   "id",
                                                         "token", "expire", "timeout"};

constexpr unsigned takes_token = 1, takes_expire = 2, takes_timeout = 4;

// What a verb takes beside host, pool and id.
constexpr unsigned parameters_of(Verb verb) {
  switch (verb) {
    case Verb::get:
      return takes_expire;
    case Verb::wait:
      return takes_expire | takes_timeout;
    case Verb::release:
      return takes_token;
    case Verb::renew:
      return takes_token | takes_expire;
  }
  return 0;
}

constexpr size_t name_max = 255;  // bytes of a host, pool or id
constexpr uint64_t seconds_max = 2147483647;

using Values = std::array<std::optional<std::string_view>, param_names.size()>;
using Complaint = std::string;  // empty: all is well

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// Undoes `+` and %HH, once; false when a % is not followed by two hex digits.
[[nodiscard]] bool decode(std::string_view raw, std::string& text) {
  size_t i = std::min(raw.find_first_of("%+"), raw.size());
  text.assign(raw, 0, i);
  for (; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      text += raw[i] == '+' ? ' ' : raw[i];
      continue;
    }
    if (raw.size() - i < 3) return false;
    const int high = hex_digit(raw[i + 1]), low = hex_digit(raw[i + 2]);
    if (high < 0 || low < 0) return false;
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool is_named(std::string_view raw, std::string_view name) {
  if (raw.find('%') == raw.npos) return raw == name;
  std::string text;
  return raw.size() <= 3 * name.size() && decode(raw, text) && text == name;
}

// Notes the first value of each parameter, as sent.
void collect(std::string_view rest, Values& values) {
  while (!rest.empty()) {
    std::string_view value = take_until('&', rest);
    const std::string_view name = take_until('=', value);
    for (size_t i = 0; i < param_names.size(); ++i)
      if (!values[i] && is_named(name, param_names[i])) values[i] = value;
  }
}

// What was sent, short and printable, for the end of an error.
std::string percent_quoted(std::string_view raw) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string text = ": \"";
  const size_t full = text.size() + quote_max;
  for (const char c : raw) {
    if (text.size() >= full) return text += "...\"";
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '\\')
      text += c;
    else
      text.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return text += '"';
}

std::string complain(std::string_view name, std::string_view what) {
  std::string text = "parameter \"";
  text.append(name).append("\" ").append(what);
  return text;
}

struct CodePoint {
  char32_t value;
  size_t length;  // in bytes; 0: not UTF-8
};

CodePoint code_point_at(std::string_view text, size_t start) {
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // by length
  const auto lead = static_cast<unsigned char>(text[start]);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc0 || lead > 0xf4 || text.size() - start < length) return {0, 0};
  char32_t value = lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[start + i]);
    if ((byte & 0xc0) != 0x80) return {0, 0};
    value = value << 6 | (byte & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < least[length] || value > 0x10ffff || surrogate) return {0, 0};
  return {value, length};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

// Why text cannot be a host, pool or id, or nothing.
const char* unsound_name(std::string_view text) {
  if (text.empty()) return "is empty; it has 1 to 255 bytes";
  if (text.size() > name_max) return "is longer than 255 bytes";
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (c.length == 0) return "is not valid UTF-8";
    if (is_control(c.value)) return "has a control character, which no name may have";
    i += c.length;
  }
  return nullptr;
}

constexpr const char* bad_percent = "has a % that two hex digits do not follow (a plain % is %25)";

Complaint read_name(std::string_view name, std::string_view raw, std::string& into) {
  const char* reason = decode(raw, into) ? unsound_name(into) : bad_percent;
  if (!reason) return {};
  return raw.empty() ? complain(name, reason) : complain(name, reason) + percent_quoted(raw);
}

std::optional<uint64_t> whole_number(std::string_view text, uint64_t least, uint64_t most) {
  const auto value = parse_whole(text);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

// "2.5", ".5", "3." and the like, cut to whole nanoseconds.
std::optional<Duration> decimal_seconds(std::string_view text) {
  std::string_view fraction = text;
  const std::string_view whole = take_until('.', fraction);
  if (whole.empty() && fraction.empty()) return {};
  if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) return {};
  const auto seconds = whole.empty() ? 0 : whole_number(whole, 0, seconds_max);
  if (!seconds) return {};
  if (*seconds == seconds_max && fraction.find_first_not_of('0') != fraction.npos) return {};
  int64_t nanoseconds = 0;
  for (size_t i = 0; i < 9; ++i)
    nanoseconds = nanoseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  return std::chrono::seconds(*seconds) + std::chrono::nanoseconds(nanoseconds);
}

Complaint read_token(std::string_view name, std::string_view raw, std::optional<Token>& into) {
  std::string text;
  if (decode(raw, text)) into = whole_number(text, 1, max_token);
  if (into) return {};
  return complain(name, "is not a whole number from 1 to 9007199254740991") + percent_quoted(raw);
}

Complaint read_expire(std::string_view name, std::string_view raw,
                      std::optional<std::chrono::seconds>& into) {
  std::string text;
  if (decode(raw, text))
    if (const auto seconds = whole_number(text, 1, seconds_max))
      into = std::chrono::seconds(*seconds);
  if (into) return {};
  return complain(name, "is not a whole number of seconds from 1 to 2147483647") +
         percent_quoted(raw);
}

Complaint read_timeout(std::string_view name, std::string_view raw, std::optional<Duration>& into) {
  std::string text;
  if (decode(raw, text)) into = decimal_seconds(text);
  if (into) return {};
  return complain(name, "is not a number of seconds from 0 to 2147483647, like 30 or 2.5") +
         percent_quoted(raw);
}

bool is_required(Param param) { return param == Param::host || param == Param::pool; }

bool is_taken(Param param, unsigned takes) {
  switch (param) {
    case Param::host:
    case Param::pool:
    case Param::id:
      return true;
    case Param::token:
      return (takes & takes_token) != 0;
    case Param::expire:
      return (takes & takes_expire) != 0;
    case Param::timeout:
      return (takes & takes_timeout) != 0;
  }
  return false;
}

Complaint read_param(Param param, std::string_view name, std::string_view raw, Command& into) {
  switch (param) {
    case Param::host:
      return read_name(name, raw, into.owner.host);
    case Param::pool:
      return read_name(name, raw, into.pool);
    case Param::id:
      return read_name(name, raw, into.owner.id);
    case Param::token:
      return read_token(name, raw, into.token);
    case Param::expire:
      return read_expire(name, raw, into.expire);
    case Param::timeout:
      return read_timeout(name, raw, into.timeout);
  }
  return {};
}

// Whether the parameters of a media range hold a weight of nought.
bool is_unwanted(std::string_view params) {
  while (!params.empty()) {
    std::string_view value = take_until(';', params);
    if (!equal_ignoring_case(trimmed(take_until('=', value)), "q")) continue;
    value = trimmed(value);
    return value.starts_with('0') && value.find_first_not_of("0.") == value.npos;
  }
  return false;
}

}  // namespace

Target split_target(std::string_view target) {
  std::string_view rest = target.substr(0, target.find('#'));
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(rest.substr(0, scheme.size()), scheme)) continue;
    rest.remove_prefix(scheme.size());
    rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
    break;
  }
  std::string_view path = take_until('?', rest);
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return {path.substr(0, path.find_last_not_of('/') + 1), rest};
}

std::variant<Command, Refusal> parse_request(Verb verb, std::string_view query,
                                             std::string_view form) {
  Values values;
  collect(query, values);
  collect(form, values);
  Command request;
  request.verb = verb;
  const unsigned takes = parameters_of(verb);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto param = static_cast<Param>(i);
    if (!is_taken(param, takes) || (!values[i] && !is_required(param))) continue;
    Complaint complaint = values[i] ? read_param(param, param_names[i], *values[i], request)
                                    : complain(param_names[i], "is missing");
    if (!complaint.empty()) return Refusal{Fault::bad_request, std::move(complaint)};
  }
  return request;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = take_until('&', query);
    if (!is_named(take_until('=', value), name)) continue;
    std::string text;
    if (!decode(value, text) || unsound_name(text)) return {};
    return text;
  }
  return {};
}

bool accepts(std::string_view accept, std::string_view wanted) {
  while (!accept.empty()) {
    std::string_view params = take_until(',', accept);
    const std::string_view type = trimmed(take_until(';', params));
    if (equal_ignoring_case(type, wanted) && !is_unwanted(params)) return true;
  }
  return false;
}

}  // namespace distributex
