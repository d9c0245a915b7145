// SPDX-License-Identifier: MIT
// Two servers at work in one memcached in memory, whose commands can be held up and
// fail: for tests of the slot algorithm.
#pragma once

#include "backends/memcache/key.h"
#include "backends/memcache/slots.h"
#include "support/fakecache.h"
#include "support/test.h"

namespace distributex::test {

using std::chrono::seconds;
using Kind = Verdict::Kind;

struct SlotServer {
  FakeLink link;
  MemcacheSlots slots;
  std::string name;
  SlotServer(FakeCache& cache, const char* its_name)
      : link(cache), slots(link, "t:", its_name), name(its_name) {}

  std::string nonce(const char* host) const { return name + "-" + host; }

  SlotAnswer get(const char* host, uint32_t maxlocks = 1, bool find_only = false) {
    const Acquire question{.op = 1,
                           .pool = "p",
                           .owner = {host, ""},
                           .slots = maxlocks,
                           .length = seconds(100),
                           .find_only = find_only};
    return slots.acquire(question, maxlocks, nonce(host));
  }
  Kind release(const char* host, std::optional<Token> token = {}, bool undelivered = false,
               uint32_t maxlocks = 1) {
    const Release question{.op = 1,
                           .pool = "p",
                           .owner = {host, ""},
                           .token = token,
                           .slots = maxlocks,
                           .undelivered = undelivered};
    return slots.release(question, maxlocks).kind;
  }
  SlotAnswer renew(const char* host, std::optional<Token> token = {}) {
    const Renew question{.op = 1, .pool = "p", .owner = {host, ""}, .token = token, .length = {}};
    return slots.renew(question, 1);
  }
  // Calls `what` once, before the n-th command of that name from now on.
  void before(const std::string& which, std::function<void()> what, int n = 1) {
    link.before_command = [which, what = std::move(what), n](const std::string& command) mutable {
      if (command == which && n-- == 1) {
        what();
      }
      return Fault::none;
    };
  }
  void fail(const std::string& which, Fault fault, int n = 1) {
    link.before_command = [=](const std::string& command) mutable {
      return command == which && n-- == 1 ? fault : Fault::none;
    };
  }
  void fail_all() {
    link.before_command = [](const std::string&) { return Fault::not_sent; };
  }
};

struct SlotFixture {
  FakeCache cache{};
  SlotServer one{cache, "one"};
  SlotServer two{cache, "two"};
  PoolRef pool{"p", 1};
};

inline SlotFixture& of(void** state) { return fixture_of<SlotFixture>(state); }
inline void assert_kind(Kind is, Kind should) {
  assert_int_equal(static_cast<int>(is), static_cast<int>(should));
}

}  // namespace distributex::test
