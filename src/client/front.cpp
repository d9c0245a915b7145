// SPDX-License-Identifier: MIT
//
// There are two processes because a stopped process cannot renew a lease, and a killed process
// cannot end its command. If the front is stopped (Ctrl-Z), the keeper goes on renewing. If one of
// the two is killed, the other one ends the command and gives the lock back.
#include "client/front.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "client/say.h"
#include "client/tree.h"

namespace distributex::client {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Front {
 public:
  Front(pid_t keeper, Signals& signals, Equipment& equipment)
      : keeper_(keeper),
        terminal_(equipment.terminal),
        signals_(signals),
        link_(equipment.front_end),
        shared_(*equipment.shared),
        alarm_(equipment.alarm) {}

  // Returns nullopt if the keeper did not end in order; then all descendants have been killed.
  [[nodiscard]] std::optional<Ending> run() {
    while (!has_ended_) {
      alarm_.set(guard());
      std::array<pollfd, 3> fds{
          {{signals_.fd(), POLLIN, 0}, {alarm_.fd(), POLLIN, 0}, {link_.fd(), POLLIN, 0}}};
      (void)poll(fds.data(), link_.is_open() ? 3 : 2, -1);
      check_guard();
      take_signals();
      take_notes();
    }
    if (!code_) {
      kill_all();
    }
    terminal_.take_from(shared_.group);
    pass_on_interrupt();
    take_signals();  // a signal may have come while the keeper ended
    return code_ ? std::optional(ending()) : std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<Moment> guard() const {
    const std::int64_t since_boot = shared_.guard;
    return since_boot == Shared::never ? std::nullopt : std::optional(Moment(Span(since_boot)));
  }

  void check_guard() {
    const auto at = guard();
    if (at && read_clock() >= *at) {
      (void)kill(keeper_, SIGKILL);  // the keeper hangs; run() calls kill_all() when it has ended
    }
  }

  void take_signals() {
    while (const auto signal = signals_.next()) {
      if (*signal == SIGCONT) {
        link_.send({Note::Kind::resume, 0});
      } else if (*signal != SIGCHLD) {
        link_.send({Note::Kind::signal, *signal});
      }
    }
    reap();
  }

  void take_notes() {
    while (const auto note = link_.receive()) {
      if (note->kind == Note::Kind::stopped) {
        signals_.stop_group(note->signal);
        link_.send({Note::Kind::resume, 0});
      }
    }
  }

  // If a signal that the front passed on has ended the command, the client ends by it, too.
  [[nodiscard]] Ending ending() const {
    const int signal = shared_.killed_by;
    const bool is_passed_on =
        signal != 0 && *code_ == exit_by_signal + signal && signals_.has_taken(signal);
    return is_passed_on ? ended_by(signal) : Ending{*code_};
  }

  void reap() {
    int status = 0;
    for (;;) {
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      if (pid == -1 && errno != ECHILD) {  // try again: SIGCHLD is not sent a second time
        continue;
      }
      if (pid <= 0) {
        return;
      }
      if (pid == keeper_) {
        has_ended_ = true;
        const bool is_in_order = WIFEXITED(status) && shared_.is_over;
        code_ = is_in_order ? std::optional(WEXITSTATUS(status)) : std::nullopt;
      }
    }
  }

  void kill_all() {
    for (Span pause = milliseconds(10); has_children();
         pause = std::min<Span>(pause * 2, milliseconds(500))) {
      descendants_.send(SIGKILL, 0);
      alarm_.set(read_clock() + pause);
      std::array<pollfd, 2> fds{{{signals_.fd(), POLLIN, 0}, {alarm_.fd(), POLLIN, 0}}};
      (void)poll(fds.data(), fds.size(), -1);
      while (signals_.next()) {
      }
      reap();
    }
  }

  // If the command had the terminal, the terminal sent Ctrl-C to the command only. Passes it on to
  // the client and to the script that the client is part of.
  void pass_on_interrupt() {
    const int signal = shared_.killed_by;
    if ((signal != SIGINT && signal != SIGQUIT) || !shared_.has_terminal) {
      return;
    }
    signals_.note_taken(signal);
    if (getpgrp() != getpid()) {
      (void)kill(0, signal);
    }
  }

  pid_t keeper_;
  const Terminal& terminal_;
  Signals& signals_;
  Link& link_;
  const Shared& shared_;
  Alarm& alarm_;
  Descendants descendants_;
  bool has_ended_ = false;
  std::optional<int> code_;
};

}  // namespace

Equipment::Equipment() : shared(make_shared_page()) {
  Link::make_pair(front_end, keeper_end);
  adopt_orphans();
}

Ending run_under_lock(const Options& options, const Identity& identity, const Requests& requests,
                      const Descriptors& descriptors, Equipment& equipment, Api& api,
                      Signals& signals, const Holding& holding) {
  const bool is_ready = signals.take_job_control();
  const pid_t keeper = is_ready ? fork() : -1;
  if (keeper == 0) {
    equipment.front_end.close_end();
    (void)setpgid(0, 0);  // so that the terminal's signals reach the keeper only through the front
    adopt_orphans();
    return {Keeper({options, requests, identity, descriptors, equipment.terminal, api, signals,
                    equipment.keeper_end, *equipment.shared},
                   holding)
                .run()};
  }
  if (keeper == -1) {
    complain("cannot make a process for the command: %s: %s", is_ready ? "fork" : "signalfd",
             strerrordesc_np(errno));
  } else {
    equipment.keeper_end.close_end();
    if (const auto ending = Front(keeper, signals, equipment).run()) {
      return *ending;
    }
    complain(
        "lost the lock on %s at %s: the client's own process that kept it was killed or stood "
        "still; killed the command",
        options.pool.c_str(), time_of_day().c_str());
  }
  Holding ended = holding;
  if (keeper == -1) {
    ended.run = cannot_run(exit_cannot_run);
  }
  Patience patience;
  const GivenBack given = give_back(api, requests, {signals, equipment.alarm, nullptr, patience},
                                    options, ended, read_clock() + seconds(2));
  if (!given.delivered) {
    complain("could not give back the lock on %s: %s", options.pool.c_str(), given.trouble.c_str());
  }
  return {keeper == -1 ? exit_cannot_run : exit_lost};
}

}  // namespace distributex::client
