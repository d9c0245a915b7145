// SPDX-License-Identifier: MIT
//
// The keeper: the process that runs the command, renews the lease, ends everything in time if the
// lock is lost, and gives the lock back. One loop over signals, notes from the front, HTTP and one
// timer; nothing in it blocks.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "client/command.h"
#include "client/giveback.h"
#include "client/link.h"
#include "client/tree.h"

namespace distributex::client {

class Keeper {
 public:
  struct World {
    const Options& options;
    const Requests& requests;
    const Identity& identity;
    const Descriptors& descriptors;
    const Terminal& terminal;
    Api& api;
    Signals& signals;
    Link& link;
    Shared& shared;
  };
  Keeper(const World& world, const Holding& holding);

  // Returns the exit code of the run.
  [[nodiscard]] int run();

 private:
  enum class Stage {
    running,  // the command, or another member of its process group, runs
    ending,   // all descendants were sent TERM, and are killed at kill_at_
    killing,  // all descendants are killed, again and again until none is left
    over,
  };

  [[nodiscard]] bool start();
  void loop();
  [[nodiscard]] std::optional<Moment> next_moment() const;
  void check_deadlines(Moment now);
  void take_signals();
  void take_notes();
  void take_answers();
  void renew(Moment now);
  void take_renewal(Moment now, const Reply& reply);
  void take_end();
  void take_stop(int signal);
  void pass_on(int signal, const char* source, Moment now);
  void send(int signal);
  void resume();
  void publish_lease();
  void lose(Moment now, Moment kill_at, const std::string& why);
  void end_all(Moment kill_at);
  void kill_all(Moment now);
  [[nodiscard]] bool is_over();
  [[nodiscard]] std::optional<RunEnd> run_end() const;
  void release();

  World world_;
  Holding holding_;
  Command command_;
  Alarm alarm_;
  Moment began_;
  Stage stage_ = Stage::running;
  bool is_lost_ = false;       // the run ends with exit code 74
  bool is_ours_still_ = true;  // no server has said that the lock is lost: give it back
  bool has_told_of_rest_ = false;
  bool has_told_of_refusal_ = false;
  bool was_told_to_stop_ = false;  // a signal that ends programs was passed on
  Descendants descendants_;
  Patience patience_;
  struct Passed {
    const char* source = nullptr;
    Moment at;
  };
  std::array<Passed, NSIG> passed_{};  // for each signal, when it was last passed on
  Api::Ticket renewal_ = 0;
  Moment renewal_sent_;
  std::string last_trouble_;
  Moment kill_at_;
  Moment next_kill_;
  Span kill_pause_;
};

}  // namespace distributex::client
