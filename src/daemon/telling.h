// SPDX-License-Identifier: MIT
// All that is told passes here: answers to clients, and to the record what has
// become of leases. What its backend has not stored yet waits, in order, until
// it is; when the backend cannot store it in time, answers become refusals, and
// leases that were never told of are given back as if their clients had left.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "lock/words.h"
#include "watch/record.h"

namespace distributex {

class Telling {
 public:
  struct Door {
    std::function<void(Ticket, const Answer&)> answer;
    std::function<Origin(Ticket)> origin;
  };
  Telling(Engine& engine, Record& record, Door door)
      : engine_(engine), record_(record), door_(std::move(door)) {}
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

  void answered(Answered&& answered, Time now);
  void expired(const std::string& pool, const Lease& lease, uint64_t stored, Time now);
  void happened(const Happening& happening, uint64_t stored, Time now);
  // A grant of which nobody heard is given back, and that is decided.
  void gives_back(const Release& release) { returns_.emplace(release.op, release); }
  void decided(OpId op, const Verdict& verdict, Time now);
  // The client has gone; the engine knows.
  void gone(Ticket ticket);

  // Everything up to that is stored; or what waits will not be in time.
  void stored(uint64_t stored, Time now);
  void unstored(const std::string& why, Time now);

  // Who gave a lock back hears of it when the next one has the lock: only the
  // latter is in a hurry. False when nobody is left.
  bool send_thanks();
  // Nobody's answer waits to be stored.
  [[nodiscard]] bool is_idle() const { return tickets_.empty(); }

 private:
  struct Expired {
    std::string pool;
    Lease lease;
  };
  using News = std::variant<Answered, Release, Expired, Happening>;
  struct Kept {
    News news;
    Time since{};
    bool is_gone = false;  // nobody waits for the answer any more
    std::string peer;      // of whom that was
    std::string by;
  };

  void keep(uint64_t stored, News news, Time now);
  void tell(Kept& kept, Time now);
  void tell_now(Kept& kept, Answered& answered, Time now);
  void tell_now(Kept& kept, Release& release, Time now);
  void tell_now(Kept& kept, Expired& expired, Time now);
  void tell_now(Kept& kept, Happening& happening, Time now);
  void send(Answered&& answered, Time now);
  void refuse(Kept& kept, Answered& answered, const std::string& why, Time now);
  [[nodiscard]] bool is_secret(const News& news);

  Engine& engine_;
  Record& record_;
  Door door_;
  uint64_t stored_ = 0;
  std::map<uint64_t, std::deque<Kept>> kept_;
  std::unordered_map<Ticket, Kept*> tickets_;  // those whose client is there
  std::unordered_map<OpId, Release> returns_;  // not decided yet
  std::unordered_set<Token> secrets_;          // grants that were refused: their end is no news
  std::vector<Answered> thanks_;
  std::vector<Answered> thanked_;  // being sent; keeps its memory
};

}  // namespace distributex
