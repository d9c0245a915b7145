// SPDX-License-Identifier: MIT
// Values to text and back. Ignores further words that a later version may append.
#include "backends/etcd/value.h"

#include <charconv>

#include "backends/etcd/base64.h"
#include "backends/etcd/key.h"
#include "backends/rests.h"
#include "lock/words.h"

namespace distributex {

namespace {

constexpr uint64_t length_max = uint64_t{1} << 50;
constexpr int64_t clock_max = int64_t{1} << 53;  // refused above: sums could overflow
constexpr uint64_t time_max = uint64_t{1} << 60;
constexpr size_t name_max = 64;

std::string_view next_word(std::string_view& text) {
  const size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

bool is_clock(int64_t value) { return value >= -clock_max && value <= clock_max; }

template <typename Number>
bool next_number(std::string_view& text, Number& to) {
  const std::string_view word = next_word(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), to);
  return !word.empty() && error == std::errc{} && end == word.data() + word.size();
}

bool next_text(std::string_view& text, std::string& to) {
  auto decoded = decode_name(next_word(text));
  if (!decoded) {
    return false;
  }
  to = *std::move(decoded);
  return true;
}

bool next_name(std::string_view& text, std::string& to) {
  to = next_word(text);
  return !to.empty() && to.size() <= name_max;
}

}  // namespace

std::string format_base(const EtcdBaseValue& value) {
  return std::to_string(value.offset) + " " + std::to_string(value.clock);
}

std::string format_ticket(const EtcdTicketValue& value) {
  return std::to_string(value.stamp) + " " + std::to_string(value.count);
}

std::string format_lease(const EtcdLeaseValue& value) {
  return "dx1 " + std::to_string(value.length) + " " + std::to_string(value.left) + " " +
         std::to_string(value.clock) + " " + std::to_string(value.offset) + " " +
         std::to_string(value.granted) + " " + value.keeper + " " + value.nonce +
         (value.note.empty() ? "" : " " + base64(value.note));
}

std::optional<EtcdBaseValue> parse_base(std::string_view text) {
  EtcdBaseValue value;
  if (!next_number(text, value.offset) || !next_number(text, value.clock)) {
    return std::nullopt;
  }
  if (value.offset > max_token || !is_clock(value.clock)) {
    return std::nullopt;
  }
  return value;
}

std::optional<EtcdTicketValue> parse_ticket(std::string_view text) {
  EtcdTicketValue value;
  if (!next_number(text, value.stamp) || !next_number(text, value.count)) {
    return std::nullopt;
  }
  if (!is_clock(value.stamp)) {
    return std::nullopt;
  }
  return value;
}

std::optional<EtcdLeaseValue> parse_lease(std::string_view text) {
  EtcdLeaseValue value;
  const bool ok = next_word(text) == "dx1" && next_number(text, value.length) &&
                  next_number(text, value.left) && next_number(text, value.clock) &&
                  next_number(text, value.offset) && next_number(text, value.granted) &&
                  next_name(text, value.keeper) && next_name(text, value.nonce) &&
                  value.length <= length_max && value.left <= length_max && is_clock(value.clock) &&
                  value.offset <= max_token && (value.length == 0) == (value.left == 0);
  if (!ok) {
    return std::nullopt;
  }
  value.note = from_base64(next_word(text)).value_or("");
  return value;
}

std::string format_rest(const EtcdRestValue& value) {
  return "dx1 " + std::to_string(value.left) + " " + std::to_string(value.clock) + " " +
         value.keeper + " " + std::string(rest_name(value.why)) + " " +
         encode_name(value.owner.host) + " " + encode_name(value.owner.id);
}

std::optional<EtcdRestValue> parse_rest(std::string_view text) {
  EtcdRestValue value;
  const bool ok = next_word(text) == "dx1" && next_number(text, value.left) &&
                  next_number(text, value.clock) && next_name(text, value.keeper) &&
                  value.left <= length_max && is_clock(value.clock);
  const auto why = find_rest(next_word(text));
  if (!ok || !why || !next_text(text, value.owner.host) || !next_text(text, value.owner.id)) {
    return std::nullopt;
  }
  value.why = *why;
  return value;
}

std::string format_freeze(const EtcdFreezeValue& value) {
  return "dx1 " + std::to_string(value.since) + " " + std::to_string(value.lasts) + " " +
         value.nonce + " " + encode_name(value.by) + " " + encode_name(value.reason);
}

std::optional<EtcdFreezeValue> parse_freeze(std::string_view text) {
  EtcdFreezeValue value;
  const bool ok = next_word(text) == "dx1" && next_number(text, value.since) &&
                  next_number(text, value.lasts) && next_name(text, value.nonce) &&
                  next_text(text, value.by) && next_text(text, value.reason) &&
                  value.since <= time_max && value.lasts <= length_max;
  return ok ? std::optional{std::move(value)} : std::nullopt;
}

std::string format_rulings(const EtcdRulingsValue& value) {
  return value.nonce + (value.by.empty() ? "" : " " + encode_name(value.by));
}

EtcdRulingsValue parse_rulings(std::string_view text) {
  EtcdRulingsValue value;
  if (!next_name(text, value.nonce) || !next_text(text, value.by)) {
    return {};
  }
  return value;
}

uint32_t parse_runs(std::string_view text) {
  uint32_t count = 0;
  return next_number(text, count) ? count : 0;
}

}  // namespace distributex
