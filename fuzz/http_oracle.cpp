// SPDX-License-Identifier: MIT
// Asks for the events since the last one after it has read all answers: so every grant that
// a client was told of must be among them, once.
#include "http_oracle.h"

#include <stdio.h>

#include <array>
#include <utility>

#include "support/http.h"
#include "support/status.h"

namespace distributex::fuzz {

namespace {

constexpr size_t most_untold = 100000;

std::string text_of(uint64_t number) { return std::to_string(number); }

}  // namespace

HttpOracle::HttpOracle(uint16_t port, std::map<std::string, size_t> slots, uint64_t secret)
    : port_(port),
      guard_("pool=guarded&host=guard&id=" + text_of(secret)),
      slots_(std::move(slots)) {}

bool HttpOracle::take_guard() {
  const test::Response response = test::fetch(port_, "/get/?" + guard_);
  guard_token_ = response.header("Distributex-Token");
  return response.body == "YES";
}

bool HttpOracle::release_guard() const {
  const std::string target = "/release/?" + guard_ + "&token=" + guard_token_;
  return test::fetch(port_, target).header("Distributex-Result") == "released";
}

void HttpOracle::told(const HttpAnswer& answer) {
  if (answer.result != "granted") {
    return;
  }
  ++grants_;
  if (!told_.insert(answer.token).second) {
    told_twice_ = "two clients were granted the lease " + text_of(answer.token);
  }
}

std::string HttpOracle::verdict() {
  for (std::string fault : {read_events(), check_guard(), check_told()}) {
    if (!fault.empty()) {
      return fault;
    }
  }
  return "";
}

std::string HttpOracle::read_events() {
  std::array<char, 32> since;
  snprintf(since.data(), since.size(), "%.0f", last_seq_);
  const test::Response page =
      test::fetch(port_, "/events/" + (last_seq_ > 0 ? "?since=" + std::string(since.data()) : ""));
  if (page.status != 200) {
    return "/events/ answers " + std::to_string(page.status);
  }
  std::string_view text = page.body;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const test::Json event = test::parse_json(line);
    if (!event) {
      return "an event is no JSON: " + std::string(line);
    }
    std::string fault = read_event(event.get());
    if (!fault.empty()) {
      return fault + ": " + std::string(line);
    }
  }
  return "";
}

std::string HttpOracle::read_event(const json_t* event) {
  const double seq = test::json_number_at(event, "seq").value_or(0);
  if (last_seq_ > 0 && seq != last_seq_ + 1) {
    return "events are missing";
  }
  last_seq_ = seq;
  const std::string what = test::json_text(event, "event");
  const std::string pool = test::json_text(event, "pool");
  const auto token = static_cast<uint64_t>(test::json_number_at(event, "token").value_or(0));
  std::set<uint64_t>& held = held_[pool];
  if (what == "granted") {
    if (!held.insert(token).second || held.size() > slots_[pool]) {
      return "one holder too many";
    }
    if (token <= last_token_[pool]) {
      return "a token that does not rise";
    }
    last_token_[pool] = token;
    untold_.insert(token);
    if (untold_.size() > most_untold) {
      untold_.erase(untold_.begin());
    }
  } else if (what == "released" || what == "expired") {
    if (held.erase(token) == 0) {
      return "a lease ends that nobody has";
    }
  } else if (what == "undelivered") {
    held.erase(token);
  }
  return "";
}

std::string HttpOracle::check_guard() const {
  const test::PoolState pool = test::pool_state(port_, "guarded");
  if (pool.holders.size() == 1 && std::to_string(pool.holders[0].token) == guard_token_) {
    return "";
  }
  return "the guard does not have its lock any more";
}

std::string HttpOracle::check_told() {
  if (!told_twice_.empty()) {
    return told_twice_;
  }
  for (const uint64_t token : std::exchange(told_, {})) {
    if (untold_.erase(token) == 0) {
      return "a client was granted a lease that is none: " + text_of(token);
    }
  }
  return "";
}

}  // namespace distributex::fuzz
