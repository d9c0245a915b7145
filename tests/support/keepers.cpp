// SPDX-License-Identifier: MIT
// A lease counts from the question to the answer that told of it, as a holder must
// count that is to be safe.
#include "support/keepers.h"

#include <stdlib.h>

#include <algorithm>

namespace distributex::test {

namespace {

unsigned roll(unsigned& dice, unsigned most) {
  dice = dice * 1664525U + 1013904223U;
  return (dice >> 8) % most;
}

}  // namespace

uint64_t Keepers::Told::token() const {
  return strtoull(response.header("Distributex-Token").c_str(), nullptr, 10);
}

std::optional<Keepers::Time> Keepers::Told::ends() const {
  const std::string left = response.header("Distributex-Expires");
  if (left.empty()) {
    return std::nullopt;
  }
  return asked + milliseconds(static_cast<int64_t>(strtod(left.c_str(), nullptr) * 1000) - 1);
}

Keepers::Keepers(std::string pool, size_t slots, std::vector<uint16_t> ports)
    : pool_(std::move(pool)), ports_(std::move(ports)) {
  constexpr size_t others = 2;
  history_.slots(pool_, slots);
  for (size_t i = 0; i < slots + others; i++) {
    threads_.emplace_back([this, i, slots] {
      live({.who = "k" + std::to_string(i),
            .dice = static_cast<unsigned>(i * 2654435761U + 7),
            .is_keeper = i < slots});
    });
  }
}

void Keepers::stop() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  stopped_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

std::string Keepers::verdict() const {
  const std::lock_guard guard(lock_);
  return wrong_.empty() ? history_.verdict() : wrong_;
}

void Keepers::pause(Life& life, unsigned most_ms) {
  std::unique_lock guard(lock_);
  stopped_.wait_for(guard, milliseconds(1 + roll(life.dice, most_ms)),
                    [this] { return stopping_.load(); });
}

Keepers::Told Keepers::ask(Life& life, const std::string& verb) {
  const uint16_t port = ports_[roll(life.dice, static_cast<unsigned>(ports_.size()))];
  const auto asked = Clock::now();
  Response response = fetch(port, "/" + verb + "pool=" + pool_ + "&host=" + life.who);
  return {std::move(response), asked, Clock::now()};
}

void Keepers::note(const Life& life, const Told& told, Time since) {
  const std::lock_guard guard(lock_);
  history_.told(pool_, life.who, told.token(), since, told.answered, told.ends());
}

void Keepers::let_go(uint64_t token, Time when) {
  const std::lock_guard guard(lock_);
  history_.let_go(pool_, token, when);
}

void Keepers::live(Life life) {
  life.since = Clock::now();
  while (!stopping_) {
    const Told told = ask(life, "get/?");
    const std::string result = told.response.header("Distributex-Result");
    if (result != "granted" && result != "held") {
      pause(life, 40);
      continue;
    }
    note(life, told, result == "granted" ? told.asked : life.since);
    if (life.is_keeper) {
      keep(life, told);
    }
    let_go(told.token(), Clock::now());
    (void)ask(life, "release/?token=" + std::to_string(told.token()) + "&");
    life.since = Clock::now();
  }
}

// Until it has had enough, or has to let go.
void Keepers::keep(Life& life, const Told& lock) {
  const std::string verb = "renew/?token=" + std::to_string(lock.token()) + "&";
  std::optional<Time> ends = lock.ends();
  while (!stopping_ && roll(life.dice, 20) != 0) {
    pause(life, 800);
    if (ends && Clock::now() >= *ends) {
      return let_go(lock.token(), *ends);
    }
    const Told told = ask(life, verb);
    const std::string result = told.response.header("Distributex-Result");
    if (result == "renewed") {
      renewals_++;
      note(life, told, lock.asked);
      ends = std::max(ends, told.ends());
    } else if (result == "lost") {
      if (!ends || told.answered < *ends) {
        const std::lock_guard guard(lock_);
        wrong_ = life.who + "/" + std::to_string(lock.token()) + " was lost before its end";
      }
      return;
    }
  }
}

}  // namespace distributex::test
