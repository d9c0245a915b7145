// SPDX-License-Identifier: MIT
// The log is read from its beginning, one revision after the other.
#include "support/etcdendings.h"

#include <algorithm>
#include <vector>

#include "backends/etcd/key.h"
#include "backends/etcd/value.h"

namespace distributex::test {

namespace {

using std::chrono::milliseconds;

struct Reader {
  size_t slots;
  Duration delay;
  const std::map<Token, Time>& told;
  EtcdKeys keys{"distributex/"};
  std::map<std::string, Token> leases{};  // by key
  std::map<Token, Time> rests{};          // not to be removed before
  uint32_t runs = 0;
  std::string wrong{};
  // Of the revision that is being read:
  std::vector<Token> ended{};
  std::vector<Token> rested{};
  uint32_t counted = 0;
  bool is_ruling = false;

  void fail(const FakeEtcd::Logged& logged, const std::string& what) {
    if (wrong.empty()) {
      wrong = "revision " + std::to_string(logged.revision) + ": " + what;
    }
  }
  void read(const FakeEtcd::Logged& logged);
  void read_rest(const FakeEtcd::Logged& logged, const EtcdRestKey& key, const EtcdEvent& event);
  void read_lease(const EtcdEvent& event);
  void judge(const FakeEtcd::Logged& logged);
};

void Reader::read_lease(const EtcdEvent& event) {
  if (event.deleted) {
    ended.push_back(leases.at(event.kv.key));
    leases.erase(event.kv.key);
  } else if (const auto value = parse_lease(event.kv.value)) {
    leases[event.kv.key] = event.kv.create + value->offset;
  }
}

void Reader::read_rest(const FakeEtcd::Logged& logged, const EtcdRestKey& key,
                       const EtcdEvent& event) {
  if (!event.deleted) {
    const auto left = parse_rest(event.kv.value).value_or(EtcdRestValue{}).left;
    rested.push_back(key.token);
    // Its time is written in whole milliseconds, rounded up.
    rests[key.token] = logged.sent + milliseconds(left) - milliseconds(1);
    return;
  }
  if (logged.at < rests.at(key.token)) {
    fail(logged, "a rest ends early, of " + std::to_string(key.token));
  }
  rests.erase(key.token);
}

void Reader::judge(const FakeEtcd::Logged& logged) {
  for (const Token token : ended) {
    const auto its = told.find(token);
    const bool has_rest = std::find(rested.begin(), rested.end(), token) != rested.end();
    if (its != told.end() && !has_rest && logged.sent < its->second + delay) {
      fail(logged, "a lease ends without its rest, of " + std::to_string(token));
    }
    if ((its != told.end() || has_rest) && counted != runs + 1) {
      fail(logged, "an end is not counted, of " + std::to_string(token));
    }
  }
  if (rested.size() > ended.size()) {
    fail(logged, "a rest without an end");
  }
  if (counted > runs + ended.size()) {
    fail(logged, "a run is counted that did not end");
  }
  if (counted < runs && (counted != 0 || !is_ruling)) {
    fail(logged, "failed runs are forgotten without a thaw");
  }
  if (leases.size() + rests.size() > slots) {
    fail(logged, "more leases and rests than slots");
  }
}

void Reader::read(const FakeEtcd::Logged& logged) {
  ended.clear();
  rested.clear();
  counted = runs;
  is_ruling = false;
  for (const EtcdEvent& event : logged.events) {
    const auto place = keys.place(event.kv.key);
    if (!place) {
      continue;
    }
    if (std::holds_alternative<EtcdLeaseKey>(*place)) {
      read_lease(event);
    } else if (const auto* rest = std::get_if<EtcdRestKey>(&*place)) {
      read_rest(logged, *rest, event);
    } else if (std::holds_alternative<EtcdRunsKey>(*place)) {
      counted = event.deleted ? 0 : parse_runs(event.kv.value);
    } else if (std::holds_alternative<EtcdRulingsKey>(*place)) {
      is_ruling = true;
    }
  }
  judge(logged);
  runs = counted;
}

}  // namespace

void EtcdEndings::told(Token token, std::optional<Time> ends) {
  Time& until = told_[token];
  until = std::max(until, ends.value_or(Time::max() - delay_));
}

std::string EtcdEndings::wrong_in(const FakeEtcd& etcd) const {
  Reader reader{.slots = slots_, .delay = delay_, .told = told_};
  for (const FakeEtcd::Logged& logged : etcd.log()) {
    reader.read(logged);
  }
  return reader.wrong;
}

}  // namespace distributex::test
