// SPDX-License-Identifier: MIT
// Reading and writing the text of a slot's item.
#include "backends/memcache/item.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "backends/memcache/key.h"
#include "backends/rests.h"
#include "base/text.h"

namespace distributex {

namespace {

constexpr std::string_view magic = "dx1";

std::string_view next_word(std::string_view& text) { return take_until(' ', text); }

bool next_number(std::string_view& text, uint64_t max, uint64_t& number) {
  const auto read = parse_whole(next_word(text));
  number = read.value_or(0);
  return read && number <= max;
}

constexpr uint64_t length_max = 1'000'000'000'000;  // seconds; far beyond any configuration
constexpr uint64_t time_max = uint64_t{1} << 60;    // microseconds

}  // namespace

std::string format_slot(const SlotLease& lease) {
  std::string text(magic);
  if (lease.rest) {
    text.append(" ").append(rest_name(*lease.rest)).append(" ");
  } else {
    text += lease.is_claim() ? " claim " : " lease ";
  }
  text += std::to_string(lease.token) + " " + std::to_string(lease.length.count()) + " ";
  text += std::to_string(lease.granted_us) + " " + std::to_string(lease.started_us) + " ";
  text += lease.nonce + " " + percent_encoded(lease.owner.host) + " ";
  text += percent_encoded(lease.owner.id);
  for (const std::string& server : lease.told) {
    text += told_mark(lease, server);
  }
  return text;
}

std::optional<SlotLease> parse_slot(std::string_view value) {
  SlotLease lease;
  uint64_t length = 0;
  if (next_word(value) != magic) {
    return std::nullopt;
  }
  const auto state = next_word(value);
  lease.rest = find_rest(state);
  if (state != "claim" && state != "lease" && !lease.rest) {
    return std::nullopt;
  }
  if (!next_number(value, max_token, lease.token)) {
    return std::nullopt;
  }
  if (lease.is_claim() != (state == "claim")) {
    return std::nullopt;
  }
  if (!next_number(value, length_max, length)) {
    return std::nullopt;
  }
  lease.length = std::chrono::seconds(length);
  if (!next_number(value, time_max, lease.granted_us)) {
    return std::nullopt;
  }
  if (!next_number(value, time_max, lease.started_us)) {
    return std::nullopt;
  }
  lease.nonce = next_word(value);
  if (lease.nonce.empty()) {
    return std::nullopt;
  }
  if (!percent_decoded(next_word(value), lease.owner.host)) {
    return std::nullopt;
  }
  if (!percent_decoded(next_word(value), lease.owner.id)) {
    return std::nullopt;
  }
  while (!value.empty()) {
    const auto mark = next_word(value);
    const auto slash = mark.find('/');
    if (!mark.starts_with('+') || slash == std::string_view::npos) {
      continue;
    }
    if (mark.substr(1, slash - 1) == lease.nonce) {
      lease.told.emplace_back(mark.substr(slash + 1));
    }
  }
  return lease;
}

std::string told_mark(const SlotLease& lease, std::string_view server) {
  return " +" + lease.nonce + "/" + std::string(server);
}

bool SlotLease::told_by(std::string_view server) const {
  return std::find(told.begin(), told.end(), server) != told.end();
}

std::string make_nonce() {
  std::array<unsigned char, 16> bytes{};
  // getrandom() returns up to 256 bytes whole, and waits while the kernel has none.
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace distributex
