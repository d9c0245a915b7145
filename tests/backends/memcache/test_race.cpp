// SPDX-License-Identifier: MIT
// Several servers at once on one memcached in memory, in random interleavings
// of their commands, with random faults; every run is repeatable by its seed.
// Each server is a thread, but only one runs at a time: before a command it
// passes the turn to whoever the dice choose. The history must be sound.
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "backends/memcache/slots.h"
#include "support/fakecache.h"
#include "support/history.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Verdict::Kind;

struct Setting {
  unsigned seed;
  size_t servers;
  uint32_t slots;
  size_t owners;
  unsigned fault_percent;
  bool long_stalls;  // a stall is longer than a claim lives
};

constexpr seconds lease_length{60};
constexpr int rounds = 12;

// Lets one thread run at a time, chosen by the dice.
class Turns {
 public:
  Turns(unsigned seed, size_t count) : dice_(seed), running_(count, true) {}

  // Passes the turn on and waits until `me` has it; the first call only waits.
  void pass(size_t me) {
    std::unique_lock guard(lock_);
    if (started_ == running_.size()) {
      choose();
    }
    changed_.wait(guard, [&] { return started_ == running_.size() && turn_ == me; });
  }
  void enter(size_t me) {
    {
      const std::lock_guard guard(lock_);
      if (++started_ == running_.size()) {
        choose();
      }
    }
    std::unique_lock guard(lock_);
    changed_.wait(guard, [&] { return started_ == running_.size() && turn_ == me; });
  }
  void leave(size_t me) {
    const std::lock_guard guard(lock_);
    running_[me] = false;
    choose();
  }
  unsigned throw_dice(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }

 private:
  void choose() {
    std::vector<size_t> able;
    for (size_t i = 0; i < running_.size(); i++) {
      if (running_[i]) {
        able.push_back(i);
      }
    }
    if (!able.empty()) {
      turn_ = able[dice_() % able.size()];
    }
    changed_.notify_all();
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::mt19937 dice_;
  std::vector<bool> running_;
  size_t started_ = 0;
  size_t turn_ = 0;
};

class Race {
 public:
  explicit Race(const Setting& setting) : setting_(setting), turns_(setting.seed, setting.servers) {
    history_.slots("p", setting.slots);
    for (size_t i = 0; i < setting.servers; i++) {
      servers_.push_back(std::make_unique<Server>(cache_, "server" + std::to_string(i)));
      servers_.back()->link.before_command = [this, i](const std::string&) { return interrupt(i); };
    }
  }

  std::string run() {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < servers_.size(); i++) {
      threads.emplace_back([this, i] { serve(i); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    std::string wrong = history_.verdict();
    if (wrong.empty()) {
      wrong = leftovers();
    }
    return wrong;
  }
  [[nodiscard]] size_t grants() const { return history_.grants("p"); }

 private:
  struct Server {
    FakeLink link;
    MemcacheSlots slots;
    std::vector<std::string> unsure;     // nonces to take back
    std::vector<Release> undelivered{};  // grants to take back
    int nonces = 0;
    Server(FakeCache& cache, const std::string& name) : link(cache), slots(link, "t:", name) {}
  };

  // Before each command of a server: other servers run, time passes, a fault is drawn.
  Fault interrupt(size_t me) {
    turns_.pass(me);
    cache_.now += microseconds(1 + turns_.throw_dice(1000));
    if (setting_.long_stalls && turns_.throw_dice(40) == 0) {
      cache_.now += seconds(11);
    }
    if (turns_.throw_dice(10) == 0) {
      (void)servers_[turns_.throw_dice(static_cast<unsigned>(servers_.size()))]->link.deliver();
    }
    if (turns_.throw_dice(100) >= setting_.fault_percent) {
      return Fault::none;
    }
    constexpr Fault faults[] = {Fault::not_sent, Fault::not_answered, Fault::delayed};
    return faults[turns_.throw_dice(3)];
  }

  void serve(size_t me) {
    turns_.enter(me);
    for (int round = 0; round < rounds; round++) {
      const Owner owner{
          "o" + std::to_string(turns_.throw_dice(static_cast<unsigned>(setting_.owners))), ""};
      switch (turns_.throw_dice(6)) {
        case 0:
        case 1:
        case 2:
          acquire(me, owner);
          break;
        case 3:
        case 4:
          release(me, owner);
          break;
        case 5:
          renew(me, owner);
          break;
      }
      tidy(*servers_[me]);
    }
    turns_.leave(me);
  }

  void acquire(size_t me, const Owner& owner) {
    Server& server = *servers_[me];
    const std::string nonce = "n" + std::to_string(me) + "." + std::to_string(server.nonces++);
    const Time asked = cache_.now;
    const Acquire question{
        .op = 1, .pool = "p", .owner = owner, .slots = setting_.slots, .length = lease_length};
    const auto attempt = attempts_[owner.host].insert(asked);
    const SlotAnswer answer = server.slots.acquire(question, setting_.slots, nonce);
    if (answer.kind == Kind::failed && answer.unsure) {
      server.unsure.push_back(nonce);
    }
    const bool undelivered = answer.kind == Kind::granted && turns_.throw_dice(5) == 0;
    const Time since = answer.kind == Kind::held ? granted_since(owner) : asked;
    if (answer.kind != Kind::failed && !undelivered) {
      attempts_[owner.host].erase(attempt);
    }
    if (undelivered) {
      server.undelivered.push_back({.op = 1,
                                    .pool = "p",
                                    .owner = owner,
                                    .token = answer.lease.token,
                                    .slots = setting_.slots,
                                    .undelivered = true});
    } else if (answer.kind == Kind::granted || answer.kind == Kind::held) {
      // The end of a granted lease is known; one that was found (held) may end at any time.
      const Time ends = answer.kind == Kind::granted ? answer.started + lease_length : cache_.now;
      told(owner, answer.lease.token, since, asked, ends);
    }
  }

  // When an owner releases on one server while it asks another, it cannot know which came
  // first, so it does not count on the lease.
  void told(const Owner& owner, Token token, Time since, Time asked, Time ends) {
    history_.told("p", owner.host, token, since, cache_.now, ends);
    for (const auto& [from, to] : releases_[owner.host]) {
      if (to >= asked) {
        history_.let_go("p", token, cache_.now);
      }
    }
  }

  // The owner gives up all its leases when it asks for the release, whatever the answer is.
  void release(size_t me, const Owner& owner) {
    for (const auto& [token, who] : tokens_of(owner)) {
      history_.let_go("p", token, cache_.now);
    }
    const Release question{
        .op = 1, .pool = "p", .owner = owner, .token = {}, .slots = setting_.slots};
    const size_t at = releases_[owner.host].size();
    releases_[owner.host].emplace_back(cache_.now, Time::max());
    (void)servers_[me]->slots.release(question, setting_.slots);
    releases_[owner.host][at].second = cache_.now;
  }

  void renew(size_t me, const Owner& owner) {
    const Time asked = cache_.now;
    const Renew question{
        .op = 1, .pool = "p", .owner = owner, .token = {}, .length = {}, .slots = setting_.slots};
    const SlotAnswer answer = servers_[me]->slots.renew(question, setting_.slots);
    if (answer.kind == Kind::renewed) {
      told(owner, answer.lease.token, std::min(asked, granted_since(owner)), asked,
           answer.started + lease_length);
    }
  }

  // A lease that is found was granted by an earlier attempt whose outcome the owner does not
  // know.
  Time granted_since(const Owner& owner) {
    const auto& attempts = attempts_[owner.host];
    return attempts.empty() ? Time::max() : *attempts.begin();
  }

  std::map<uint64_t, std::string> tokens_of(const Owner& owner) {
    std::map<uint64_t, std::string> tokens;
    for (const auto& [token, host] : history_.tokens("p")) {
      if (host == owner.host) {
        tokens.emplace(token, host);
      }
    }
    return tokens;
  }

  void tidy(Server& server) {
    std::erase_if(server.unsure, [&](const std::string& nonce) {
      return server.slots.give_back({"p", setting_.slots}, nonce) != MemcacheSlots::Undone::failed;
    });
    std::erase_if(server.undelivered, [&](const Release& release) {
      return server.slots.release(release, setting_.slots).kind != Kind::failed;
    });
  }

  // At the end only leases may be left that an owner was told of.
  std::string leftovers() {
    for (const auto& server : servers_) {
      server->link.before_command = [](const std::string&) { return Fault::none; };
      while (server->link.deliver()) {
      }
      tidy(*server);
    }
    cache_.now += seconds(12);
    const auto seen = servers_[0]->slots.survey({{"p", setting_.slots}});
    std::map<std::string, int> slots_of;
    for (const SlotLease& lease : seen->front()) {
      if (lease.is_claim()) {
        return "a claim is left";
      }
      if (++slots_of[lease.owner.host] > 1) {
        return "an owner has two slots";
      }
      // A lease with a mark may be left: a server was about to tell of it when memcached failed.
      if (lease.told.empty() && !history_.tokens("p").contains(lease.token)) {
        return "a lease is left of which nobody knows";
      }
    }
    return "";
  }

  Setting setting_;
  Turns turns_;
  FakeCache cache_{};
  std::vector<std::unique_ptr<Server>> servers_;
  History history_;
  // Of each owner: its releases, and its attempts whose outcome it does not know.
  std::map<std::string, std::vector<std::pair<Time, Time>>> releases_{};
  std::map<std::string, std::multiset<Time>> attempts_{};
};

void race(const Setting& shape, unsigned seeds) {
  size_t grants = 0;
  for (unsigned seed = 1; seed <= seeds; seed++) {
    Setting setting = shape;
    setting.seed = seed;
    Race one(setting);
    const std::string wrong = one.run();
    if (!wrong.empty()) {
      print_error("seed %u\n", seed);
    }
    assert_text(wrong, "");
    grants += one.grants();
  }
  assert_that(grants > seeds, "only %zu grants", grants);
}

void a_mutex_has_one_holder_and_rising_tokens(void**) { race({0, 3, 1, 4, 0, false}, 150); }
void a_mutex_withstands_lost_and_late_commands(void**) { race({0, 3, 1, 4, 8, false}, 150); }
void a_mutex_withstands_stalled_servers(void**) { race({0, 3, 1, 3, 8, true}, 150); }
void a_semaphore_has_no_more_holders_than_slots(void**) { race({0, 4, 2, 6, 0, false}, 100); }
void a_semaphore_withstands_lost_and_late_commands(void**) { race({0, 4, 3, 6, 8, true}, 150); }
void two_owners_on_all_servers_have_one_slot_each(void**) { race({0, 4, 3, 2, 5, false}, 150); }

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_mutex_has_one_holder_and_rising_tokens),
      cmocka_unit_test(a_mutex_withstands_lost_and_late_commands),
      cmocka_unit_test(a_mutex_withstands_stalled_servers),
      cmocka_unit_test(a_semaphore_has_no_more_holders_than_slots),
      cmocka_unit_test(a_semaphore_withstands_lost_and_late_commands),
      cmocka_unit_test(two_owners_on_all_servers_have_one_slot_each),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
