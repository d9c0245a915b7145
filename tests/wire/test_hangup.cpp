// SPDX-License-Identifier: MIT
// Parked clients that leave, talk or flood, and grants that reach nobody. To
// put a wake and a client's end into one pass of the daemon's loop, the daemon
// is stopped (SIGSTOP) while both are sent.
#include <sched.h>
#include <signal.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
  - name: other
)";

struct Fixture {
  Daemon daemon{pools};
  Connection control;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    control = Connection(daemon.port());
    return word("/get?pool=one&host=h") == "YES";
  }
  bool finish() { return daemon.stop(); }

  std::string word(std::string_view target) { return test::word(control, target); }
  std::string holders() { return holders_of(daemon.port(), "one"); }
  std::string waiters() { return waiters_of(daemon.port(), "one"); }

  // Sends a /wait and returns once it is the line's last.
  Connection park(const std::string& host) {
    const size_t before = pool_state(daemon.port(), "one").waiting.size();
    Connection waiter(daemon.port());
    assert_true(waiter.send(get_request("/wait?pool=one&host=" + host)));
    assert_true(wait_for_waiting(daemon.port(), "one", before + 1));
    return waiter;
  }

  void freeze() { daemon.send_signal(SIGSTOP); }
  void thaw() { daemon.send_signal(SIGCONT); }
};

// Puts the client on the daemon's processor, with a higher priority where that is allowed: so
// the client reacts to an answer while the daemon is still inside its write().
struct Ahead : Fixture {
  cpu_set_t before{};

  bool begin() {
    cpu_set_t one;
    const sched_param high{1};
    sched_getaffinity(0, sizeof before, &before);
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) {
      return false;
    }
    if (!Fixture::begin()) {
      return false;
    }
    sched_setscheduler(0, SCHED_FIFO, &high);
    return true;
  }
  bool finish() {
    const sched_param normal{0};
    sched_setscheduler(0, SCHED_OTHER, &normal);
    sched_setaffinity(0, sizeof before, &before);
    return Fixture::finish();
  }
};

enum class Leave { fin, rst, half, ahead };
constexpr Leave all_ways[] = {Leave::fin, Leave::rst, Leave::half, Leave::ahead};

void leave(Connection& client, Leave how) {
  switch (how) {
    case Leave::fin:
      return client.close();
    case Leave::rst:
      return client.reset();
    case Leave::half:
      return client.half_close();
    case Leave::ahead:  // closes with bytes of a next request before the end
      client.send("GET /livez HT");
      return client.close();
  }
}

std::string answer(Connection& waiter) {
  const std::optional<Response> response = waiter.response();
  return response ? response->body : "nothing";
}

void takes_a_client_that_leaves_out_of_the_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection last = f.park("last");
  for (const Leave how : all_ways) {
    Connection a = f.park("a");
    Connection b = f.park("b");
    leave(a, how);
    assert_true(wait_for_waiting(f.daemon.port(), "one", 2));
    assert_text(f.waiters(), "last b");
    if (how == Leave::half) {
      assert_int_equal(a.wait_end(), End::eof);
      assert_text(a.unread(), "");
    }
    leave(b, how);
    assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  }
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(last), "YES");
}

// A parked client may not send that much ahead, but these bytes came with its request.
void takes_a_client_out_that_sent_much_with_its_request(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection client(f.daemon.port());
  assert_true(client.send(get_request("/wait?pool=one&host=a") + std::string(5 * 1024, 'x')));
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  client.close();
  assert_true(wait_for_waiting(f.daemon.port(), "one", 0));
}

void passes_a_grant_on_whose_client_has_gone(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const bool wake_first : {true, false}) {
    for (const Leave how : all_ways) {
      Connection gone = f.park("gone");
      Connection next = f.park("next");
      f.freeze();
      if (!wake_first) {
        leave(gone, how);
      }
      assert_true(f.control.send(get_request("/release?pool=one&host=h")));
      if (wake_first) {
        leave(gone, how);
      }
      f.thaw();
      assert_text(answer(f.control), "OK");
      assert_text(answer(next), "YES");
      assert_text(f.holders(), "next");
      if (how == Leave::half) {  // it can still read, and must not be told YES as well
        assert_int_equal(gone.wait_end(), End::eof);
        assert_text(gone.unread(), "");
      }
      assert_text(f.word("/release?pool=one&host=next"), "OK");
      assert_text(f.word("/get?pool=one&host=h"), "YES");
    }
  }
}

void frees_a_grant_that_reaches_nobody(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const Leave how : all_ways) {
    Connection gone = f.park("gone");
    f.freeze();
    assert_true(f.control.send(get_request("/release?pool=one&host=h")));
    leave(gone, how);
    f.thaw();
    assert_text(answer(f.control), "OK");
    assert_true(wait_for_holders(f.daemon.port(), "one", 0));
    assert_text(f.word("/get?pool=one&host=h"), "YES");
  }
}

void passes_a_grant_along_a_row_of_dead_clients(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::vector<Connection> dead;
  for (int i = 0; i < 40; ++i) {
    dead.push_back(f.park("dead" + std::to_string(i)));
  }
  Connection alive = f.park("alive");
  f.freeze();
  assert_true(f.control.send(get_request("/release?pool=one&host=h")));
  for (size_t i = 0; i < dead.size(); ++i) {
    leave(dead[i], all_ways[i % 3]);
  }
  f.thaw();
  assert_text(answer(alive), "YES");
  assert_text(f.holders(), "alive");
  assert_text(f.waiters(), "");
}

void keeps_a_grant_that_reached_one_wait_of_the_holder(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection gone = f.park("a");
  Connection stays = f.park("a");
  Connection next = f.park("b");
  f.freeze();
  assert_true(f.control.send(get_request("/release?pool=one&host=h")));
  gone.reset();
  f.thaw();
  assert_text(answer(f.control), "OK");
  assert_text(answer(stays), "YES");
  assert_text(f.holders(), "a");
  assert_true(next.quiet());
}

// A client may read its answer and close before the daemon returns from its write: the client
// has the lock all the same.
void leaves_a_lock_with_a_client_that_reads_and_closes(void** state) {
  Ahead& f = fixture_of<Ahead>(state);
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  for (int i = 0; i < 300; ++i) {
    assert_text(f.word("/get?pool=one&host=h"), "YES");
    Connection client(f.daemon.port());
    assert_true(client.send(get_request("/wait?pool=one&host=a")));
    if (i % 3 == 0) {
      assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
    }
    assert_true(f.control.send(get_request("/release?pool=one&host=h")));
    assert_text(answer(client), "YES");
    client.close();
    assert_text(answer(f.control), "OK");
    assert_text(f.word("/get?pool=one&host=thief"), "NO");
    assert_text(f.word("/release?pool=one&host=a"), "OK");
  }
}

void bears_junk_on_a_parked_connection(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection talks = f.park("talks");
  Connection leaves = f.park("leaves");
  assert_true(talks.send("junk\r\n\r\n"));
  assert_true(leaves.send("junk"));
  leaves.close();
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(f.waiters(), "talks");
  assert_true(talks.quiet());
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(talks), "YES");
  assert_true(talks.wait_end() != End::none);
  assert_text(f.holders(), "talks");
}

void answers_pipelined_requests_after_the_wake(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection a = f.park("a");
  assert_true(a.send(get_request("/get?pool=other&host=a") + get_request("/livez")));
  // After this round trip the daemon has read these bytes before it looks at the queue.
  assert_text(f.word("/get?pool=one&host=z"), "NO");
  assert_text(f.waiters(), "a");
  assert_text(holders_of(f.daemon.port(), "other"), "");
  assert_true(a.quiet());
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(a), "YES");
  assert_text(answer(a), "YES");
  assert_text(answer(a), "ok\n");
  assert_text(holders_of(f.daemon.port(), "other"), "a");
}

void parks_again_on_the_same_connection(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection a(f.daemon.port());
  assert_true(a.send(get_request("/wait?pool=one&host=a") + get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(f.waiters(), "a");
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(a), "YES");
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(f.waiters(), "b");
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_text(answer(a), "YES");
  assert_true(a.send(get_request("/wait?pool=one&host=c")));
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  a.close();
  assert_true(wait_for_waiting(f.daemon.port(), "one", 0));
  assert_text(f.word("/release?pool=one&host=b"), "OK");
  assert_text(f.word("/get?pool=one&host=z"), "YES");
}

void closes_a_parked_connection_that_floods(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection floods = f.park("floods");
  Connection waits = f.park("waits");
  const long before = f.daemon.rss_kib();
  const std::string megabyte(1 << 20, 'x');
  int sent = 0;
  while (sent < 5 && floods.send(megabyte)) {
    ++sent;
  }
  assert_true(floods.wait_end() != End::none);
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(f.waiters(), "waits");
  const long grown = f.daemon.rss_kib() - before;
  assert_that(grown < 2048, "the flood left %ld KiB", grown);
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(waits), "YES");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, takes_a_client_that_leaves_out_of_the_line),
      test_with(Fixture, takes_a_client_out_that_sent_much_with_its_request),
      test_with(Fixture, passes_a_grant_on_whose_client_has_gone),
      test_with(Fixture, frees_a_grant_that_reaches_nobody),
      test_with(Fixture, passes_a_grant_along_a_row_of_dead_clients),
      test_with(Fixture, keeps_a_grant_that_reached_one_wait_of_the_holder),
      test_with(Ahead, leaves_a_lock_with_a_client_that_reads_and_closes),
      test_with(Fixture, bears_junk_on_a_parked_connection),
      test_with(Fixture, answers_pipelined_requests_after_the_wake),
      test_with(Fixture, parks_again_on_the_same_connection),
      test_with(Fixture, closes_a_parked_connection_that_floods),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
