// SPDX-License-Identifier: MIT
// Checks the locks, whatever was sent. A guard, whose name no fuzzed request contains,
// must keep holding one mutex; for all other pools the server's events must add up, and fit
// what clients were told.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include <map>
#include <set>
#include <string>

#include "http_answers.h"

namespace distributex::fuzz {

class HttpOracle {
 public:
  // The pools of http_run.cpp, and their slots.
  HttpOracle(uint16_t port, std::map<std::string, size_t> slots, uint64_t secret);

  [[nodiscard]] bool take_guard();
  [[nodiscard]] bool release_guard() const;
  // A client received this answer.
  void told(const HttpAnswer& answer);
  // Asks the server; "" when all fits.
  [[nodiscard]] std::string verdict();
  [[nodiscard]] size_t grants() const { return grants_; }

 private:
  std::string read_events();
  std::string read_event(const json_t* event);
  std::string check_guard() const;
  std::string check_told();

  uint16_t port_;
  std::string guard_;  // host, id and pool
  std::string guard_token_;
  std::map<std::string, size_t> slots_;
  std::map<std::string, std::set<uint64_t>> held_{};
  std::map<std::string, uint64_t> last_token_{};
  std::set<uint64_t> untold_{};  // granted, as the server says
  std::set<uint64_t> told_{};    // since the last verdict
  std::string told_twice_{};
  double last_seq_ = 0;
  size_t grants_ = 0;
};

}  // namespace distributex::fuzz
