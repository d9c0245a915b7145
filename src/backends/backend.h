// SPDX-License-Identifier: MIT
// The one interface to where leases live. A backend answers "may this owner
// have a slot of this pool", asynchronously even when it knows at once: every
// call ends in exactly one decided(), on the loop's thread, in order per pool.
// It knows nothing of waiters, requests or the server's sockets. `now` is the
// time of the question; a backend whose verdict comes later, or whose leases
// are told by the clock of day, reads base/clock.h as well.
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

// Where a backend reports to. It may call from inside the question.
struct BackendSink {
  std::function<void(OpId, const Verdict&)> decided;
  std::function<void(const std::string& pool)> changed;  // a slot may have come free
  // The lease is over; to be told of like a verdict with this `stored`.
  std::function<void(const std::string& pool, const Lease&, uint64_t stored)> expired;
  // A freeze has begun or ended, a lease was evicted, or a slot is closed for a
  // while; told like an expiry.
  std::function<void(const Happening&, uint64_t stored)> happened;
  // Of a backend whose verdicts say `stored`: so much is stored now; or what is
  // not stored yet will not be in time, and whoever waits for it must hear why.
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
  // Before the first question: takes what outlives this process. It may block,
  // for nobody is served yet.
  [[nodiscard]] virtual std::optional<BackendRefusal> begin() { return std::nullopt; }
  virtual void acquire(const Acquire&, Time now) = 0;
  virtual void release(const Release&, Time now) = 0;
  virtual void renew(const Renew&, Time now) = 0;
  // The last one who waited for the pool at this server waits no more. For
  // backends whose servers take turns; a repeated call does no harm.
  virtual void idle(const std::string&, Time) {}
  // What operators do. A freeze lives where the leases live. While it stands
  // acquire takes no slot: its verdict is held or full, and no verdict "granted"
  // follows the verdict of the order. When it ends, changed() tells of each pool
  // that may go on.
  virtual void order(const Order&, Time now) = 0;
  // The freeze that a pool stands under, or nullptr; and all that stand.
  [[nodiscard]] virtual const Freeze* frozen(std::string_view pool) const = 0;
  [[nodiscard]] virtual std::vector<Freeze> freezes() const = 0;

  // The pools there are now, at the start and after each reload. Their delays and
  // freeze_after count for what is released or ends from then on.
  virtual void configure(const std::vector<PoolSpec>& pools) = 0;

  // A pool that nobody needs any more: what is remembered of it beyond its leases,
  // rests, freezes and failed runs may go.
  virtual void forget(const std::string& pool) = 0;

  // When tick is next due, if ever. tick ends leases whose time has come.
  [[nodiscard]] virtual std::optional<Time> deadline() const = 0;
  virtual void tick(Time now) = 0;

  // Returns nullopt while locks can be granted, else the reason in one line. The
  // answer is at most two seconds old, and asking does no input or output.
  [[nodiscard]] virtual std::optional<std::string> trouble() const = 0;

  // Since when it has kept leases beyond this process's end; nothing: it does not.
  [[nodiscard]] virtual std::optional<Time> survives_since() const { return std::nullopt; }
  // The store outside this process that it depends on; nothing: there is none.
  [[nodiscard]] virtual std::optional<StoreState> store() const { return std::nullopt; }
  // How many wait for the pool at other servers, as these said last; nothing:
  // the backend does not know of other servers.
  [[nodiscard]] virtual std::optional<size_t> waiting_elsewhere(std::string_view) const {
    return std::nullopt;
  }
  // What it counts about itself.
  virtual void add_figures(std::vector<Figure>&, Time) const {}

  // Calls ready, perhaps at once, when leases() shows a state that is at most a
  // second old, or when the store did not answer in time.
  virtual void survey(std::function<void()> ready, Time now) = 0;
  // Oldest first, the first `most` of them; its cost is that of what it returns.
  [[nodiscard]] virtual std::vector<Lease> leases(std::string_view pool,
                                                  size_t most = SIZE_MAX) const = 0;
  [[nodiscard]] virtual size_t held(std::string_view pool) const = 0;
  // Slots that are closed though nobody holds them, by their ends, and how many.
  [[nodiscard]] virtual std::vector<Rest> rests(std::string_view pool,
                                                size_t most = SIZE_MAX) const = 0;
  [[nodiscard]] virtual size_t resting(std::string_view pool) const = 0;
};

// What a backend is made from. The base outlives the backend; config, of which
// it reads its own options, need not.
struct BackendSetup {
  event_base* base;
  const Config& config;
  BackendSink sink;
  uint64_t wall_us;  // the wall clock at the start, in microseconds since 1970
};

}  // namespace distributex
