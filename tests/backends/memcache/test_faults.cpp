// SPDX-License-Identifier: MIT
// The memcache backend while memcached is away, stopped, dripping, cutting its
// answers, restarted, or not alone: what is answered, how soon, and what is
// left behind. The history of contending daemons is test_daemons.cpp.
#include "backends/backend.h"
#include "backends/memcache/address.h"
#include "backends/memcache/worker.h"
#include "base/clock.h"
#include "support/bench.h"
#include "support/daemon.h"
#include "support/faultproxy.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::seconds;

const Owner a{"a", ""}, b{"b", ""};
std::string name(const Verdict& verdict) { return BackendBench::name_of(verdict); }
std::string at(const std::string& address) { return "memcachehost: \"" + address + "\""; }

// A busy machine may be that much late; the times that are checked are seconds.
constexpr milliseconds slack{1500};

struct Fixture {
  Memcached memcached{};
  std::unique_ptr<FaultProxy> proxy;
  std::unique_ptr<BackendBench> bench;

  bool begin() {
    if (!memcached.start()) {
      return false;
    }
    proxy = std::make_unique<FaultProxy>(memcached.port());
    bench = std::make_unique<BackendBench>("memcache",
                                           at(proxy->address()) + "\nmemcachetimeout: 1000");
    return is_well();
  }
  bool is_well() const {
    return bench->until([&] { return !bench->backend().trouble(); });
  }
  bool is_ill() const {
    return bench->until([&] { return bench->backend().trouble().has_value(); });
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

void assert_quick(Time since, milliseconds limit) {
  const auto took = std::chrono::duration_cast<milliseconds>(steady_now() - since);
  assert_that(took <= limit + slack, "took %ld ms", static_cast<long>(took.count()));
}

void answers_failed_while_nobody_listens_and_works_when_somebody_does(void**) {
  Memcached memcached;
  assert_true(memcached.start());
  memcached.kill_now();
  BackendBench bench("memcache", at(memcached.address()));
  assert_text(name(bench.get(a)),
              "failed: memcached " + memcached.address() + ": Connection refused");
  assert_text(bench.backend().trouble().value_or(""),
              "memcached " + memcached.address() + ": Connection refused");
  assert_true(memcached.start());
  const Time back = steady_now();
  assert_true(bench.until([&] { return !bench.backend().trouble(); }));
  assert_quick(back, milliseconds(2000));
  assert_text(name(bench.get(a)), "granted");
}

void a_question_to_a_stopped_memcached_fails_in_time(void** state) {
  Fixture& f = of(state);
  f.memcached.stop();
  const Time asked = steady_now();
  const OpId first = f.bench->ask_get(a);
  const OpId second = f.bench->ask_release(b);
  assert_true(name(f.bench->verdict_of(first)).starts_with("failed: memcached "));
  assert_true(name(f.bench->verdict_of(second)).starts_with("failed: memcached "));
  assert_quick(asked, milliseconds(2000));
  assert_true(f.bench->backend().trouble().has_value());
  f.memcached.go_on();
  const Time back = steady_now();
  assert_true(f.is_well());
  assert_quick(back, milliseconds(2000));
  // The claim that the stopped memcached carried out later is taken back.
  assert_true(f.bench->until([&] { return name(f.bench->get(b)) == "granted"; }));
  assert_quick(back, milliseconds(10000));
}

void trouble_is_known_although_nobody_asks(void** state) {
  Fixture& f = of(state);
  for (int i = 0; i < 2; i++) {
    const Time ill = steady_now();
    f.memcached.stop();
    assert_true(f.is_ill());
    assert_quick(ill, milliseconds(2000));
    const Time well = steady_now();
    f.memcached.go_on();
    assert_true(f.is_well());
    assert_quick(well, milliseconds(2000));
  }
}

// The first look may be late because this process itself stood still.
void silence_is_trouble_when_it_is_found_twice(void** state) {
  Backend& backend = of(state).bench->backend();
  const Time late = steady_now() + seconds(100);
  backend.tick(late);
  assert_false(backend.trouble().has_value());
  const std::optional<Time> again = backend.deadline();
  assert_true(again && *again > late && *again < late + milliseconds(500));
  backend.tick(*again);
  assert_true(backend.trouble().value_or("").ends_with(": no answer in time"));
}

void a_dripping_memcached_is_given_up(void** state) {
  Fixture& f = of(state);
  assert_text(name(f.bench->get(a)), "granted");
  f.proxy->set(FaultProxy::Mode::drip);
  const Time asked = steady_now();
  std::string word;
  for (int i = 0; i < 3; i++) {
    word = name(f.bench->get(b));  // too long for the limit
  }
  assert_true(word.starts_with("failed: memcached "));
  assert_quick(asked, milliseconds(3000));
  f.proxy->set(FaultProxy::Mode::pass);
  assert_true(f.is_well());
  assert_true(f.bench->until([&] { return name(f.bench->get(b)) == "full"; }));
  assert_text(name(f.bench->get(a)), "held");
}

// Only this server can give the lease back: it does once memcached answers.
void a_lease_that_nobody_heard_of_is_given_back_after_an_outage(void** state) {
  Fixture& f = of(state);
  const Verdict granted = f.bench->get(a);
  assert_text(name(granted), "granted");
  f.memcached.stop();
  const std::string during = name(f.bench->get(b));
  assert_that(during.starts_with("failed: memcached "), "%s", during.c_str());
  const OpId refused = f.bench->ask_give_back(a, granted.token);
  assert_true(name(f.bench->verdict_of(refused)).starts_with("failed: memcached "));
  f.memcached.go_on();
  assert_true(f.bench->until([&] { return name(f.bench->get(b)) == "granted"; }));
}

constexpr uint32_t many_slots = sanitized ? 100'000 : 1'000'000;

// Each question reads all slots, in parts: as long as parts come, memcached is
// not called down.
void a_pool_of_many_slots_takes_long_and_nothing_is_down(void** state) {
  Fixture& f = of(state);
  BackendBench bench("memcache", at(f.memcached.address()) + "\nmemcachetimeout: 60000");
  assert_true(bench.until([&] { return !bench.backend().trouble(); }));
  const OpId wide = bench.ask_get(a, many_slots);
  bench.use_pool("q");
  const OpId next = bench.ask_get(b);
  bool down = false;
  const auto decided = [&] {
    down = down || bench.backend().trouble();
    return bench.order().size() == 2;
  };
  // A busy machine takes longer than one patience lasts.
  assert_true(bench.until(decided) || bench.until(decided));
  assert_text(name(bench.verdict_of(wide)), "granted");
  assert_text(name(bench.verdict_of(next)), "granted");
  assert_false(down);
}

// The same without the loop: the worker reports that memcached answers while its job goes on.
void a_long_job_tells_that_memcached_answers(void** state) {
  Fixture& f = of(state);
  MemcacheWorker worker({.host = "127.0.0.1", .port = f.memcached.port(), .path = {}},
                        {.prefix = "x:", .server = "me"});
  size_t alive = 0;
  bool done = false;
  const auto take = [&] {
    for (const MemcacheResult& result : worker.take()) {
      if (!done && std::holds_alternative<LinkAlive>(result)) {
        alive++;
      }
      done = done || std::holds_alternative<OpDone>(result);
    }
  };
  assert_true(eventually([&] { return take(), alive > 0; }));
  alive = 0;
  worker.post({Acquire{.op = 1, .pool = "p", .owner = a, .slots = many_slots, .length = {}},
               {"p", many_slots},
               steady_now() + seconds(60)});
  assert_true(eventually([&] { return take(), done; }));
  assert_true(alive > 0);
}

void a_stalled_connection_is_given_up(void** state) {
  Fixture& f = of(state);
  assert_text(name(f.bench->get(a)), "granted");
  f.proxy->set(FaultProxy::Mode::stall);
  const Time asked = steady_now();
  assert_true(name(f.bench->get(b)).starts_with("failed: memcached "));
  assert_quick(asked, milliseconds(2000));
  f.proxy->set(FaultProxy::Mode::pass);
  assert_true(f.is_well());
  assert_text(name(f.bench->get(b)), "full");
}

void answers_cut_in_the_middle_change_no_owner(void** state) {
  Fixture& f = of(state);
  for (int round = 0; round < 5; round++) {
    const Owner& owner = round % 2 == 0 ? a : b;
    const Owner& other = round % 2 == 0 ? b : a;
    f.proxy->set(FaultProxy::Mode::cut);
    (void)f.bench->get(owner);
    f.proxy->set(FaultProxy::Mode::pass);
    assert_true(f.is_well());
    assert_true(f.bench->until([&] {
      const std::string word = name(f.bench->get(owner));
      return word == "granted" || word == "held";
    }));
    assert_text(name(f.bench->get(other)), "full");
    f.proxy->set(FaultProxy::Mode::cut);
    (void)f.bench->release(owner);
    f.proxy->set(FaultProxy::Mode::pass);
    assert_true(f.is_well());
    assert_false(name(f.bench->release(owner)).starts_with("failed"));
  }
  assert_true(f.proxy->cuts() > 4);
}

void a_restarted_memcached_is_found_at_once_and_tokens_rise(void** state) {
  Fixture& f = of(state);
  const Verdict before = f.bench->get(a);
  bool at_once = false;
  for (int round = 0; round < 10 && !at_once; round++) {
    f.memcached.kill_now();
    assert_true(f.memcached.start());
    Verdict after = f.bench->get(b);  // the connection is dead, and the worker may not know yet
    at_once = name(after) == "granted";
    while (name(after) != "granted") {  // a ping came first and failed
      assert_true(f.is_well());
      after = f.bench->get(b);
    }
    assert_true(after.token > before.token);
  }
  assert_true(at_once || sanitized);
  assert_text(name(f.bench->renew(a, before.token)), "lost");
}

void tokens_rise_after_a_flush(void** state) {
  Fixture& f = of(state);
  const Verdict before = f.bench->get(a);
  assert_text(f.memcached.ask("flush_all"), "OK");
  const Verdict after = f.bench->get(b);
  assert_text(name(after), "granted");
  assert_true(after.token > before.token);
}

void a_stopped_memcached_of_several_delays_only_its_own_pools(void** state) {
  Fixture& f = of(state);
  Memcached second;
  assert_true(second.start());
  BackendBench bench("memcache", at(f.memcached.address() + ", " + second.address()));
  std::string of_first = "p0";
  std::string of_second = "p0";
  for (int i = 0; server_of(of_first, 2) != 0; i++) {
    of_first = "p" + std::to_string(i);
  }
  for (int i = 0; server_of(of_second, 2) != 1; i++) {
    of_second = "p" + std::to_string(i);
  }
  second.stop();
  bench.use_pool(of_second);
  const OpId slow = bench.ask_get(a);
  bench.use_pool(of_first);
  assert_text(name(bench.get(a)), "granted");
  assert_int_equal(bench.order().size(),
                   1);  // the question to the slow memcached has no answer yet
  assert_true(name(bench.verdict_of(slow)).starts_with("failed: memcached " + second.address()));
  assert_false(bench.backend().trouble().has_value());
  second.go_on();
}

void two_servers_share_leases_and_ask_again_soon(void** state) {
  Fixture& f = of(state);
  BackendBench other("memcache", at(f.memcached.address()));
  const Verdict granted = f.bench->get(a, 1, 100);
  const Verdict full = other.get(b);
  assert_text(name(full), "full");
  assert_true(*full.retry_at <= steady_now() + milliseconds(130));
  for (int i = 0; i < 8; i++) {
    (void)other.get(b);
  }
  const Time before = steady_now();
  const Verdict unchanged = other.get(b);
  assert_true(*unchanged.retry_at > before + milliseconds(500));
  assert_true(*unchanged.retry_at <= steady_now() + milliseconds(1000));
  const Verdict held = other.get(a);
  assert_text(name(held), "held");
  assert_true(held.token == granted.token);
  assert_true(*held.ends > steady_now() + seconds(95) && *held.ends <= steady_now() + seconds(101));
  assert_text(other.holders(), "a");
  assert_text(name(f.bench->release(a)), "released");
  assert_text(name(other.get(b)), "granted");
  assert_text(f.bench->holders(), "b");
}

void a_lease_outlives_its_server_and_ends_by_memcacheds_clock(void** state) {
  Fixture& f = of(state);
  const Time asked = steady_now();
  (void)f.bench->get(a, 1, 1);
  const Time granted = steady_now();
  f.bench.reset();
  BackendBench other("memcache", at(f.memcached.address()));
  assert_true(other.until([&] { return name(other.get(b)) == "granted"; }));
  assert_true(steady_now() >= asked + seconds(1));
  assert_that(steady_now() <= granted + seconds(4) + slack, "late");
}

void a_renewal_elsewhere_is_noticed_before_the_end(void** state) {
  Fixture& f = of(state);
  BackendBench other("memcache", at(f.memcached.address()));
  const Verdict granted = f.bench->get(a, 1, 1);
  assert_text(name(other.renew(a, granted.token, 100)), "renewed");
  const Time later = *granted.ends + milliseconds(300);
  while (steady_now() < later) {
    assert_text(name(f.bench->get(b)), "full");
  }
  assert_int_equal(f.bench->expired().size(), 0);
}

void surveys_end_when_memcached_does_not_answer(void** state) {
  Fixture& f = of(state);
  (void)f.bench->get(a);
  f.memcached.stop();
  const Time asked = steady_now();
  assert_text(f.bench->holders(), "a");  // as the last survey knew it
  assert_quick(asked, milliseconds(1500));
  f.memcached.go_on();
}

void a_survey_wakes_who_waits_for_a_slot(void** state) {
  Fixture& f = of(state);
  BackendBench other("memcache", at(f.memcached.address()));
  (void)other.get(a);
  assert_text(name(f.bench->get(b)), "full");
  (void)other.release(a);
  const size_t before = f.bench->changes();
  assert_true(f.bench->until([&] {
    (void)f.bench->holders();
    return f.bench->changes() > before;
  }));
}

void speaks_through_a_unix_socket(void**) {
  const TempDir dir;
  Memcached memcached({"-M"}, dir.file("memcached"));
  assert_true(memcached.start());
  BackendBench bench("memcache", at(memcached.address()));
  assert_text(name(bench.get(a)), "granted");
  assert_text(name(bench.get(b)), "full");
}

void refuses_a_memcached_without_cas(void**) {
  Memcached memcached({"-C"});
  assert_true(memcached.start());
  BackendBench bench("memcache", at(memcached.address()));
  assert_text(name(bench.get(a)), "failed: memcached " + memcached.address() +
                                      ": it runs without CAS (option -C), which leases need");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(answers_failed_while_nobody_listens_and_works_when_somebody_does),
      test_with(Fixture, a_question_to_a_stopped_memcached_fails_in_time),
      test_with(Fixture, trouble_is_known_although_nobody_asks),
      test_with(Fixture, silence_is_trouble_when_it_is_found_twice),
      test_with(Fixture, a_dripping_memcached_is_given_up),
      test_with(Fixture, a_lease_that_nobody_heard_of_is_given_back_after_an_outage),
      test_with(Fixture, a_pool_of_many_slots_takes_long_and_nothing_is_down),
      test_with(Fixture, a_long_job_tells_that_memcached_answers),
      test_with(Fixture, a_stalled_connection_is_given_up),
      test_with(Fixture, answers_cut_in_the_middle_change_no_owner),
      test_with(Fixture, a_restarted_memcached_is_found_at_once_and_tokens_rise),
      test_with(Fixture, tokens_rise_after_a_flush),
      test_with(Fixture, a_stopped_memcached_of_several_delays_only_its_own_pools),
      test_with(Fixture, two_servers_share_leases_and_ask_again_soon),
      test_with(Fixture, a_lease_outlives_its_server_and_ends_by_memcacheds_clock),
      test_with(Fixture, a_renewal_elsewhere_is_noticed_before_the_end),
      test_with(Fixture, surveys_end_when_memcached_does_not_answer),
      test_with(Fixture, a_survey_wakes_who_waits_for_a_slot),
      cmocka_unit_test(speaks_through_a_unix_socket),
      cmocka_unit_test(refuses_a_memcached_without_cas),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
