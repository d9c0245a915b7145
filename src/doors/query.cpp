// SPDX-License-Identifier: MIT
// No function here needs a zero byte at the end, a locale, or a bound that another file
// has checked.
#include "doors/query.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace distributex {

namespace {

constexpr size_t name_max = 255;  // bytes of a host, pool or id

int hex_digit(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// The value as it was sent, short and printable, for the end of an error.
std::string percent_quoted(std::string_view raw) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string text = ": \"";
  const size_t full = text.size() + quote_max;
  for (const char c : raw) {
    if (text.size() >= full) {
      return text += "...\"";
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      text += c;
    } else {
      text.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return text += '"';
}

struct CodePoint {
  char32_t value;
  size_t length;  // in bytes; 0: not UTF-8
};

CodePoint code_point_at(std::string_view text, size_t start) {
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // by length
  const auto lead = static_cast<unsigned char>(text[start]);
  if (lead < 0x80) {
    return {lead, 1};
  }
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc0 || lead > 0xf4 || text.size() - start < length) {
    return {0, 0};
  }
  char32_t value = lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[start + i]);
    if ((byte & 0xc0) != 0x80) {
      return {0, 0};
    }
    value = value << 6 | (byte & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < least[length] || value > 0x10ffff || surrogate) {
    return {0, 0};
  }
  return {value, length};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

constexpr const char* bad_percent = "has a % that two hex digits do not follow (a plain % is %25)";

// Whether the parameters of a media range have a weight of 0 (q=0).
bool is_unwanted(std::string_view params) {
  while (!params.empty()) {
    std::string_view value = take_until(';', params);
    if (!equal_ignoring_case(trimmed(take_until('=', value)), "q")) {
      continue;
    }
    value = trimmed(value);
    return value.starts_with('0') && value.find_first_not_of("0.") == value.npos;
  }
  return false;
}

}  // namespace

const char* unsound_name(std::string_view text) {
  if (text.empty()) {
    return "is empty; it has 1 to 255 bytes";
  }
  if (text.size() > name_max) {
    return "is longer than 255 bytes";
  }
  for (size_t i = 0; i < text.size();) {
    if (text[i] >= ' ' && text[i] < '\x7f') {  // the usual case, at little cost
      ++i;
      continue;
    }
    const CodePoint c = code_point_at(text, i);
    if (c.length == 0) {
      return "is not valid UTF-8";
    }
    if (is_control(c.value)) {
      return "has a control character, which no name may have";
    }
    i += c.length;
  }
  return nullptr;
}

bool decode(std::string_view raw, std::string& text) {
  size_t i = 0;
  while (i < raw.size() && raw[i] != '%' && raw[i] != '+') {
    ++i;
  }
  text.assign(raw, 0, i);
  for (; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      text += raw[i] == '+' ? ' ' : raw[i];
      continue;
    }
    if (raw.size() - i < 3) {
      return false;
    }
    const int high = hex_digit(raw[i + 1]), low = hex_digit(raw[i + 2]);
    if (high < 0 || low < 0) {
      return false;
    }
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool is_named(std::string_view raw, std::string_view name) {
  if (raw.find('%') == raw.npos) {
    return raw == name;
  }
  std::string text;
  return raw.size() <= 3 * name.size() && decode(raw, text) && text == name;
}

Complaint complain(std::string_view name, std::string_view what) {
  std::string text = "parameter \"";
  text.append(name).append("\" ").append(what);
  return text;
}

Complaint complain(std::string_view name, std::string_view what, std::string_view raw) {
  return complain(name, what) + percent_quoted(raw);
}

Complaint read_name(std::string_view name, std::string_view raw, std::string& into) {
  const char* reason = decode(raw, into) ? unsound_name(into) : bad_percent;
  if (!reason) {
    return {};
  }
  return raw.empty() ? complain(name, reason) : complain(name, reason, raw);
}

std::optional<uint64_t> whole_number(std::string_view text, uint64_t least, uint64_t most) {
  const auto value = parse_whole(text);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

std::optional<std::string_view> PageQuery::find(std::string_view name) const {
  std::string_view rest = query_;
  while (!rest.empty()) {
    std::string_view value = take_until('&', rest);
    if (is_named(take_until('=', value), name)) {
      return value;
    }
  }
  return std::nullopt;
}

void PageQuery::refuse(std::string_view name, std::string_view what) {
  if (complaint_.empty()) {
    complaint_ = complain(name, what, find(name).value_or(""));
  }
}

std::optional<std::string> PageQuery::text(std::string_view name) {
  const auto raw = find(name);
  if (!raw) {
    return std::nullopt;
  }
  std::string text;
  Complaint complaint = read_name(name, *raw, text);
  if (complaint.empty()) {
    return text;
  }
  if (complaint_.empty()) {
    complaint_ = std::move(complaint);
  }
  return std::nullopt;
}

std::optional<uint64_t> PageQuery::whole(std::string_view name) {
  const auto value = text(name);
  if (!value) {
    return std::nullopt;
  }
  const auto number = whole_number(*value, 0, std::numeric_limits<uint64_t>::max());
  if (!number) {
    refuse(name, "is not a whole number");
  }
  return number;
}

bool accepts(std::string_view accept, std::string_view wanted) {
  while (!accept.empty()) {
    std::string_view params = take_until(',', accept);
    const std::string_view type = trimmed(take_until(';', params));
    if (equal_ignoring_case(type, wanted) && !is_unwanted(params)) {
      return true;
    }
  }
  return false;
}

}  // namespace distributex
