// SPDX-License-Identifier: MIT
//
// The loop of waiting. The rules that matter: a grant counts from before its request was sent, so
// one that came after a long wait is renewed before it is believed; a request whose answer was lost
// is repeated with the same id, so a grant that got lost is found again; whoever leaves tells the
// server, for a grant may be on its way.
#include "client/acquire.h"

#include "client/say.h"
#include "client/status.h"

#include <algorithm>
#include <array>

namespace distributex::client {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Span grace_for_answer =
    milliseconds(300);  // the server's own NO at the end of -w comes within
constexpr Span patience_for_leaving = seconds(1);
constexpr Span longest_retry_after = seconds(60);
constexpr Span first_status_after = milliseconds(500);
constexpr Span status_pause = seconds(30);

}  // namespace

Acquire::Acquire(const Options& options, const Requests& requests, Api& api, Signals& signals,
                 Moment begun)
    : options_(options), requests_(requests), api_(api), signals_(signals), begun_(begun) {
  if (options_.wait && !options_.impatient()) {
    give_up_at_ = begun + *options_.wait;
  }
}

std::variant<Holding, int> Acquire::run() {
  if (options_.verbose) {
    status_at_ = read_clock() + first_status_after;
  }
  ask(read_clock());
  while (stage_ != Stage::over) {
    alarm_.set(next_moment());
    const std::array fds{signals_.fd(), alarm_.fd()};
    api_.wait(fds);
    take_signals();
    take_answers();
    tick(read_clock());
  }
  return outcome_;
}

std::optional<Moment> Acquire::next_moment() const {
  std::optional<Moment> at = give_up_at_;
  if (at && stage_ != Stage::pausing) {
    *at += grace_for_answer;
  }
  if (stage_ == Stage::pausing) {
    at = at ? std::min(*at, retry_at_) : retry_at_;
  }
  if (status_at_ && stage_ == Stage::asking) {
    at = at ? std::min(*at, *status_at_) : *status_at_;
  }
  return at;
}

void Acquire::ask(Moment now) {
  stage_ = Stage::asking;
  may_be_known_ = true;
  sent_ = now;
  Query query = requests_.get(server_);
  if (!options_.impatient()) {
    query = requests_.wait(
        server_, give_up_at_ ? std::optional(std::max<Span>(*give_up_at_ - now, Span::zero()))
                             : std::nullopt);
  }
  ticket_ = api_.begin(query);
}

void Acquire::confirm(Moment now, const Reply& granted) {
  stage_ = Stage::confirming;
  sent_ = now;
  unconfirmed_ = {server_, granted.token, std::nullopt};
  ticket_ = api_.begin(requests_.renew(unconfirmed_, seconds(5)));
}

void Acquire::take_answers() {
  while (const auto answer = api_.next()) {
    const Moment now = read_clock();
    if (answer->ticket == status_ticket_) {
      tell_holders(answer->raw);
    } else if (answer->ticket == ticket_ && stage_ != Stage::over) {
      const Reply reply = interpret(answer->raw);
      was_reached_ = was_reached_ || answer->raw.connected;
      if (stage_ == Stage::asking) {
        take_asked(now, reply);
      } else {
        take_confirmed(now, reply);
      }
    }
  }
}

void Acquire::take_asked(Moment now, const Reply& reply) {
  const bool is_lock = reply.result == Result::granted || reply.result == Result::held;
  if (is_lock && reply.original) {
    obtained({server_, std::nullopt, std::nullopt});
  } else if (is_lock && reply.result == Result::granted && is_fresh(now - sent_, reply.expires)) {
    obtained({server_, reply.token, Lease(sent_, reply.expires, options_.lease)});
  } else if (is_lock) {
    confirm(now, reply);
  } else if (reply.result == Result::invalid) {
    end_refused(reply);
  } else if (is_final_no(now, reply)) {
    may_be_known_ = false;
    end_not_obtained();
  } else {
    take_failure(now, reply);
  }
}

bool Acquire::is_final_no(Moment now, const Reply& reply) const {
  if (reply.result == Result::busy) {
    return options_.impatient();
  }
  return reply.result == Result::timeout && give_up_at_ && now >= *give_up_at_ - grace_for_answer;
}

void Acquire::take_confirmed(Moment now, const Reply& reply) {
  if (reply.result == Result::renewed) {
    obtained({server_, unconfirmed_.token, Lease(sent_, reply.expires, options_.lease)});
  } else if (reply.result == Result::lost) {
    tell("the lock on %s ended before its grant was read; asking again", options_.pool.c_str());
    ask(now);
  } else {
    take_failure(now, reply);  // ask again, with the same id: what we have we shall be told
  }
}

void Acquire::take_failure(Moment now, const Reply& reply) {
  last_trouble_ = server_name() + ": " + reply.error;
  tell("%s", last_trouble_.c_str());
  server_ = (server_ + 1) % options_.servers.size();
  if (++failures_ < options_.servers.size()) {
    ask(now);
    return;
  }
  failures_ = 0;
  if (options_.impatient() || (!give_up_at_ && !was_reached_)) {
    end_unreachable();
    return;
  }
  Span pause = backoff_.next(random_fraction());
  if (reply.retry_after) {
    const Span wanted = std::min<Span>(*reply.retry_after, longest_retry_after);
    pause =
        std::max<Span>(pause, wanted + from_seconds(to_seconds(wanted) * random_fraction() / 2));
  }
  stage_ = Stage::pausing;
  ticket_ = 0;
  retry_at_ = now + pause;
}

// A signal that comes after the grant was taken stays where it is, for the command.
void Acquire::take_signals() {
  while (stage_ != Stage::over) {
    const auto signal = signals_.next();
    if (!signal) {
      return;
    }
    if (is_for_command(*signal)) {
      tell("%s while waiting for a lock on %s", signal_name(*signal).c_str(),
           options_.pool.c_str());
      end(exit_by_signal + *signal);
    }
  }
}

void Acquire::tick(Moment now) {
  if (stage_ == Stage::over) {
    return;
  }
  if (give_up_at_ && now >= *give_up_at_ && stage_ == Stage::pausing) {
    end_unreachable();
  } else if (give_up_at_ && now >= *give_up_at_ + grace_for_answer) {
    end_not_obtained();
  } else if (stage_ == Stage::pausing && now >= retry_at_) {
    ask(now);
  } else if (stage_ == Stage::asking && status_at_ && now >= *status_at_) {
    status_at_ = now + status_pause;
    api_.drop(status_ticket_);
    status_ticket_ = api_.begin(requests_.status(server_));
  }
}

void Acquire::tell_holders(const RawAnswer& raw) {
  const std::string line =
      raw.status == 200 ? describe_pool(raw.body, options_.pool, wall_seconds()) : std::string();
  if (!line.empty() && stage_ == Stage::asking) {
    tell("waiting for a lock on %s: %s", options_.pool.c_str(), line.c_str());
  }
}

void Acquire::obtained(const Holding& holding) {
  tell("obtained a lock on %s from %s after %s", options_.pool.c_str(), server_name().c_str(),
       seconds_text(read_clock() - begun_).c_str());
  api_.drop(status_ticket_);
  outcome_ = holding;
  stage_ = Stage::over;
}

void Acquire::end(int code) {
  api_.drop(status_ticket_);
  api_.drop(ticket_);
  outcome_ = code;
  stage_ = Stage::over;
  if (may_be_known_) {
    const GivenBack given =
        give_back(api_, requests_, signals_, nullptr, options_,
                  {server_, std::nullopt, std::nullopt}, read_clock() + patience_for_leaving);
    if (!given.delivered) {
      tell("leaving the line was not confirmed: %s", given.trouble.c_str());
    }
  }
}

void Acquire::end_refused(const Reply& reply) {
  complain("no lock on %s: %s: %s", options_.pool.c_str(), server_name().c_str(),
           reply.error.c_str());
  may_be_known_ = false;
  end(exit_unreachable);
}

void Acquire::end_unreachable() {
  complain("no lock on %s: %s", options_.pool.c_str(), last_trouble_.c_str());
  may_be_known_ = was_reached_;
  end(exit_unreachable);
}

void Acquire::end_not_obtained() {
  if (not_obtained_code() != 0) {
    const std::string how_long =
        options_.impatient() ? "now" : "within " + seconds_text(*options_.wait);
    complain("no lock on %s %s: %s has none free", options_.pool.c_str(), how_long.c_str(),
             server_name().c_str());
  }
  end(not_obtained_code());
}

}  // namespace distributex::client
