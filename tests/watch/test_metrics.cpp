// SPDX-License-Identifier: MIT
// What each event counts, what the page makes of it, and that labels stay
// pools. The engine and the backend are real, the time is the test's.
#include "backends/makers.h"
#include "config/config.h"
#include "daemon/sight.h"
#include "engine/engine.h"
#include "support/effects.h"
#include "support/metrics.h"
#include "support/silent_sink.h"
#include "support/test.h"
#include "watch/metrics.h"
#include "watch/record.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Fixture {
  std::vector<PoolSpec> pools{pool("one"), pool(R"(odd "\ name)")};
  Engine engine;
  Groups groups;
  std::unique_ptr<Backend> backend =
      make_inmemory_backend({.base = nullptr, .config = {}, .sink = silent_sink(), .wall_us = 1});
  std::unique_ptr<Record> record =
      std::make_unique<Record>(RecordOptions{.events = 10, .audit = false}, 1);
  Sight sight;
  Time now{std::chrono::hours{1000}};

  Fixture() {
    sight = make_sight(engine, *backend, groups);
    engine.configure(pools, 100, now);
  }

  static PoolSpec pool(const std::string& name) {
    return {.name = name, .expire = seconds{100}, .maxlocks = 3, .servers = {}};
  }

  std::string page() {
    return record->metrics().page({.sight = sight,
                                   .now = now,
                                   .backend_name = "inmemory",
                                   .backend_up = true,
                                   .uptime = milliseconds{1500},
                                   .connections = 7,
                                   .streams = 2,
                                   .streams_dropped = 3,
                                   .log_dropped = 4});
  }

  void submit(Ticket ticket, Verb verb, const char* host) {
    Command request;
    request.verb = verb;
    request.pool = "one";
    request.owner.host = host;
    engine.submit(ticket, std::move(request), now);
  }

  void answer(Verb verb, Result result, Duration waited = {}, std::optional<Duration> held = {}) {
    Answered answered{.ticket = 1, .verb = verb, .since = now - waited, .answer = {}};
    answered.answer.result = result;
    answered.answer.pool = "one";
    answered.answer.held = held;
    record->answered(answered, {"unix"}, now);
  }

  double operator[](const std::string& name) {
    const auto samples = read_samples(page());
    assert_true(samples.has_value());
    const auto it = samples->find("distributex_" + name);
    assert_that(it != samples->end(), "there is no %s", name.c_str());
    return it->second;
  }
};

void page_passes_promtool(void** state) {
  const auto complaint = promtool_complaint(fixture_of<Fixture>(state).page());
  if (!complaint) {
    print_message("promtool is missing: apt-get install prometheus\n");
    skip();
  }
  assert_text(*complaint, "");
}

void tells_of_the_moment(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string build = "build_info{version=\"" DISTRIBUTEX_VERSION "\",backend=\"inmemory\"}";
  assert_true(f[build] == 1);
  assert_true(f["uptime_seconds"] == 1.5);
  assert_true(f["connections"] == 7);
  assert_true(f["event_streams"] == 2);
  assert_true(f["event_streams_dropped_total"] == 3);
  assert_true(f["log_dropped_lines_total"] == 4);
  assert_true(f["backend_up"] == 1);
}

void counts_each_answer_by_verb_and_result(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const char* const verbs[] = {"get", "wait", "release", "renew"};
  const char* const results[] = {"granted",  "held",    "busy", "timeout", "released",
                                 "not-held", "renewed", "lost", "invalid", "unavailable"};
  int times = 0;
  for (int verb = 0; verb < 4; ++verb) {
    for (int result = 0; result < 10; ++result, ++times) {
      for (int i = 0; i < times; ++i) {
        f.answer(static_cast<Verb>(verb), static_cast<Result>(result));
      }
    }
  }
  times = 0;
  for (const char* verb : verbs) {
    for (const char* result : results) {
      assert_true(
          f[std::string{"requests_total{verb=\""} + verb + "\",result=\"" + result + "\"}"] ==
          times++);
    }
  }
}

void bucket_holds_what_took_no_longer(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.answer(Verb::get, Result::granted, seconds{2});
  assert_true(f["wait_seconds_count"] == 0);
  for (const auto waited :
       {milliseconds{0}, milliseconds{1}, milliseconds{2}, milliseconds{60'000}}) {
    f.answer(Verb::wait, Result::granted, waited);
  }
  f.answer(Verb::wait, Result::granted, std::chrono::hours{1000});
  f.answer(Verb::wait, Result::timeout, seconds{1});
  assert_true(f["wait_seconds_bucket{le=\"0.001\"}"] == 2);
  assert_true(f["wait_seconds_bucket{le=\"0.005\"}"] == 3);
  assert_true(f["wait_seconds_bucket{le=\"15\"}"] == 3);
  assert_true(f["wait_seconds_bucket{le=\"60\"}"] == 4);
  assert_true(f["wait_seconds_bucket{le=\"86400\"}"] == 4);
  assert_true(f["wait_seconds_bucket{le=\"+Inf\"}"] == 5);
  assert_true(f["wait_seconds_count"] == 5);
  assert_true(f["grants_total"] == 6);
}

void holding_ends_by_release_and_by_expiry(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.answer(Verb::release, Result::released, {}, seconds{3});
  f.answer(Verb::release, Result::released);  // without a holding time
  f.record->expired("one",
                    {.owner = {"h", ""}, .token = 1, .since = f.now, .ends = f.now + seconds{9}});
  assert_true(f["releases_total"] == 2);
  assert_true(f["expiries_total"] == 1);
  assert_true(f["hold_seconds_count"] == 2);
  assert_true(f["hold_seconds_sum"] == 12);
  assert_true(f.record->holdings().mean("one") == seconds{6});
}

void counts_what_reached_nobody(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.record->left({.verb = Verb::wait, .since = f.now, .pool = "one", .owner = {"h", ""}}, {"unix"},
                 f.now);
  f.record->undelivered({.op = 1, .pool = "one", .owner = {"h", ""}, .token = 7});
  f.record->undelivered({.op = 2, .pool = "one", .owner = {"h", ""}, .token = 8});
  assert_true(f["cancelled_waits_total"] == 1);
  assert_true(f["undelivered_grants_total"] == 2);
}

// The client leaves before it was told of the grant.
void engine_marks_a_grant_that_comes_back(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.submit(1, Verb::get, "h");
  const auto asked = take_effect(f.engine);
  assert_true(asked && std::holds_alternative<Acquire>(*asked));
  f.engine.decided(std::get<Acquire>(*asked).op,
                   {.kind = Verdict::Kind::granted,
                    .token = 5,
                    .ends = {},
                    .retry_at = {},
                    .reason = {},
                    .since = {}},
                   f.now);
  assert_true(std::holds_alternative<Answered>(*take_effect(f.engine)));
  assert_false(f.engine.cancel(1, f.now).has_value());
  const auto back = take_effect(f.engine);
  assert_true(back && std::holds_alternative<Release>(*back));
  assert_true(std::get<Release>(*back).undelivered);
}

void refusal_at_the_door_counts_for_its_verb(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Answer invalid;
  invalid.result = Result::invalid;
  f.record->refused(Verb::renew, invalid, {"unix"});
  f.record->refused(std::nullopt, invalid, {"unix"});
  assert_true(f["requests_total{verb=\"renew\",result=\"invalid\"}"] == 1);
  assert_true(f["stray_requests_total"] == 1);
}

void backend_is_measured_from_question_to_verdict(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.record->asked(1, f.now);
  f.record->asked(2, f.now + milliseconds{5});
  Verdict verdict;
  f.record->decided(2, verdict, f.now + milliseconds{6});
  verdict.kind = Verdict::Kind::full;
  f.record->decided(1, verdict, f.now + seconds{2});
  assert_true(f["backend_errors_total"] == 1);
  assert_true(f["backend_latency_seconds_count"] == 2);
  assert_true(f["backend_latency_seconds_bucket{le=\"0.001\"}"] == 1);
  assert_true(f["backend_latency_seconds_bucket{le=\"1\"}"] == 1);
  assert_true(f["backend_latency_seconds_bucket{le=\"5\"}"] == 2);
}

void pools_are_shown_as_they_are(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.backend->acquire({.op = 1, .pool = "one", .owner = {"a", ""}, .slots = 3, .length = {}}, f.now);
  f.now += seconds{4};
  f.backend->acquire({.op = 2, .pool = "one", .owner = {"b", ""}, .slots = 3, .length = {}}, f.now);
  f.submit(1, Verb::wait, "c");
  f.now += seconds{2};
  f.submit(2, Verb::wait, "d");
  f.now += milliseconds{500};
  assert_true(f["pool_slots{pool=\"one\"}"] == 3);
  assert_true(f["pool_held{pool=\"one\"}"] == 2);
  assert_true(f["pool_waiting{pool=\"one\"}"] == 2);
  assert_true(f["pool_oldest_waiter_seconds{pool=\"one\"}"] == 2.5);
  assert_true(f["pool_longest_holder_seconds{pool=\"one\"}"] == 6.5);
  assert_true(f["waiting_requests"] == 2);
  assert_true(f[R"(pool_held{pool="odd \"\\ name"})"] == 0);
  assert_true(f[R"(pool_longest_holder_seconds{pool="odd \"\\ name"})"] == 0);
}

void pool_that_leaves_the_configuration_leaves_the_page(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.page().find("pool=\"one\"") != std::string::npos);
  f.engine.configure({Fixture::pool("new")}, 100, f.now);
  const std::string page = f.page();
  assert_true(page.find("pool=\"one\"") == std::string::npos);
  assert_true(page.find("pool=\"new\"") != std::string::npos);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Fixture, page_passes_promtool),
      test_with(Fixture, tells_of_the_moment),
      test_with(Fixture, counts_each_answer_by_verb_and_result),
      test_with(Fixture, bucket_holds_what_took_no_longer),
      test_with(Fixture, holding_ends_by_release_and_by_expiry),
      test_with(Fixture, counts_what_reached_nobody),
      test_with(Fixture, engine_marks_a_grant_that_comes_back),
      test_with(Fixture, refusal_at_the_door_counts_for_its_verb),
      test_with(Fixture, backend_is_measured_from_question_to_verdict),
      test_with(Fixture, pools_are_shown_as_they_are),
      test_with(Fixture, pool_that_leaves_the_configuration_leaves_the_page),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
