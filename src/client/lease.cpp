// SPDX-License-Identifier: MIT
//
// The fractions of a lease, and the pauses between attempts. Knows no servers, no processes and no
// clock.
#include "client/lease.h"

#include <algorithm>

namespace distributex::client {

using std::chrono::milliseconds;
using std::chrono::seconds;

Lease::Lease(Moment sent, std::optional<Span> length, Span asked)
    : sent_(sent), length_(length), asked_(asked), renew_at_(sent + rhythm()) {}

void Lease::renewed(Moment sent, std::optional<Span> length) {
  sent_ = sent;
  length_ = length;
  renew_at_ = sent_ + rhythm();
}

void Lease::renewal_failed(Moment now, double jitter) {
  const Span pause = std::clamp<Span>(rhythm() / 10, milliseconds(50), seconds(5));
  renew_at_ = now + pause / 2 + from_seconds(to_seconds(pause) * jitter);
}

Span Lease::rhythm() const { return length_.value_or(asked_) / 3; }

Span Lease::patience() const {
  return std::clamp<Span>(rhythm() / 2, milliseconds(200), seconds(10));
}

std::optional<Moment> Lease::before_end(int fraction, Span at_most) const {
  if (!length_) {
    return std::nullopt;
  }
  return sent_ + *length_ - std::min<Span>(*length_ / fraction, at_most);
}

std::optional<Moment> Lease::term_at() const { return before_end(5, seconds(30)); }

std::optional<Moment> Lease::kill_at() const { return before_end(10, seconds(10)); }

std::optional<Moment> Lease::guard_at() const { return before_end(20, seconds(5)); }

std::optional<Moment> Lease::ends_at() const { return before_end(1, Span::zero()); }

bool is_fresh(Span answered_after, std::optional<Span> length) {
  return !length || answered_after <= *length / 8;
}

Span Backoff::next(double jitter) {
  const Span base = std::min<Span>(milliseconds(200) * (1 << round_), seconds(5));
  round_ = std::min(round_ + 1, 5);
  return base / 2 + from_seconds(to_seconds(base) * jitter);
}

}  // namespace distributex::client
