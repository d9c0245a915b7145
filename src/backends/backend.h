// SPDX-License-Identifier: MIT
// The one interface to where leases live. A backend answers "may this owner
// have a slot of this pool" through a callback: every question ends in exactly
// one decided(), on the loop's thread, perhaps inside the call. The verdicts of
// one pool come in the order of its questions, patient acquires aside. A backend
// knows nothing of waiters, requests or the server's sockets. `now` is the time of
// the question; a backend that answers later, or stores wall-clock times, reads
// base/clock.h too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lock/figure.h"
#include "lock/store.h"
#include "lock/words.h"

struct event_base;

namespace distributex {

class Config;

// What a backend calls to report; it may call from inside a question.
struct BackendSink {
  std::function<void(OpId, const Verdict&)> decided;
  std::function<void(const std::string& pool)> changed;  // a slot may have come free
  // The lease has ended. `stored` as in a verdict: the caller announces the end once that
  // much is stored. The same goes for happened().
  std::function<void(const std::string& pool, const Lease&, uint64_t stored)> expired;
  // A freeze has begun or ended, a lease was evicted, or a slot is closed for a while.
  std::function<void(const Happening&, uint64_t stored)> happened;
  // Only backends whose verdicts set `stored` call these two. stored(): everything up to
  // this number is on disk. unstored(): the rest will not be stored in time; fail all who
  // wait for it, with this reason.
  std::function<void(uint64_t stored)> stored;
  std::function<void(const std::string& why)> unstored;
};

// Why a backend cannot start: an exit code (sysexits.h) and one sentence.
struct BackendRefusal {
  int exit_code = 0;
  std::string what;
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Called once, before the first question: reads what earlier processes stored. It may
  // block, for no client is served yet.
  [[nodiscard]] virtual std::optional<BackendRefusal> begin() { return std::nullopt; }
  virtual void acquire(const Acquire&, Time now) = 0;
  virtual void release(const Release&, Time now) = 0;
  virtual void renew(const Renew&, Time now) = 0;
  // Nobody waits for the pool at this server any more. Backends whose servers take turns
  // then give up this server's turn; a repeated call does no harm.
  virtual void idle(const std::string&, Time) {}
  // Carries out an operator's order. A freeze is stored where the leases are. While it
  // stands, acquire takes no slot: its verdict is held or full, and no verdict "granted"
  // follows the verdict of the order. When the freeze ends, the backend calls changed()
  // for each pool that was frozen.
  virtual void order(const Order&, Time now) = 0;
  // The freeze that holds for a pool, or nullptr; and all freezes.
  [[nodiscard]] virtual const Freeze* frozen(std::string_view pool) const = 0;
  [[nodiscard]] virtual std::vector<Freeze> freezes() const = 0;

  // Called at the start and after each reload, with all configured pools. Their delays and
  // freeze_after apply to leases that are released or end from then on.
  virtual void configure(const std::vector<PoolSpec>& pools) = 0;

  // Nobody needs the pool any more: the backend may drop what it remembers of the pool
  // beyond its leases, rests, freezes and failed runs.
  virtual void forget(const std::string& pool) = 0;

  // When tick() is due next; nullopt: never. tick() ends leases whose time is over.
  [[nodiscard]] virtual std::optional<Time> deadline() const = 0;
  virtual void tick(Time now) = 0;

  // Returns nullopt while locks can be granted, else the reason in one line. The
  // answer is at most two seconds old, and asking does no input or output.
  [[nodiscard]] virtual std::optional<std::string> trouble() const = 0;

  // Since when the backend has stored leases; nullopt: they end with this process.
  [[nodiscard]] virtual std::optional<Time> survives_since() const { return std::nullopt; }
  // The external store that the backend depends on; nullopt: there is none.
  [[nodiscard]] virtual std::optional<StoreState> store() const { return std::nullopt; }
  // How many wait for the pool at other servers, as those servers said last; nullopt:
  // the backend does not know of other servers.
  [[nodiscard]] virtual std::optional<size_t> waiting_elsewhere(std::string_view) const {
    return std::nullopt;
  }
  // Appends the backend's own counters.
  virtual void add_figures(std::vector<Figure>&, Time) const {}

  // Calls ready, perhaps at once, when leases() shows a state that is at most a
  // second old, or when the store did not answer in time.
  virtual void survey(std::function<void()> ready, Time now) = 0;
  // The `most` oldest leases, oldest first. The cost grows with the number returned, not
  // with the number held.
  [[nodiscard]] virtual std::vector<Lease> leases(std::string_view pool,
                                                  size_t most = SIZE_MAX) const = 0;
  [[nodiscard]] virtual size_t held(std::string_view pool) const = 0;
  // The pools of which it has leases or rests, also those that no configuration names.
  // Backends whose servers share their leases return none.
  [[nodiscard]] virtual std::vector<std::string> used_pools() const { return {}; }
  // Slots that are closed though nobody holds them, those that end first before the
  // others; and how many there are.
  [[nodiscard]] virtual std::vector<Rest> rests(std::string_view pool,
                                                size_t most = SIZE_MAX) const = 0;
  [[nodiscard]] virtual size_t resting(std::string_view pool) const = 0;
};

// What a backend is made from. The base outlives the backend. The maker reads the
// backend's options from config, which need not live on.
struct BackendSetup {
  event_base* base;
  const Config& config;
  BackendSink sink;
  uint64_t wall_us;  // the wall clock at the start, in microseconds since 1970
};

}  // namespace distributex
