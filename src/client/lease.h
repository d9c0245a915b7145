// SPDX-License-Identifier: MIT
//
// When to renew a lease and when to give it up: pure arithmetic on moments, no clock, no I/O. Every
// moment is counted from before the request was sent that obtained or renewed the lease, so the
// server's own end is never earlier than what is computed here.
//
//   sent ---- L/3 renew ------------- 4/5 L term - 9/10 L kill - 19/20 L guard - L: the server may
//   pass the lock on
//
// The head starts are bounded (30 s, 10 s, 5 s), so that a long lease is not given up early.
#pragma once

#include "client/clock.h"

#include <optional>

namespace distributex::client {

class Lease {
 public:
  // `length` is what the server said at the request sent at `sent`; nothing: the lease never ends.
  // `asked` sets the rhythm of renewals where the lease never ends: they only find out whether the
  // lock is still there.
  Lease(Moment sent, std::optional<Span> length, Span asked);

  void renewed(Moment sent, std::optional<Span> length);
  // A renewal failed at `now`; the next is due soon, between half and once and a half the usual
  // pause by `jitter` (0..1).
  void renewal_failed(Moment now, double jitter);

  [[nodiscard]] Moment renew_at() const { return renew_at_; }
  // How long to wait for the answer to one renewal.
  [[nodiscard]] Span patience() const;
  // Ask the command to end; end it; (for who watches the watcher) end it all; the server may pass
  // the lock on.
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

// Whether a lease of this length, answered this late, is fresh enough to count from when it was
// asked for. Otherwise (a wait that took its time, a lock held already) it must be renewed before
// anything is built on it.
[[nodiscard]] bool is_fresh(Span answered_after, std::optional<Span> length);

// Pauses between attempts to reach a server: from 0.2 s doubling up to 5 s, each jittered by half
// either way.
class Backoff {
 public:
  [[nodiscard]] Span next(double jitter);
  void reset() { round_ = 0; }

 private:
  int round_ = 0;
};

}  // namespace distributex::client
