// SPDX-License-Identifier: MIT
//
// The release and its retries: each server in turn, then a pause, until a server has answered or
// the time is up.
#include "client/giveback.h"

#include <algorithm>
#include <array>

namespace distributex::client {

namespace {

using std::chrono::seconds;

constexpr Span longest_attempt = seconds(3);

class GiveBack {
 public:
  GiveBack(Api& api, const Requests& requests, const Options& options, const Holding& holding,
           Moment until)
      : api_(api),
        requests_(requests),
        options_(options),
        holding_(holding),
        until_(until),
        server_(holding.server) {}

  GivenBack run(const Hurry& hurry) {
    Link* const link = hurry.link;
    attempt(read_clock());
    while (!is_over_) {
      hurry.alarm.set(std::min(until_, ticket_ == 0 ? next_attempt_ : until_));
      std::array<int, 3> fds{hurry.signals.fd(), hurry.alarm.fd(),
                             link != nullptr && link->is_open() ? link->fd() : -1};
      api_.wait(std::span(fds).first(fds[2] == -1 ? 2 : 3));
      take_answers();
      if (is_interrupted(hurry)) {
        end_undelivered("interrupted");
      }
      step(read_clock());
    }
    api_.drop(ticket_);
    return outcome_;
  }

 private:
  void attempt(Moment now) {
    ++attempts_;
    const Span limit =
        std::min<Span>(longest_attempt, std::max<Span>(until_ - now, std::chrono::milliseconds(1)));
    ticket_ = api_.begin(requests_.release(server_, holding_, limit));
  }

  void step(Moment now) {
    if (is_over_) {
      return;
    }
    if (now >= until_) {
      end_undelivered(last_trouble_.empty() ? "no answer from " + options_.servers[server_].name()
                                            : last_trouble_);
    } else if (ticket_ == 0 && now >= next_attempt_) {
      attempt(now);
    }
  }

  void take_answers() {
    while (const auto answer = api_.next()) {
      if (answer->ticket == ticket_) {
        ticket_ = 0;
        take(interpret(answer->raw));
      }
    }
  }

  void take(const Reply& reply) {
    if (reply.result == Result::released || reply.result == Result::not_held) {
      is_over_ = true;
      // Not lost if there was an earlier attempt: it may have given the lock back unanswered.
      outcome_ = {true, reply.result == Result::not_held && attempts_ == 1, {}};
      return;
    }
    last_trouble_ = options_.servers[server_].name() + ": " + reply.error;
    server_ = (server_ + 1) % options_.servers.size();
    const bool is_round_over = attempts_ % static_cast<int>(options_.servers.size()) == 0;
    next_attempt_ =
        read_clock() + (is_round_over ? backoff_.next(random_fraction()) : Span::zero());
    if (reply.result == Result::invalid && is_round_over) {
      end_undelivered(last_trouble_);
    }
  }

  void end_undelivered(const std::string& trouble) {
    if (!is_over_) {
      is_over_ = true;
      outcome_ = {false, false, trouble};
    }
  }

  static bool is_interrupted(const Hurry& hurry) {
    bool interrupted = false;
    while (const auto signal = hurry.signals.next()) {
      interrupted |= hurry.link == nullptr && hurry.patience.is_over_with(*signal, read_clock());
    }
    while (const auto note = hurry.link == nullptr ? std::nullopt : hurry.link->receive()) {
      interrupted |= note->kind == Note::Kind::signal &&
                     hurry.patience.is_over_with(note->signal, read_clock());
    }
    return interrupted;
  }

  Api& api_;
  const Requests& requests_;
  const Options& options_;
  const Holding& holding_;
  Moment until_;
  std::size_t server_;
  Api::Ticket ticket_ = 0;
  int attempts_ = 0;
  Moment next_attempt_;
  Backoff backoff_;
  bool is_over_ = false;
  std::string last_trouble_;
  GivenBack outcome_;
};

}  // namespace

GivenBack give_back(Api& api, const Requests& requests, const Hurry& hurry, const Options& options,
                    const Holding& holding, Moment until) {
  return GiveBack(api, requests, options, holding, until).run(hurry);
}

}  // namespace distributex::client
