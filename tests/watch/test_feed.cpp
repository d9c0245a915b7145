// SPDX-License-Identifier: MIT
// What the followers of the events get, and the sign of life of a silent stream.
// The loop is real; where the bytes go is kept by the test.
#include <map>
#include <string>

#include "base/clock.h"
#include "support/test.h"
#include "watch/feed.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Fixture {
  EventBase base{event_base_new()};
  EventRing ring{10, 1'000'000};
  std::map<Ticket, std::string> sent;
  std::map<Ticket, int> closed;

  FeedSink sink() {
    return {.send =
                [this](Ticket ticket, std::string_view bytes) {
                  sent[ticket] += bytes;
                  return true;
                },
            .close = [this](Ticket ticket) { ++closed[ticket]; }};
  }
  // Runs the loop until so() is true.
  template <typename So>
  bool until(So so) {
    const Time end = steady_now() + seconds{20};
    while (!so() && steady_now() < end) {
      event_base_loop(base.get(), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    return so();
  }
  void grant(const char* host) {
    ring.add({.what = What::granted, .pool = "p", .host = host, .token = 7});
  }
};

void silent_stream_has_a_sign_of_life(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Feed feed{f.base.get(), f.ring, f.sink(), milliseconds{5}};
  feed.follow(1, {}, false);
  feed.follow(2, {}, true);
  assert_true(f.until([&] { return f.sent[1].size() >= 2 && f.sent[2].size() >= 6; }));
  assert_text(f.sent[1].substr(0, 2), "\n\n");
  assert_text(f.sent[2].substr(0, 6), ":\n\n:\n\n");
  assert_int_equal(Feed::usual_beat.count(), 15);
}

// The timer stops with the last reader, and starts again for the next one.
void beat_ends_with_the_last_reader(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Feed feed{f.base.get(), f.ring, f.sink(), milliseconds{5}};
  feed.follow(1, {}, false);
  feed.gone(1);
  assert_true(f.until(
      [&] { return event_base_get_num_events(f.base.get(), EVENT_BASE_COUNT_ADDED) == 0; }));
  assert_true(f.sent.empty());
  feed.follow(2, {}, false);
  assert_true(f.until([&] { return !f.sent[2].empty(); }));
}

void follower_gets_what_passes_its_filter(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Feed feed{f.base.get(), f.ring, f.sink()};
  f.grant("before");
  feed.follow(1, {.pool = {}, .host = "a", .after_seq = 0, .from_us = 0, .follow = true}, false);
  f.grant("b");
  f.grant("a");
  feed.wake();
  assert_true(f.until([&] { return !f.sent[1].empty(); }));
  assert_true(f.sent[1].find("\"host\":\"a\"") != std::string::npos);
  assert_true(f.sent[1].find("\"host\":\"b\"") == std::string::npos);
  assert_true(f.sent[1].find("before") == std::string::npos);
}

void stop_sends_what_is_due_and_closes_all(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Feed feed{f.base.get(), f.ring, f.sink()};
  feed.follow(1, {}, false);
  f.grant("a");
  feed.stop();
  assert_true(f.sent[1].find("granted") != std::string::npos);
  assert_int_equal(f.closed[1], 1);
  assert_int_equal(feed.streams(), 0);
  assert_non_null(feed.full());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Fixture, silent_stream_has_a_sign_of_life),
      test_with(Fixture, beat_ends_with_the_last_reader),
      test_with(Fixture, follower_gets_what_passes_its_filter),
      test_with(Fixture, stop_sends_what_is_due_and_closes_all),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
