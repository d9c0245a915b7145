// SPDX-License-Identifier: MIT
// The clients' lives.
#include "support/crowd.h"

#include <stdlib.h>

#include <algorithm>

namespace distributex::test {

namespace {

constexpr milliseconds pause_after_trouble{20};

std::vector<std::string> on_loopback(const std::vector<uint16_t>& ports) {
  std::vector<std::string> addresses;
  for (const uint16_t port : ports) {
    addresses.push_back("127.0.0.1:" + std::to_string(port));
  }
  return addresses;
}

Response ask(const std::string& address, std::string_view target) {
  Connection connection(address);
  return fetch(connection, target);
}

bool has_lock(const Response& response) { return response.status == 200 && response.body == "YES"; }

}  // namespace

Crowd::Crowd(const CrowdShape& shape, const std::vector<uint16_t>& ports)
    : Crowd(shape, on_loopback(ports)) {}

Crowd::Crowd(const CrowdShape& shape, std::vector<std::string> addresses)
    : shape_(shape), addresses_(std::move(addresses)) {
  for (size_t i = 0; i < shape_.clients; i++) {
    threads_.emplace_back([this, i] { be_client(i); });
  }
}

void Crowd::stop() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  stopped_.notify_all();
  finish();
}

void Crowd::finish() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

bool Crowd::goes_on(size_t more) const {
  const size_t before = locks();
  return eventually([&] { return locks() >= before + more; });
}

void Crowd::lost_all(History::Time from, History::Time to) {
  const std::lock_guard guard(lock_);
  history_.lost_all(from, to);
}

void Crowd::be_client(size_t number) {
  auto dice = static_cast<unsigned>(number * 2654435761U + 1);
  History::Time since = Clock::now();
  for (size_t done = 0; !stopping_ && (shape_.rounds == 0 || done < shape_.rounds);) {
    if (!take_turn(number, dice, since)) {
      continue;
    }
    done++;
    since = Clock::now();
  }
}

// since: when it asked first after its last lock. A lease that it is told to
// hold already may come from any question after that which failed.
bool Crowd::take_turn(size_t number, unsigned& dice, History::Time& since) {
  dice = dice * 1664525U + 1013904223U;
  const size_t daemon = (dice >> 16) % addresses_.size();
  const std::string who = "pool=" + shape_.pool + "&host=h" + std::to_string(number);
  const auto asked = Clock::now();
  const Response response =
      ask(addresses_[daemon], (shape_.patient ? "/wait/?timeout=5&" : "/get/?") + who);
  const auto answered = Clock::now();
  if (!has_lock(response)) {
    std::unique_lock guard(lock_);
    stopped_.wait_for(guard, pause_after_trouble, [this] { return stopping_.load(); });
    return false;
  }
  const uint64_t token = strtoull(response.header("Distributex-Token").c_str(), nullptr, 10);
  std::optional<History::Time> ends;
  if (const std::string left = response.header("Distributex-Expires"); !left.empty()) {
    ends = (shape_.patient && !shape_.wary ? answered : asked) +
           milliseconds(static_cast<int64_t>(strtod(left.c_str(), nullptr) * 1000) - 1);
  }
  {
    const std::lock_guard guard(lock_);
    const bool is_new = response.header("Distributex-Result") == "granted";
    history_.told(shape_.pool, "h" + std::to_string(number), token, is_new ? asked : since,
                  answered, ends);
    grants_ += is_new ? 1 : 0;
  }
  locks_++;
  {
    std::unique_lock guard(lock_);  // its work
    stopped_.wait_for(guard, std::chrono::microseconds((dice >> 8) % 3000),
                      [this] { return stopping_.load(); });
    history_.let_go(shape_.pool, token, Clock::now());
  }
  (void)ask(addresses_[daemon], "/release/?" + who + "&token=" + std::to_string(token));
  return true;
}

}  // namespace distributex::test
