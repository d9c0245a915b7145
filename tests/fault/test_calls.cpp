// SPDX-License-Identifier: MIT
// The n-th system call of a daemon's short life fails, for every n. It may refuse to
// start or end, with a word in its log and a code; else each client gets an answer or
// the end of its connection, nobody is told of a lock that another has, and what was
// asked for again is done.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "support/daemon.h"
#include "support/failcall.h"
#include "support/http.h"
#include "support/scenes.h"
#include "support/test.h"

namespace distributex::test {
namespace {

// Short deadlines, so that a connection soon ends if the daemon does not watch it any more.
constexpr std::string_view config = R"(idle_timeout: 1
request_timeout: 1
pools:
  - {name: one, expire: 600}
  - {name: two, expire: 600}
)";
// Calls of signal(7) that the daemon uses and that a signal may interrupt. Not open, which
// SA_RESTART restarts.
constexpr std::string_view interruptible[] = {"read",    "readv", "recv",      "recvmsg", "write",
                                              "writev",  "send",  "sendmsg",   "accept4", "poll",
                                              "connect", "flock", "epoll_wait"};
constexpr int errors[] = {EINTR, EAGAIN, EMFILE, ENOMEM, EPERM};

class Life {
 public:
  Life(uint64_t call, int error) : call_(call), error_(error) {
    faults_.fail(call, error);
    daemon_.spawn(
        {.args = {"-l", "127.0.0.1:0", "-l", address()}, .environment = faults_.environment()});
  }

  void live() {
    if (!is_up()) {
      return ended();
    }
    hand_over();
    stand_by();
    reload();
    calls_ = faults_.page().calls;
    if (!is_up()) {
      return ended();
    }
    faults_.page().fail_at = 0;
    if (word_of("/get?pool=two&host=z") != "YES") {
      // The last call may have failed behind the look whether it is up.
      check(daemon_.wait_exit().has_value(), "no lock afterwards");
      return ended();
    }
    if (!is_over()) {
      daemon_.send_signal(SIGTERM);
      check(daemon_.wait_exit() == 0, "does not stop");
    }
  }
  [[nodiscard]] uint64_t calls() const { return calls_; }

 private:
  [[nodiscard]] std::string address() const { return "unix:" + dir_.file("socket"); }

  void check(bool is_so, const char* what) {
    if (is_so) {
      return;
    }
    std::string log;
    for (const std::string& line : daemon_.log_lines()) {
      log += line + "\n";
    }
    assert_that(is_so, "call %llu (%s) %s: %s\n%s", static_cast<unsigned long long>(call_),
                faults_.page().failed, strerrorname_np(error_), what, log.c_str());
  }

  [[nodiscard]] bool is_over() { return !daemon_.running(); }
  [[nodiscard]] std::string word_of(std::string_view target) {
    Connection connection{std::string_view(address())};
    return connection.connected() ? fetch(connection, target).body : std::string();
  }
  // Waits until the daemon serves or has ended; false when it has ended.
  [[nodiscard]] bool is_up() {
    const bool is_known = eventually([&] { return is_over() || fetch_status("/livez") == 200; });
    check(is_known, "neither up nor over");
    return !is_over();
  }
  [[nodiscard]] int fetch_status(std::string_view target) {
    Connection connection{std::string_view(address())};
    return connection.connected() ? fetch(connection, target).status : 0;
  }

  // The daemon may end when a call fails that it needs, but only with an error code and a line
  // in the log.
  void ended() {
    const auto code = daemon_.wait_exit();
    const std::string died = "died: " + std::to_string(code.value_or(-1));
    check(code && *code > 0 && *code < 128, died.c_str());
    check(!daemon_.log_lines().empty(), "ended without a word");
    const std::string_view failed = faults_.page().failed;
    check(error_ != EINTR || std::ranges::count(interruptible, failed) == 0,
          "an interrupted call ended it");
  }

  // One client has the lock, another waits for it; the first releases it, the second gets it.
  void hand_over() {
    Connection holder{std::string_view(address())};
    Connection waiter{std::string_view(address())};
    const bool is_held = word(holder, "/get?pool=one&host=a") == "YES";
    const bool is_sent = waiter.send(get_request("/wait?pool=one&host=b"));
    check(!is_held || !waiter.wait_readable(milliseconds{0}) || waiter.wait_end() != End::none ||
              waiter.unread().find("YES") == std::string::npos,
          "granted twice");
    check(eventually([&] {
            const std::string said = word_of("/release?pool=one&host=a");
            return said == "OK" || said == "NO" || is_over();
          }),
          "no release");
    const auto told = is_sent ? waiter.response() : std::nullopt;
    check(told || waiter.wait_end() != End::none || is_over(), "a waiter hangs");
    check(eventually([&] { return word_of("/get?pool=one&host=b") == "YES" || is_over(); }),
          "no hand-over");
  }

  // Other requests: a page, metrics, a lock for a connection.
  void stand_by() {
    check(eventually([&] { return fetch_status("/status/") == 200 || is_over(); }), "no status");
    check(eventually([&] { return fetch_status("/metrics") == 200 || is_over(); }), "no metrics");
    check(eventually([&] {
            Connection hold{std::string_view(address())};
            return is_over() || (hold.send(get_request("/hold/?pool=two&host=h")) &&
                                 hold.wait_readable() && hold.response(true));
          }),
          "no hold");
    check(eventually([&] { return word_of("/get?pool=two&host=c") == "YES" || is_over(); }),
          "a hold that has ended keeps its lock");
    check(eventually([&] {
            const std::string said = word_of("/release?pool=two&host=c");
            return said == "OK" || said == "NO" || is_over();
          }),
          "no release");
  }

  void reload() {
    if (!is_over()) {
      daemon_.configure(std::string(config) + "  - name: three\n");
    }
    check(eventually([&] {
            if (is_over()) {
              return true;
            }
            daemon_.send_signal(SIGHUP);
            return word_of("/get?pool=three&host=a") == "YES";
          }),
          "no reload");
  }

  TempDir dir_;
  FailCall faults_{"distributexd"};
  Daemon daemon_{config};
  uint64_t call_;
  int error_;
  uint64_t calls_ = 0;
};

// Every tenth pair of a call and an error, from one number on; all with
// DISTRIBUTEX_TEST_ALL, which takes minutes.
constexpr uint64_t parts = 10;

template <uint64_t part>
void a_life_bears_a_call_that_fails(void**) {
  if (sanitized) {
    print_message("the sanitizer's own calls would fail\n");
    skip();
  }
  Life whole(0, EINTR);
  whole.live();
  const uint64_t calls = whole.calls();
  assert_that(calls > 100, "only %llu calls", static_cast<unsigned long long>(calls));
  const bool is_all = getenv("DISTRIBUTEX_TEST_ALL") != nullptr;
  for (uint64_t call = 1 + part; call <= calls; call += parts) {
    for (size_t i = 0; i < std::size(errors); i++) {
      if (is_all || (call + call / std::size(errors)) % std::size(errors) == i) {
        Life(call, errors[i]).live();
      }
    }
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_life_bears_a_call_that_fails<0>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<1>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<2>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<3>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<4>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<5>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<6>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<7>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<8>),
      cmocka_unit_test(a_life_bears_a_call_that_fails<9>),
  };
  return run_beside(tests);
}
