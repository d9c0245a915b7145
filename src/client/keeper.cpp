// SPDX-License-Identifier: MIT
//
// The keeper's loop. Each pass looks at the deadlines first: after a suspend of the machine the
// lease may be over, and then the keeper must not continue the command, pass signals to it or
// renew the lease.
#include "client/keeper.h"

#include <errno.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "client/environment.h"
#include "client/say.h"

namespace distributex::client {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Span grace_when_lost = seconds(1);      // another client may have the lock already
constexpr Span grace_without_front = seconds(5);  // no other client can have it yet
constexpr Span echo_within = milliseconds(500);
constexpr Span group_check_pause = milliseconds(500);
constexpr Span patience_for_release = seconds(5);

}  // namespace

Keeper::Keeper(const World& world, const Holding& holding)
    : world_(world),
      holding_(holding),
      command_(world.descriptors, world.signals, world.terminal) {}

int Keeper::run() {
  began_ = read_clock();
  if (start()) {
    loop();
  }
  world_.shared.guard = Shared::never;  // nothing runs any more: the front need not end anything
  world_.terminal.take_from(command_.group());
  release();
  world_.shared.is_over = true;
  return is_lost_ ? exit_lost : command_.code().value_or(exit_cannot_run);
}

bool Keeper::start() {
  export_lock(world_.options, world_.identity, holding_);
  publish_lease();
  const bool in_foreground = world_.terminal.is_for_command();
  world_.shared.has_terminal = in_foreground;
  if (!command_.start(world_.options.command, in_foreground)) {
    complain("cannot make a process for the command: %s", strerrordesc_np(errno));
    return false;
  }
  world_.shared.group = command_.group();
  return true;
}

void Keeper::loop() {
  while (stage_ != Stage::over) {
    alarm_.set(next_moment());
    const std::array fds{world_.signals.fd(), alarm_.fd(), world_.link.fd()};
    world_.api.wait(std::span(fds).first(world_.link.is_open() ? 3 : 2));
    check_deadlines(read_clock());
    take_signals();
    take_notes();
    take_answers();
    if (is_over()) {
      stage_ = Stage::over;
    }
  }
  world_.api.drop(renewal_);
  if (!command_.trouble().empty()) {
    complain("cannot run %s: %s", world_.options.command.front().c_str(),
             command_.trouble().c_str());
  }
}

std::optional<Moment> Keeper::next_moment() const {
  std::optional<Moment> at;
  const auto include = [&at](std::optional<Moment> other) {
    at = at && other ? std::min(*at, *other) : (at ? at : other);
  };
  if (holding_.lease && !is_lost_) {
    include(renewal_ == 0 ? std::optional(holding_.lease->renew_at()) : std::nullopt);
    include(holding_.lease->term_at());
  }
  switch (stage_) {
    case Stage::running:
      // SIGCHLD tells when the command ends, but for other members of its group only if the keeper
      // has adopted them.
      include(command_.code() ? std::optional(read_clock() + group_check_pause) : std::nullopt);
      break;
    case Stage::ending:
      include(kill_at_);
      break;
    case Stage::killing:
      include(next_kill_);
      break;
    case Stage::over:
      break;
  }
  return at;
}

void Keeper::check_deadlines(Moment now) {
  if (holding_.lease && !is_lost_) {
    const Lease& lease = *holding_.lease;
    if (lease.term_at() && now >= *lease.term_at()) {
      lose(now, *lease.kill_at(),
           "not renewed for " + seconds_text(now - lease.since()) +
               (last_trouble_.empty() ? std::string() : " (" + last_trouble_ + ")"));
    } else if (renewal_ == 0 && now >= lease.renew_at()) {
      renew(now);
    }
  }
  if (stage_ == Stage::ending && now >= kill_at_) {
    stage_ = Stage::killing;
    next_kill_ = now;
    kill_pause_ = milliseconds(10);
  }
  if (stage_ == Stage::killing && now >= next_kill_) {
    kill_all(now);
  }
}

void Keeper::take_signals() {
  while (const auto signal = world_.signals.next()) {
    if (is_for_command(*signal)) {
      pass_on(*signal, "keeper", read_clock());
    }
  }
  const int stopped_by = command_.reap();
  if (stopped_by != 0) {
    take_stop(stopped_by);
  }
  if (command_.code() && !has_told_of_rest_) {
    has_told_of_rest_ = true;
    take_end();
  }
}

void Keeper::take_end() {
  world_.shared.killed_by = command_.killed_by();
  if (stage_ == Stage::running && !command_.is_over()) {
    const std::string rest = describe_members(command_.group());
    tell(
        "the command has ended (%d); the lock on %s is held until the rest of its process group "
        "has ended%s%s",
        command_.code().value_or(0), world_.options.pool.c_str(), rest.empty() ? "" : ": ",
        rest.c_str());
  }
}

// A signal to all processes of a service reaches the keeper twice, directly and through the front;
// passes it to the command once.
void Keeper::pass_on(int signal, const char* source, Moment now) {
  Passed& last = passed_.at(static_cast<std::size_t>(signal));
  const bool is_echo =
      last.source != nullptr && last.source != source && now - last.at < echo_within;
  last = {is_echo ? nullptr : source, now};
  was_told_to_stop_ = was_told_to_stop_ || (signal != SIGUSR1 && signal != SIGUSR2);
  if (!is_echo) {
    send(signal);
  }
}

void Keeper::send(int signal) {
  const int refusal = command_.send(signal);
  if ((refusal == EPERM || refusal == EACCES) && !has_told_of_refusal_) {
    has_told_of_refusal_ = true;
    complain("cannot signal the command: %s", strerrordesc_np(refusal));
  }
}

void Keeper::take_notes() {
  while (const auto note = world_.link.receive()) {
    if (note->kind == Note::Kind::resume) {
      resume();
    } else if (note->kind == Note::Kind::signal) {
      const Moment now = read_clock();
      (void)patience_.is_over_with(note->signal, now);  // only counts it; release() looks later
      pass_on(note->signal, "front", now);
    }
  }
  if (!world_.link.is_open() && stage_ == Stage::running) {
    complain("the process in front was killed: ending the command under the lock on %s",
             world_.options.pool.c_str());
    const Moment now = read_clock();
    const Moment soon = now + std::min<Span>(grace_without_front, world_.options.lease / 3);
    const auto deadline = holding_.lease ? holding_.lease->kill_at() : std::nullopt;
    end_all(deadline ? std::min(*deadline, soon) : soon);
  }
}

void Keeper::take_answers() {
  while (const auto answer = world_.api.next()) {
    if (answer->ticket == renewal_) {
      renewal_ = 0;
      take_renewal(read_clock(), interpret(answer->raw));
    }
  }
}

void Keeper::renew(Moment now) {
  renewal_sent_ = now;
  renewal_ = world_.api.begin(world_.requests.renew(holding_, holding_.lease->patience()));
}

void Keeper::take_renewal(Moment now, const Reply& reply) {
  const std::string& server = world_.options.servers[holding_.server].name();
  if (is_lost_) {
    return;
  }
  if (reply.result == Result::renewed) {
    holding_.lease->renewed(renewal_sent_, reply.expires);
    last_trouble_.clear();
    publish_lease();
  } else if (reply.result == Result::lost) {
    is_ours_still_ = false;
    const auto deadline = holding_.lease->kill_at();
    lose(now, deadline ? std::min(*deadline, now + grace_when_lost) : now + grace_when_lost,
         server + " says that this run no longer has the lock");
  } else {
    last_trouble_ = server + ": " + reply.error;
    tell("renewal failed: %s", last_trouble_.c_str());
    holding_.server = (holding_.server + 1) % world_.options.servers.size();
    holding_.lease->renewal_failed(now, random_fraction());
  }
}

void Keeper::take_stop(int signal) {
  const bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
  if (wants_terminal && world_.terminal.is_ours()) {
    world_.terminal.give_to(command_.group());
    world_.shared.has_terminal = true;
    send(SIGCONT);
  } else if (wants_terminal || signal == SIGTSTP) {
    world_.link.send({Note::Kind::stopped, signal});
  }
}

void Keeper::resume() {
  if (world_.shared.has_terminal && world_.terminal.is_ours()) {
    world_.terminal.give_to(command_.group());
  }
  send(SIGCONT);
}

void Keeper::publish_lease() {
  const auto guard = holding_.lease ? holding_.lease->guard_at() : std::nullopt;
  world_.shared.guard = guard ? guard->time_since_epoch().count() : Shared::never;
}

void Keeper::lose(Moment now, Moment kill_at, const std::string& why) {
  is_lost_ = true;
  complain("lost the lock on %s at %s, %s into the run: %s; ending the command",
           world_.options.pool.c_str(), time_of_day().c_str(), seconds_text(now - began_).c_str(),
           why.c_str());
  end_all(stage_ == Stage::ending ? std::min(kill_at, kill_at_) : kill_at);
}

void Keeper::end_all(Moment kill_at) {
  kill_at_ = kill_at;
  if (stage_ == Stage::running) {
    stage_ = Stage::ending;
    send(SIGTERM);
    descendants_.send(SIGTERM, command_.group());
    send(SIGCONT);  // a stopped process cannot act on TERM
  }
}

void Keeper::kill_all(Moment now) {
  send(SIGKILL);
  descendants_.send(SIGKILL, 0);
  next_kill_ = now + kill_pause_;
  kill_pause_ = std::min<Span>(kill_pause_ * 2, milliseconds(500));
}

bool Keeper::is_over() { return stage_ == Stage::running ? command_.is_over() : !has_children(); }

// Returns nullopt if somebody ended the run: that is neither success nor failure.
std::optional<RunEnd> Keeper::run_end() const {
  const int signal = command_.killed_by();
  const bool is_ended =
      signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGHUP;
  if (was_told_to_stop_ || is_ended || is_lost_) {
    return std::nullopt;
  }
  if (!command_.code() || !command_.trouble().empty()) {
    return cannot_run(command_.code().value_or(exit_cannot_run));
  }
  const auto& success = world_.options.success;
  const bool is_success =
      std::find(success.begin(), success.end(), *command_.code()) != success.end();
  return RunEnd{is_success, *command_.code() & 0xff};
}

void Keeper::release() {
  if (!is_ours_still_) {
    return;
  }
  holding_.run = run_end();
  const Moment now = read_clock();
  const auto end = holding_.lease ? holding_.lease->ends_at() : std::nullopt;
  const Moment until = now + patience_for_release;
  const GivenBack given =
      give_back(world_.api, world_.requests, {world_.signals, alarm_, &world_.link, patience_},
                world_.options, holding_, end ? std::min(*end, until) : until);
  if (!given.delivered) {
    complain("could not give back the lock on %s: %s%s", world_.options.pool.c_str(),
             given.trouble.c_str(), end ? "; it ends by itself" : "");
  } else if (given.was_lost && !is_lost_) {
    complain("the lock on %s had been lost before the command ended", world_.options.pool.c_str());
    is_lost_ = true;
  }
}

}  // namespace distributex::client
