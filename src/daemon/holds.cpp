// SPDX-License-Identifier: MIT
// A lease is renewed after a third of its length. If no renewal is answered in time, Holds
// sends LOST to the lease's connections at its end. That end counts from before the last
// renewal was asked, so LOST comes before the backend may grant the slot to others.
#include "daemon/holds.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "doors/hold/words.h"

namespace distributex {

namespace {

constexpr timeval tick_length{.tv_sec = 0, .tv_usec = 250'000};
constexpr auto try_again = std::chrono::seconds{1};

Command command_for(Verb verb, const std::string& pool, const Owner& owner, Token token) {
  Command command;
  command.verb = verb;
  command.pool = pool;
  command.owner = owner;
  command.token = token;
  command.door = "hold";
  return command;
}

}  // namespace

Holds::Holds(event_base* base, HoldSink sink, Duration beat)
    : sink_(std::move(sink)), beat_(beat), tick_(evtimer_new(base, on_tick, this)) {}

void Holds::begin(Ticket ticket, const Answer& answer, Form form, Time now) {
  const auto [it, is_new] = locks_.try_emplace(Key{answer.pool, answer.owner});
  Lock& lock = it->second;
  lock.key = &it->first;
  if (is_new || lock.token != answer.token) {
    lock.token = answer.token;
    lock.ends = answer.expires_in ? std::optional{now + *answer.expires_in} : std::nullopt;
    // If the owner had the lease before, only the time left is known, not the length.
    const bool is_whole = answer.result == Result::granted;
    lock.length = is_whole ? answer.expires_in : std::nullopt;
    schedule(lock,
             !lock.ends ? std::nullopt : std::optional{is_whole ? now + *lock.length / 3 : now});
  }
  lock.streams.insert(ticket);
  beats_.emplace_back(now + beat_, ticket);
  streams_[ticket] = {.lock = &lock, .form = form, .beat = std::prev(beats_.end())};
  arm();
}

void Holds::schedule(Lock& lock, std::optional<Time> at) {
  if (lock.renew_at) {
    renewals_.erase({*lock.renew_at, &lock});
  }
  lock.renew_at = at;
  if (at) {
    renewals_.emplace(*at, &lock);
  }
}

void Holds::arm() {
  if (!ticks_ && !streams_.empty()) {
    ticks_ = true;
    evtimer_add(tick_.get(), &tick_length);
  }
}

void Holds::on_tick(int, short, void* self) noexcept {
  Holds& holds = *static_cast<Holds*>(self);
  holds.ticks_ = false;
  holds.tick(steady_now());
  holds.arm();
}

void Holds::tick(Time now) {
  beat_due(now);
  while (!renewals_.empty() && renewals_.begin()->first <= now) {
    renew(*renewals_.begin()->second, now);
  }
}

// send() may find the stream cut off and call gone(), so nothing of the stream is touched
// after it.
void Holds::beat_due(Time now) {
  while (!beats_.empty() && beats_.front().first <= now) {
    const Ticket ticket = beats_.front().second;
    Stream& stream = streams_.at(ticket);
    beats_.splice(beats_.end(), beats_, beats_.begin());
    beats_.back().first = now + beat_;
    (void)sink_.send(ticket, sign_of_life(stream.form));
  }
}

void Holds::renew(Lock& lock, Time now) {
  if (lock.ends && *lock.ends <= now) {
    return lose(lock, "the lease could not be renewed in time");
  }
  schedule(lock, lock.ends);  // if no answer comes, lose the lock at its end
  if (lock.asked == 0) {
    lock.asked = own_ticket(++last_ticket_);
    lock.asked_at = now;
    asked_.emplace(lock.asked, &lock);
    sink_.submit(lock.asked,
                 command_for(Verb::renew, lock.key->first, lock.key->second, lock.token));
  }
}

void Holds::answered(Ticket ticket, const Answer& answer, Time now) {
  const auto asked = asked_.find(ticket);
  if (asked == asked_.end()) {
    return;  // a release, or a renewal whose lock has ended meanwhile
  }
  Lock& lock = *asked->second;
  asked_.erase(asked);
  lock.asked = 0;
  switch (answer.result) {
    case Result::renewed:
      return renewed(lock, answer);
    case Result::unavailable:
      return schedule(lock, std::min(lock.ends.value_or(Time::max()), now + try_again));
    case Result::lost:
    case Result::frozen:  // this one and the next four answer orders, which a hold never gives
    case Result::thawed:
    case Result::not_frozen:
    case Result::evicted:
    case Result::no_lease:
    case Result::invalid:
    case Result::granted:
    case Result::held:
    case Result::busy:
    case Result::timeout:
    case Result::released:
    case Result::not_held:
      return lose(lock, answer.error.empty() ? "the lock has ended" : answer.error);
  }
}

void Holds::renewed(Lock& lock, const Answer& answer) {
  lock.length = answer.expires_in;
  if (!lock.length) {
    lock.ends.reset();
    return schedule(lock, std::nullopt);
  }
  lock.ends = lock.asked_at + *lock.length;
  schedule(lock, lock.asked_at + *lock.length / 3);
}

void Holds::end_stream(Ticket ticket, std::string_view why) {
  const auto node = streams_.extract(ticket);
  if (node.empty()) {
    return;
  }
  beats_.erase(node.mapped().beat);
  if (why.empty() || sink_.send(ticket, lost_line(node.mapped().form, why))) {
    sink_.close(ticket);
  }
}

void Holds::forget(Lock& lock) {
  schedule(lock, std::nullopt);
  asked_.erase(lock.asked);
  locks_.erase(Key{*lock.key});
}

void Holds::lose(Lock& lock, std::string_view why) {
  const std::set<Ticket> streams = std::exchange(lock.streams, {});
  forget(lock);
  for (const Ticket ticket : streams) {
    end_stream(ticket, why);
  }
}

void Holds::end_refused(const std::function<std::optional<std::string>(
                            Ticket, const std::string& pool, const Owner& owner)>& why_not) {
  std::vector<std::pair<Lock*, std::string>> refused;
  for (auto& [key, lock] : locks_) {
    for (const Ticket ticket : lock.streams) {
      if (auto why = why_not(ticket, key.first, key.second)) {
        refused.emplace_back(&lock, std::move(*why));
        break;
      }
    }
  }
  for (const auto& [lock, why] : refused) {
    lose(*lock, why);
  }
}

void Holds::gone(Ticket ticket) {
  const auto node = streams_.extract(ticket);
  if (node.empty()) {
    return;
  }
  beats_.erase(node.mapped().beat);
  Lock& lock = *node.mapped().lock;
  lock.streams.erase(ticket);
  if (!lock.streams.empty()) {
    return;
  }
  Command release = command_for(Verb::release, lock.key->first, lock.key->second, lock.token);
  forget(lock);
  sink_.submit(own_ticket(++last_ticket_), std::move(release));
}

void Holds::ended(std::string_view pool, const Owner& owner, Token token, std::string_view why) {
  if (locks_.empty()) {
    return;
  }
  const auto lock = locks_.find(Key{pool, owner});
  if (lock != locks_.end() && lock->second.token == token) {
    lose(lock->second, why);
  }
}

void Holds::keep_only(const std::function<bool(std::string_view pool)>& exists) {
  std::vector<Lock*> over;
  for (auto& [key, lock] : locks_) {
    if (!exists(key.first)) {
      over.push_back(&lock);
    }
  }
  for (Lock* lock : over) {
    lose(*lock, "the pool was removed from this server");
  }
}

void Holds::stop() {
  std::vector<Ticket> streams;
  for (const auto& [ticket, stream] : streams_) {
    streams.push_back(ticket);
  }
  for (const Ticket ticket : streams) {
    end_stream(ticket, {});
  }
  renewals_.clear();
  asked_.clear();
  locks_.clear();
}

}  // namespace distributex
