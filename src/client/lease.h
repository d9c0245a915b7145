// SPDX-License-Identifier: MIT
//
// When to renew a lease and when to give it up: pure arithmetic on moments, no clock, no I/O. Every
// moment counts from before the request was sent that obtained or renewed the lease, so the server
// never ends the lease earlier than computed here.
//
//   sent                the request leaves the client
//   + 1/3 of the lease  it is renewed
//   + 4/5               the command is asked to end (30 s before the end at most)
//   + 9/10              the keeper kills everything (10 s before the end at most)
//   + 19/20             the front kills the keeper and everything (5 s before the end at most)
//   + the lease         the server may pass the lock on
#pragma once

#include <optional>

#include "client/clock.h"

namespace distributex::client {

class Lease {
 public:
  // `length` is what the server answered to the request that was sent at `sent`; nullopt: the lease
  // never ends. Then `asked` sets the interval of renewals, which only find out whether the lock
  // is still held.
  Lease(Moment sent, std::optional<Span> length, Span asked);

  void renewed(Moment sent, std::optional<Span> length);
  // A renewal failed at `now`; the next is due soon, between half and once and a half the usual
  // pause by `jitter` (0..1).
  void renewal_failed(Moment now, double jitter);

  [[nodiscard]] Moment renew_at() const { return renew_at_; }
  // How long to wait for the answer to one renewal.
  [[nodiscard]] Span patience() const;
  // The moments of the table above, nullopt when the lease never ends.
  [[nodiscard]] std::optional<Moment> term_at() const;
  [[nodiscard]] std::optional<Moment> kill_at() const;
  [[nodiscard]] std::optional<Moment> guard_at() const;
  [[nodiscard]] std::optional<Moment> ends_at() const;
  [[nodiscard]] Moment since() const { return sent_; }

 private:
  [[nodiscard]] Span rhythm() const;
  [[nodiscard]] std::optional<Moment> before_end(int fraction, Span at_most) const;

  Moment sent_;
  std::optional<Span> length_;
  Span asked_;
  Moment renew_at_;
};

// Whether a lease of this length, answered after this time, may count from its request. If not,
// as after a long wait, it must be renewed before it is used.
[[nodiscard]] bool is_fresh(Span answered_after, std::optional<Span> length);

// Pauses between attempts to reach a server: from 0.2 s doubling up to 5 s, each jittered by half
// either way.
class Backoff {
 public:
  [[nodiscard]] Span next(double jitter);

 private:
  int round_ = 0;
};

}  // namespace distributex::client
