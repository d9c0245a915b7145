// SPDX-License-Identifier: MIT
// Passes answers to clients, and events about leases to the record. If the backend has not
// stored something yet, it waits here, in order, until that is stored. If the backend
// cannot store it in time, answers become refusals, and leases that no client was told of
// are given back as if their clients had left.
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
  // A grant that no client was told of is being given back; and a question was decided.
  void gives_back(const Release& release) { returns_.emplace(release.op, release); }
  void decided(OpId op, const Verdict& verdict, Time now);
  // The client has gone; the engine knows.
  void gone(Ticket ticket);

  // Everything up to this number is stored; or what waits will not be stored in time.
  void stored(uint64_t stored, Time now);
  void unstored(const std::string& why, Time now);

  // Sends the answers to releases. They are sent after other answers, so that the next holder
  // is told first. Returns false if there were none.
  bool send_thanks();
  // Whether no client waits for something to be stored.
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
    bool is_gone = false;  // the client has left
    std::string peer;      // the origin of that client
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
  std::unordered_map<Ticket, Kept*> tickets_;  // answers in kept_ whose client is still there
  std::unordered_map<OpId, Release> returns_;  // gives_back() without a verdict yet
  std::unordered_set<Token> secrets_;          // grants told as refused: do not record their end
  std::vector<Answered> thanks_;
  std::vector<Answered> thanked_;  // answers being sent; a member to keep its memory
};

}  // namespace distributex
