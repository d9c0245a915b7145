// SPDX-License-Identifier: MIT
// Every event of the loop ends in pump(), which carries out the engine's effects and arms
// one timer for the next deadline of engine and backend. The timer may fire early, for the
// loop counts from the start of its pass: engine and backend ask the clock what is due,
// and the timer is armed again.
#include "daemon/server.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <variant>

#include "backends/table.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "daemon/process.h"
#include "daemon/sight.h"
#include "doors/table.h"

namespace distributex {

namespace {

constexpr timeval flush_delay{.tv_sec = 0, .tv_usec = 20'000};

// Limits the connections to the descriptors that this process may have.
HttpLimits fitted(HttpLimits limits) {
  limits.max_connections = room_for_connections(limits.max_connections);
  limits.largest_body = largest_body(all_doors());
  return limits;
}

}  // namespace

Server::Server(ServerSetup setup)
    : setup_(std::move(setup)),
      started_(steady_now()),
      base_(event_base_new()),
      record_(setup_.settings.record, wall_us()),
      telling_(engine_, record_,
               {.answer = [this](Ticket ticket, const Answer& answer) { tell(ticket, answer); },
                .origin = [this](Ticket ticket) { return origin(ticket); }}),
      backend_(find_backend(setup_.settings.service.backend)
                   ->make({.base = base_.get(),
                           .config = setup_.settings.config,
                           .sink = make_sink(),
                           .wall_us = wall_us()})),
      sight_(make_sight(engine_, *backend_, groups_)),
      timer_(evtimer_new(base_.get(), on_timer, this)),
      flush_(evtimer_new(base_.get(), on_flush, this)),
      daily_(evtimer_new(base_.get(), on_daily, this)),
      tls_(base_.get()),
      http_(base_.get(), fitted(setup_.settings.http), make_events()),
      tls_transport_(http_.add_transport(tls_.maker())),
      feed_(base_.get(), record_.events(),
            {.send = [this](Ticket ticket,
                            std::string_view bytes) { return http_.stream(ticket, bytes); },
             .close = [this](Ticket ticket) { http_.close_stream(ticket); }}),
      holds_(base_.get(), make_hold_sink()),
      supervision_(base_.get(), [this] { return summary(); }),
      shutdown_(base_.get(), {.stop_listening = [this] { http_.stop_listening(); },
                              .drain = [this] { drain(); },
                              .is_done = [this] { return is_quiet(); }}) {
  sight_.was_released = [this](std::string_view pool, std::string_view id) {
    return was_released(record_.events(), pool, id);
  };
  count_doors();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    signals_.emplace_back(evsignal_new(base_.get(), signal, on_signal, this));
    must_add(signals_.back().get());
  }
  configure(started_);
}

Server::~Server() = default;

BackendSink Server::make_sink() {
  return {.decided =
              [this](OpId op, const Verdict& verdict) {
                const Time now = steady_now();
                record_.decided(op, verdict, now);
                telling_.decided(op, verdict, now);
                engine_.decided(op, verdict, now);
                pump();
              },
          .changed =
              [this](const std::string& pool) {
                engine_.changed(pool, steady_now());
                pump();
              },
          .expired =
              [this](const std::string& pool, const Lease& lease, uint64_t stored) {
                telling_.expired(pool, lease, stored, steady_now());
                holds_.ended(pool, lease.owner, lease.token, "the lease has ended");
              },
          .happened =
              [this](const Happening& happening, uint64_t stored) {
                telling_.happened(happening, stored, steady_now());
                if (happening.kind == Happening::Kind::evicted) {
                  holds_.ended(happening.pool, happening.owner, happening.token,
                               "an operator ended it");
                }
              },
          .stored =
              [this](uint64_t stored) {
                telling_.stored(stored, steady_now());
                pump();
              },
          .unstored =
              [this](const std::string& why) {
                telling_.unstored(why, steady_now());
                pump();
              }};
}

HttpEvents Server::make_events() {
  return {
      .request = [this](Ticket ticket, const HttpRequest& request) { received(ticket, request); },
      .gone =
          [this](Ticket ticket) {
            const Time now = steady_now();
            feed_.gone(ticket);
            holds_.gone(ticket);
            if (const auto left = engine_.cancel(ticket, now)) {
              record_.left(*left, origin(ticket), now);
              note_line(left->pool, now);
            }
            telling_.gone(ticket);
            pump();
          },
      .delivered =
          [this](Ticket ticket) {
            engine_.delivered(ticket, steady_now());
            pump();
          },
      .is_brief = [](std::string_view path) { return is_brief(all_doors(), path); }};
}

void Server::configure(Time now) {
  const ServiceOptions& service = setup_.settings.service;
  record_.configure(setup_.settings.record, service.pools);
  groups_.configure(service.pools);
  if (find_backend(service.backend)->forgets) {
    groups_.warn(service.pools);
  }
  backend_->configure(service.pools);
  engine_.configure(service.pools, {service.max_waiting, service.max_pools}, now);
  adopt_pools();
  holds_.keep_only([this](std::string_view pool) { return engine_.find_pool(pool) != nullptr; });
}

// Pools of which an earlier process, or an earlier configuration, granted leases are shown,
// counted and served before anybody names them.
void Server::adopt_pools() {
  for (const std::string& name : backend_->used_pools()) {
    engine_.adopt(name);
  }
}

std::optional<BackendRefusal> Server::open_backend() {
  auto refusal = backend_->begin();
  if (!refusal) {
    adopt_pools();
  }
  return refusal;
}

// The status that the service manager shows: "3 pools, 12 locks held, 4 waiting".
std::string Server::summary() const {
  size_t pools = 0;
  size_t held = 0;
  size_t waiting = 0;
  engine_.each_pool([&](const PoolSpec& spec, size_t waiters) {
    ++pools;
    held += backend_->held(spec.name);
    waiting += waiters;
  });
  return std::to_string(pools) + (pools == 1 ? " pool, " : " pools, ") + std::to_string(held) +
         (held == 1 ? " lock held, " : " locks held, ") + std::to_string(waiting) + " waiting";
}

bool Server::run() {
  log_line(Level::info, "ready pools=%zu backend=%s", setup_.settings.service.pools.size(),
           setup_.settings.service.backend.c_str());
  log_flush();
  arm_timer();
  supervision_.ready();
  const bool is_in_order = event_base_dispatch(base_.get()) == 0;
  const int error = errno;
  http_.stop_listening();
  if (is_in_order) {
    log_line(Level::info, "stopped");
  } else {
    log_line(Level::error, "cannot wait for events any more: %s", std::strerror(error));
  }
  log_flush();
  return is_in_order;
}

// Forgets a pool that a pattern has made if it has no holder, no waiter and no rest.
void Server::forget_if_empty(const std::string& pool, Time now) {
  if (backend_->held(pool) != 0 || backend_->resting(pool) != 0 || !engine_.forget(pool, now)) {
    return;
  }
  backend_->forget(pool);
  record_.forget(pool);
}

// If a backend or a door answers at once, this is called again from inside perform(); the
// outer call then carries out the new effects.
void Server::pump() {
  if (std::exchange(pumping_, true)) {
    return;
  }
  do {
    while (Effect* effect = engine_.first()) {
      std::visit([this](auto& done) { perform(done, steady_now()); }, *effect);
      engine_.drop_first();
    }
    while (const auto idle = engine_.take_idle()) {
      forget_if_empty(*idle, steady_now());
    }
  } while (telling_.send_thanks());
  pumping_ = false;
  feed_.wake();
  arm_timer();
  if (log_pending() && !evtimer_pending(flush_.get(), nullptr)) {
    evtimer_add(flush_.get(), &flush_delay);
  }
}

void Server::perform(Answered& answered, Time now) {
  Answer& answer = answered.answer;
  if (answer.result == Result::busy || answer.result == Result::timeout) {
    answer.standing = standing_of(sight_, record_.holdings(), answer.pool, answer.owner, now);
    set_frozen(answer);
  } else if (answer.result == Result::not_frozen) {
    set_frozen(answer);  // a freeze of a pattern may still hold for the pool
  }
  if (answer.result == Result::released) {
    holds_.ended(answer.pool, answer.owner, answer.ended, "the lock was given back");
  }
  if (answered.verb == Verb::wait) {
    note_line(answer.pool, now);
  }
  telling_.answered(std::move(answered), now);
}

void Server::note_line(const std::string& pool, Time now) {
  if (engine_.waiting(pool) == 0) {
    backend_->idle(pool, now);
  }
}

// Adds to the answer the freeze that holds for its pool.
void Server::set_frozen(Answer& answer) {
  if (const Freeze* freeze = backend_->frozen(answer.pool)) {
    const auto wall = [now = steady_now(), wall = wall_us()](Time time) {
      const auto ago = std::chrono::duration_cast<std::chrono::microseconds>(now - time);
      return wall - static_cast<uint64_t>(ago.count());
    };
    answer.frozen = FrozenBy{.pool = freeze->pool,
                             .reason = freeze->reason,
                             .by = freeze->by,
                             .since_us = wall(freeze->since),
                             .until_us = {}};
    if (freeze->until) {
      answer.frozen->until_us = wall(*freeze->until);
    }
  }
}

void Server::perform(const Acquire& question, Time now) {
  record_.asked(question.op, now);
  backend_->acquire(question, now);
}

void Server::perform(const Release& question, Time now) {
  if (question.undelivered) {
    telling_.gives_back(question);
  }
  record_.asked(question.op, now);
  backend_->release(question, now);
}

void Server::perform(const Renew& question, Time now) {
  record_.asked(question.op, now);
  backend_->renew(question, now);
}

void Server::perform(const Order& order, Time now) {
  record_.asked(order.op, now);
  backend_->order(order, now);
}

// Arms the timer only for a deadline earlier than the armed one: a timer that fires too early
// does no harm.
void Server::arm_timer() {
  std::optional<Time> due = engine_.deadline();
  if (const auto other = backend_->deadline(); other && (!due || *other < *due)) {
    due = other;
  }
  if (!due || (armed_for_ && *armed_for_ <= *due)) {
    return;
  }
  armed_for_ = due;
  const timeval delay = to_timeval(*due - steady_now());
  evtimer_add(timer_.get(), &delay);
}

void Server::on_timer(int, short, void* self) noexcept {
  Server& server = *static_cast<Server*>(self);
  server.armed_for_.reset();
  const Time now = steady_now();
  server.backend_->tick(now);
  server.engine_.tick(now);
  server.pump();
}

void Server::on_flush(int, short, void*) noexcept { log_flush(); }

void Server::on_signal(int signal, short, void* self) noexcept {
  Server& server = *static_cast<Server*>(self);
  if (signal == SIGHUP) {
    server.reload();
  } else {
    server.stop();
  }
}

// Ignores SIGHUP during the shutdown, which the service manager was told of.
void Server::reload() {
  if (shutdown_.under_way()) {
    log_line(Level::info, "reload ignored: the server is shutting down");
    return;
  }
  supervision_.reloading();
  read_again();
  supervision_.reloaded();
}

void Server::read_again() {
  auto loaded = load_settings(setup_.config_file);
  if (const auto* error = std::get_if<std::string>(&loaded)) {
    log_line(Level::error, "reload refused: %s", error->c_str());
    return;
  }
  Settings& settings = std::get<Settings>(loaded);
  auto trust = make_trust(settings.trust, addresses(setup_.settings), settings.service.pools,
                          wall_seconds());
  if (const auto* error = std::get_if<std::string>(&trust)) {
    log_line(Level::error, "reload refused: %s", error->c_str());
    return;
  }
  const auto arguments = successor_listens_ ? std::nullopt : std::optional{setup_.listen};
  const std::string stays = needs_restart(setup_.settings, settings, arguments);
  if (!stays.empty()) {
    log_line(Level::warning, "%s", stays.c_str());
  }
  setup_.settings = reloaded(setup_.settings, std::move(settings));
  http_.set_limits(fitted(setup_.settings.http));
  configure(steady_now());
  take_trust(std::move(std::get<TrustSetup>(trust)));
  log_line(Level::info, "reloaded pools=%zu", setup_.settings.service.pools.size());
  pump();
  log_flush();
}

// At the first signal, answers all who wait and ends when that is done; at the second, ends
// at once.
void Server::stop() {
  if (shutdown_.under_way()) {
    return shutdown_.end_at_once();
  }
  log_line(Level::info, "stopping");
  supervision_.stopping();
  http_.close_after_replies();
  shutdown_.begin(successor_listens_);
}

void Server::drain() {
  engine_.drain(steady_now());
  pump();
  feed_.stop();
  holds_.stop();
}

// Whether nothing is in flight: no answer, no page, no question to the backend, and no
// answer that waits to be stored.
bool Server::is_quiet() const {
  return http_.unanswered() == 0 && engine_.idle() && telling_.is_idle();
}

}  // namespace distributex
