// SPDX-License-Identifier: MIT
//
// The loop of waiting. A lease counts from before its request was sent, so a lease that was granted
// after a long wait is renewed before it is used. If an answer was lost, the request is repeated
// with the same id, and the server tells of a grant that it made. A client that gives up tells the
// server, because a grant may be under way. Only if a server says NO do others have the lock;
// silence is an outage.
#include "client/acquire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/environment.h"
#include "client/say.h"
#include "client/status.h"

namespace distributex::client {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Span grace_for_answer = milliseconds(300);  // for the server's own NO at the end of -w
constexpr Span grace_for_last = seconds(2);           // for the answer to the last get
constexpr Span patience_for_leaving = seconds(1);
constexpr Span longest_retry_after = seconds(60);
constexpr Span first_status_after = milliseconds(500);
constexpr Span status_pause = seconds(30);
constexpr Span longest_connect = seconds(5);
constexpr Span shortest_share = milliseconds(100);
constexpr Span longest_get = seconds(10);
constexpr Span first_life_after = milliseconds(500);
constexpr Span longest_silence = seconds(10);  // of a server, without -w

}  // namespace

Acquire::Acquire(const Options& options, const Requests& requests, Api& api, Signals& signals,
                 Moment begun)
    : options_(options),
      requests_(requests),
      api_(api),
      signals_(signals),
      begun_(begun),
      troubles_(options.servers.size()) {
  if (options_.wait && !options_.impatient()) {
    give_up_at_ = begun + *options_.wait;
  }
}

std::variant<Holding, Ending> Acquire::run() {
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
    *at += grace_for_answer + (is_asking_last_ ? grace_for_last : Span::zero());
  }
  const auto include = [&at](std::optional<Moment> other) {
    at = at && other ? std::min(*at, *other) : (at ? at : other);
  };
  if (stage_ == Stage::pausing) {
    include(retry_at_);
  } else if (stage_ == Stage::asking) {
    include(status_at_);
    include(life_at_);
  }
  return at;
}

// How much of -w one server may take to be reached and to show that it lives, so that time is left
// for the next ones.
Span Acquire::share(Moment now) const {
  if (!give_up_at_) {
    return longest_connect;
  }
  const auto turns = static_cast<Span::rep>(options_.servers.size() - failures_);
  return std::clamp((*give_up_at_ - now) / turns, shortest_share, longest_connect);
}

void Acquire::ask(Moment now) {
  stage_ = Stage::asking;
  may_be_known_ = true;
  sent_ = now;
  is_silent_ = false;
  life_at_.reset();
  is_probing_own_ = !options_.impatient() && !has_probed_own_ && is_inside_run(options_);
  if (options_.impatient() || is_probing_own_) {
    ticket_ = api_.begin(requests_.get(server_, share(now), longest_get));
    return;
  }
  const auto patience =
      give_up_at_ ? std::optional(std::max<Span>(*give_up_at_ - now, Span::zero())) : std::nullopt;
  ticket_ = api_.begin(requests_.wait(server_, share(now), patience));
  life_at_ = now + std::min<Span>(first_life_after, share(now) / 4);
}

// Asks for the lock once more, by a get, at the end of -w: the server shows signs of life but has
// not answered the wait. Either it is the original server, which does not know how long a wait may
// last, or it is late. It answers a get at once.
void Acquire::ask_last(Moment now) {
  is_asking_last_ = true;
  api_.drop(ticket_);
  sent_ = now;
  ticket_ = api_.begin(requests_.get(server_, grace_for_last, grace_for_last));
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
    } else if (answer->ticket == life_ticket_) {
      life_ticket_ = 0;
      take_sign_of_life(now, answer->raw);
    } else if (answer->ticket == ticket_ && stage_ != Stage::over) {
      ticket_ = 0;
      const Reply reply = interpret(answer->raw);
      was_reached_ = was_reached_ || (answer->raw.connected && !reply.lasting);
      if (stage_ == Stage::asking) {
        take_asked(now, reply);
      } else {
        take_confirmed(now, reply);
      }
    }
  }
}

void Acquire::take_asked(Moment now, const Reply& reply) {
  frozen_ = reply.frozen;
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
  } else if (is_probing_own_ && reply.result == Result::busy) {
    has_probed_own_ = true;
    warn_of_own_lock(options_);
    ask(now);
  } else {
    take_failure(now, reply);
  }
}

bool Acquire::is_final_no(Moment now, const Reply& reply) const {
  if (reply.result == Result::busy) {
    return options_.impatient() || is_asking_last_;
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
    // The next server, asked with the same id, tells of the lock that this run has.
    take_failure(now, reply);
  }
}

void Acquire::take_failure(Moment now, const Reply& reply) {
  troubles_[server_] = server_name() + ": " + reply.error;
  lasting_ += reply.lasting ? 1 : 0;
  tell("%s", troubles_[server_].c_str());
  api_.drop(life_ticket_);
  life_ticket_ = ticket_ = 0;
  server_ = (server_ + 1) % options_.servers.size();
  if (++failures_ < options_.servers.size()) {
    ask(now);
    return;
  }
  failures_ = 0;
  const bool is_hopeless = std::exchange(lasting_, 0) == options_.servers.size();
  if (is_hopeless || options_.impatient() || (!give_up_at_ && !was_reached_)) {
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
  retry_at_ = now + pause;
}

void Acquire::look_for_life(Moment now) {
  life_at_.reset();
  const Span limit =
      give_up_at_ ? std::max<Span>(sent_ + share(sent_) - now, shortest_share) : longest_silence;
  life_ticket_ = api_.begin(requests_.sign_of_life(server_, limit));
}

// A server that gives no sign of life may only refuse more connections, and still have this run in
// its queue. So if there is no other server, the wait goes on.
void Acquire::take_sign_of_life(Moment now, const RawAnswer& raw) {
  if (stage_ != Stage::asking) {
    return;
  }
  if (raw.status != 0) {
    was_reached_ = true;
    troubles_[server_].clear();
    return;
  }
  is_silent_ = true;
  if (options_.servers.size() > 1) {
    api_.drop(ticket_);
    Reply silence;
    silence.error = "no answer within " + seconds_text(now - sent_);
    take_failure(now, silence);
  } else if (!give_up_at_) {
    complain("no sign of life from %s for %s; waiting on", server_name().c_str(),
             seconds_text(now - sent_).c_str());
  }
}

// Leaves a signal that comes after the grant to the keeper, which passes it to the command.
void Acquire::take_signals() {
  while (stage_ != Stage::over) {
    const auto signal = signals_.next();
    if (!signal) {
      return;
    }
    if (is_for_command(*signal)) {
      tell("%s while waiting for a lock on %s", signal_name(*signal).c_str(),
           options_.pool.c_str());
      end(ended_by(*signal));
    }
  }
}

void Acquire::tick(Moment now) {
  if (stage_ == Stage::over) {
    return;
  }
  const Span grace = grace_for_answer + (is_asking_last_ ? grace_for_last : Span::zero());
  if (give_up_at_ && now >= *give_up_at_ && stage_ == Stage::pausing) {
    end_unreachable();
  } else if (give_up_at_ && now >= *give_up_at_ + grace && stage_ == Stage::asking && !is_silent_ &&
             !is_asking_last_) {
    ask_last(now);
  } else if (give_up_at_ && now >= *give_up_at_ + grace) {
    troubles_[server_] = server_name() + ": no answer within " + seconds_text(now - sent_);
    end_unreachable();
  } else if (stage_ == Stage::pausing && now >= retry_at_) {
    ask(now);
  } else if (stage_ == Stage::asking && life_at_ && now >= *life_at_) {
    look_for_life(now);
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
  api_.drop(life_ticket_);
  outcome_ = holding;
  stage_ = Stage::over;
}

void Acquire::end(Ending ending) {
  api_.drop(status_ticket_);
  api_.drop(life_ticket_);
  api_.drop(ticket_);
  outcome_ = ending;
  stage_ = Stage::over;
  if (may_be_known_) {
    Patience patience;
    (void)patience.is_over_with(ending.signal, read_clock());
    const GivenBack given =
        give_back(api_, requests_, {signals_, alarm_, nullptr, patience}, options_,
                  {server_, std::nullopt, std::nullopt}, read_clock() + patience_for_leaving);
    if (!given.delivered) {
      tell("the server did not confirm that the wait has ended: %s", given.trouble.c_str());
    }
  }
}

void Acquire::end_refused(const Reply& reply) {
  complain("no lock on %s: %s: %s", options_.pool.c_str(), server_name().c_str(),
           reply.error.c_str());
  may_be_known_ = false;
  end({exit_unreachable});
}

void Acquire::end_unreachable() {
  std::string all;
  for (const std::string& trouble : troubles_) {
    all += (all.empty() || trouble.empty() ? "" : "; ") + trouble;
  }
  complain("no lock on %s: %s", options_.pool.c_str(), all.c_str());
  may_be_known_ = was_reached_ || ticket_ != 0;
  end({exit_unreachable});
}

void Acquire::end_not_obtained() {
  if (not_obtained_code() != 0) {
    const std::string how_long =
        options_.impatient() ? "now" : "within " + seconds_text(*options_.wait);
    const std::string why =
        frozen_.empty() ? server_name() + " has none free" : "it is frozen: " + frozen_;
    complain("no lock on %s %s: %s", options_.pool.c_str(), how_long.c_str(), why.c_str());
  }
  end({not_obtained_code()});
}

}  // namespace distributex::client
