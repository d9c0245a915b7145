// SPDX-License-Identifier: MIT
// The threads of the watch, and its judgement.
#include "support/livez.h"

#include <algorithm>

#include "support/http.h"

namespace distributex::test {

namespace {

constexpr milliseconds pace{10};
constexpr milliseconds least_late{5};  // what is not worth keeping

milliseconds in_ms(Clock::duration time) { return std::chrono::duration_cast<milliseconds>(time); }

}  // namespace

LivezWatch::LivezWatch(const std::vector<uint16_t>& ports) {
  for (const uint16_t port : ports) threads_.emplace_back([this, port] { ask(port); });
  threads_.emplace_back([this] { oversleep(); });
}

void LivezWatch::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void LivezWatch::ask(uint16_t port) {
  while (!stopping_) {
    const auto asked = Clock::now();
    const Response response = fetch(port, "/livez");
    {
      const std::lock_guard guard(lock_);
      answers_.push_back({asked, Clock::now()});
      if (response.status != 200) ++failures_;
    }
    std::this_thread::sleep_for(pace);  // the measure's, not a wait for anything
  }
}

void LivezWatch::oversleep() {
  while (!stopping_) {
    const auto due = Clock::now() + pace;
    std::this_thread::sleep_until(due);
    const auto woken = Clock::now();
    const std::lock_guard guard(lock_);
    if (woken - due > least_late) lates_.push_back({due, woken});
  }
}

bool LivezWatch::was_late(const Span& during, Clock::duration by) const {
  Clock::duration late{};
  for (const Span& one : lates_) {
    const Span common{std::max(one.from, during.from), std::min(one.to, during.to)};
    late += std::max(common.length(), Clock::duration::zero());
  }
  return late >= by;
}

bool LivezWatch::is_quick(milliseconds limit) const {
  const std::lock_guard guard(lock_);
  const auto is_fine = [&](const Span& one) {
    return one.length() <= limit || was_late(one, limit / 4);
  };
  return !answers_.empty() && failures_ == 0 &&
         std::all_of(answers_.begin(), answers_.end(), is_fine);
}

std::string LivezWatch::report() const {
  const std::lock_guard guard(lock_);
  std::vector<milliseconds> took;
  for (const Span& one : answers_) took.push_back(in_ms(one.length()));
  std::sort(took.begin(), took.end());
  if (took.empty()) return "no answer";
  return std::to_string(took.size()) + " answers, " + std::to_string(failures_) +
         " failures, half within " + std::to_string(took[took.size() / 2].count()) +
         " ms, all within " + std::to_string(took.back().count()) + " ms; late itself " +
         std::to_string(lates_.size()) + " times";
}

}  // namespace distributex::test
