// SPDX-License-Identifier: MIT
// The clients' lives.
#include "support_crowd.h"

#include <stdlib.h>

#include <algorithm>

namespace distributex::test {

namespace {

constexpr milliseconds pause_after_trouble{20};

bool has_lock(const Response& response) { return response.status == 200 && response.body == "YES"; }

}  // namespace

Crowd::Crowd(const CrowdShape& shape, std::vector<uint16_t> ports)
    : shape_(shape), ports_(std::move(ports)) {
  for (size_t i = 0; i < shape_.clients; i++) {
    threads_.emplace_back([this, i] { be_client(i); });
  }
}

void Crowd::stop() {
  stopping_ = true;
  finish();
}

void Crowd::finish() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Crowd::lost_all(History::Time from, History::Time to) {
  const std::lock_guard guard(lock_);
  history_.lost_all(from, to);
}

void Crowd::be_client(size_t number) {
  auto dice = static_cast<unsigned>(number * 2654435761U + 1);
  History::Time since = Clock::now();
  for (size_t done = 0; !stopping_ && (shape_.rounds == 0 || done < shape_.rounds);) {
    if (!take_turn(number, dice, since)) continue;
    done++;
    since = Clock::now();
  }
}

// since: when it asked first after its last lock. A lease that it is told to
// hold already may come from any question after that which failed.
bool Crowd::take_turn(size_t number, unsigned& dice, History::Time& since) {
  dice = dice * 1664525U + 1013904223U;
  const size_t daemon = (dice >> 16) % ports_.size();
  const std::string who = "pool=" + shape_.pool + "&host=h" + std::to_string(number);
  const auto asked = Clock::now();
  const Response response =
      fetch(ports_[daemon], (shape_.patient ? "/wait/?timeout=5&" : "/get/?") + who);
  const auto answered = Clock::now();
  if (!has_lock(response)) {
    // A pause between questions, not a wait for anything.
    std::this_thread::sleep_for(pause_after_trouble);
    return false;
  }
  const uint64_t token = strtoull(response.header("Distributex-Token").c_str(), nullptr, 10);
  std::optional<History::Time> ends;
  if (const std::string left = response.header("Distributex-Expires"); !left.empty()) {
    ends = (shape_.patient ? answered : asked) +
           milliseconds(static_cast<int64_t>(strtod(left.c_str(), nullptr) * 1000) - 1);
  }
  {
    const std::lock_guard guard(lock_);
    const bool is_new = response.header("Distributex-Result") == "granted";
    history_.told(shape_.pool, "h" + std::to_string(number), token, is_new ? asked : since,
                  answered, ends);
  }
  locks_++;
  std::this_thread::sleep_for(std::chrono::microseconds((dice >> 8) % 3000));  // its work
  {
    const std::lock_guard guard(lock_);
    history_.let_go(shape_.pool, token, Clock::now());
  }
  (void)fetch(ports_[daemon], "/release/?" + who + "&token=" + std::to_string(token));
  return true;
}

}  // namespace distributex::test
