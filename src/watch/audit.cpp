// SPDX-License-Identifier: MIT
// Written for speed: every grant and every release becomes a line. The order of the fields
// is fixed; fields that do not apply are left out.
#include "watch/audit.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/text.h"

namespace distributex {

namespace {

constexpr size_t error_max = 256;

// Printable ASCII except space, quote, backslash and the equals sign.
constexpr std::array<bool, 256> make_harmless() {
  std::array<bool, 256> table{};
  for (size_t c = 0x21; c < 0x7f; ++c) {
    table[c] = c != '"' && c != '\\' && c != '=';
  }
  return table;
}
constexpr std::array<bool, 256> harmless = make_harmless();

bool is_harmless(char c) { return harmless[static_cast<unsigned char>(c)]; }

}  // namespace

AuditLine::AuditLine(const LockEvent& event) {
  add("event=");
  add(what_name(event.what));
  add_time(event.wall_us);
  if (!event.verb.empty()) {
    add_text(" verb=", event.verb);
  }
  if (!event.pool.empty()) {
    add_text(" pool=", event.pool);
  }
  if (!event.host.empty()) {
    add_text(" host=", event.host);
  }
  if (!event.id.empty()) {
    add_text(" id=", event.id);
  }
  if (event.token != 0) {
    add_whole(" token=", event.token);
  }
  if (event.waited) {
    add_seconds(" waited=", *event.waited);
  }
  if (event.held) {
    add_seconds(" held=", *event.held);
  }
  if (!event.peer.empty()) {
    add_text(" peer=", event.peer);
  }
  if (!event.door.empty()) {
    add_text(" door=", event.door);
  }
  if (!event.error.empty()) {
    add_text(" error=", event.error.substr(0, error_max));
  }
  if (event.outcome != Outcome::unknown) {
    add(event.outcome == Outcome::ok ? " outcome=ok" : " outcome=failed");
  }
  if (event.status) {
    add_whole(" status=", *event.status);
  }
  if (!event.reason.empty()) {
    add_text(" reason=", event.reason);
  }
  if (!event.by.empty()) {
    add_text(" by=", event.by);
  }
  if (event.lasts) {
    add_seconds(" for=", *event.lasts);
  }
}

void AuditLine::add_what_fits(std::string_view text) {
  size_ += text.copy(bytes_.data() + size_, bytes_.size() - size_);
}

void AuditLine::add_digits(uint64_t number) {
  constexpr size_t most_digits = 20;
  if (bytes_.size() - size_ < most_digits) {
    return add_what_fits(decimal(number));
  }
  char* begin = bytes_.data() + size_;
  size_ += static_cast<size_t>(std::to_chars(begin, begin + most_digits, number).ptr - begin);
}

void AuditLine::add_duration(Duration duration) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(duration).count();
  const auto ms = static_cast<uint64_t>(std::max<int64_t>(whole, 0));
  add_digits(ms / 1000);
  add_milliseconds(ms % 1000);
}

// The digits of a second are made once and serve for all its events.
void AuditLine::add_time(uint64_t wall_us) {
  static constinit thread_local uint64_t second = 0;
  static constinit thread_local std::array<char, 20> digits{'0'};
  static constinit thread_local size_t size = 1;
  if (const uint64_t now = wall_us / 1'000'000; now != second) {
    second = now;
    size =
        static_cast<size_t>(std::to_chars(digits.begin(), digits.end(), now).ptr - digits.begin());
  }
  add(" time=");
  add({digits.data(), size});
  add_milliseconds(wall_us / 1000 % 1000);
}

void AuditLine::add_milliseconds(uint64_t ms) {
  const char rest[] = {'.', static_cast<char>('0' + ms / 100),
                       static_cast<char>('0' + ms / 10 % 10), static_cast<char>('0' + ms % 10)};
  add({rest, sizeof rest});
}

void AuditLine::add_value(std::string_view value) {
  if (std::all_of(value.begin(), value.end(), is_harmless)) {
    return add(value);
  }
  constexpr char digits[] = "0123456789abcdef";
  add("\"");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const char hex[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    const bool plain = is_harmless(c) || c == ' ';
    add(plain ? std::string_view{&c, 1} : std::string_view{hex, sizeof hex});
  }
  add("\"");
}

}  // namespace distributex
