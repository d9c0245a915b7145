// SPDX-License-Identifier: MIT
// The engine and Telling over a backend that decides at once and stores later; the test, or a
// random walk, says when it stores. Reports what must never happen: a second answer, or an
// answer that tells of something that is not stored.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "daemon/settings.h"
#include "daemon/telling.h"
#include "support/choices.h"

namespace distributex::test {

class StoredWorld {
 public:
  StoredWorld() : StoredWorld(Choices(0)) {}
  explicit StoredWorld(const Choices& choices);

  // What went wrong first, if anything did.
  [[nodiscard]] std::optional<std::string> run(int steps);

  void submit(Ticket ticket, Verb verb, const char* pool, const char* host,
              std::optional<std::chrono::seconds> expire = {});
  void leave(Ticket ticket);
  void store();   // the disk has all
  void refuse();  // it takes no more, until it stores
  void expire(const char* pool, const char* host);

  // "1 granted 1; 2 busy": what clients were told since the last call.
  [[nodiscard]] std::string heard();
  // "granted released": what was recorded.
  [[nodiscard]] std::string events() const;
  [[nodiscard]] bool is_held(const std::string& pool) const;

  Time now{std::chrono::hours{10}};
  Settings settings;
  Engine engine{};
  Record record;
  Telling telling;

 private:
  struct Held {
    Token token;
    Time ends;
    uint64_t stored;
  };

  void hear(Ticket ticket, const Answer& answer);
  Verdict decide(const Acquire& question);
  Verdict decide(const Release& question);
  Verdict decide(const Renew& question);
  template <typename Question>
  void ask(const Question& question);
  void pump();
  void step();
  void end();

  Choices choices_;
  std::map<std::string, std::map<Owner, Held>> held_;
  std::map<std::string, uint64_t> changed_;
  Token last_token_ = 0;
  uint64_t gathering_ = 1;
  uint64_t stored_ = 0;
  bool in_trouble_ = false;
  std::string told_;
  std::string wrong_;
  std::map<Token, uint64_t> granted_with_;
  std::map<Token, uint64_t> ended_with_;
  std::set<Ticket> answered_;
  std::set<Ticket> left_;
  Ticket last_ticket_ = 0;
};

}  // namespace distributex::test
