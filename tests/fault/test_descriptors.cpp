// SPDX-License-Identifier: MIT
// The daemon runs out of descriptors while clients contend, while it is to read
// its configuration, and while it looks for its memcached. How its listener
// rests meanwhile is in wire/test_limits.cpp.
#include <sys/resource.h>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view inmemory = R"(pools:
  - {name: mutex, expire: 3}
)";

constexpr rlim_t plenty = 1024;

struct Fixture {
  Memcached memcached{};
  std::unique_ptr<Daemon> daemon;
  long at_rest = 0;

  bool start(std::string_view yaml) {
    daemon = std::make_unique<Daemon>(yaml);
    if (!daemon->start()) {
      return false;
    }
    at_rest = daemon->open_files();
    return true;
  }
  bool start_with_memcached() {
    if (!memcached.start() ||
        !start("backend: memcache\nmemcachehost: " + memcached.address() + "\n" +
               std::string(inmemory)) ||
        !eventually([&] { return fetch(port(), "/readyz").status == 200; })) {
      return false;
    }
    at_rest = daemon->open_files();
    return true;
  }
  bool finish() { return !daemon || daemon->stop(); }
  uint16_t port() const { return daemon->port(); }

  // Sets the daemon's limit: it may open descriptors with numbers below files.
  void allow(rlim_t files) const {
    rlimit limit{};
    assert_int_equal(prlimit(daemon->pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = files;
    assert_int_equal(prlimit(daemon->pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
  }
  // Connects clients until the daemon has no descriptor left. The clients have at least two,
  // so that their end frees what a connection to memcached needs.
  std::vector<Connection> use_up() {
    allow(static_cast<rlim_t>(daemon->open_files() + 2));
    std::vector<Connection> crowd;
    for (int i = 0; i < 20; i++) {
      crowd.emplace_back(port());
    }
    assert_true(daemon->wait_for_log("accept paused").has_value());
    return crowd;
  }
};

void clients_contend_and_none_is_told_wrong(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(inmemory));
  Crowd crowd({.pool = "mutex", .clients = 16, .patient = false}, std::vector{f.port()});
  crowd.history().slots("mutex", 1);
  assert_true(crowd.goes_on(20));
  f.allow(static_cast<rlim_t>(f.at_rest + 8));
  assert_true(f.daemon->wait_for_log("accept paused").has_value());
  assert_true(crowd.goes_on(5));
  f.allow(plenty);
  assert_true(crowd.goes_on(20));
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(*f.daemon, "mutex", 1, f.at_rest), "");
}

void waiters_keep_their_place_and_their_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(inmemory));
  Connection holder(f.port());
  Connection first(f.port());
  Connection second(f.port());
  assert_text(word(holder, "/get?pool=mutex&host=holder&expire=3"), "YES");
  assert_true(first.send(get_request("/wait?pool=mutex&host=first")));
  assert_true(wait_for_waiting(f.port(), "mutex", 1));
  assert_true(second.send(get_request("/wait?pool=mutex&host=second")));
  assert_true(wait_for_waiting(f.port(), "mutex", 2));
  std::vector<Connection> crowd = f.use_up();
  assert_text(word(holder, "/release?pool=mutex&host=holder"), "OK");
  assert_text(first.response()->body, "YES");
  assert_text(word(first, "/release?pool=mutex&host=first"), "OK");
  assert_text(second.response()->body, "YES");
  assert_text(word(second, "/release?pool=mutex&host=second"), "OK");
  for (Connection* one : {&holder, &first, &second}) {
    one->close();
  }
  crowd.clear();
  f.allow(plenty);
  assert_text(unrest(*f.daemon, "mutex", 1, f.at_rest), "");
}

void a_reload_that_cannot_read_its_file_changes_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(inmemory));
  Connection control(f.port());
  assert_text(word(control, "/get?pool=mutex&host=a"), "YES");
  std::vector<Connection> crowd = f.use_up();
  const auto refused = f.daemon->reload("pools:\n  - name: other\n");
  assert_true(refused && refused->find("reload refused: ") != std::string::npos);
  assert_text(word(control, "/get?pool=mutex&host=a"), "YES");
  assert_text(word(control, "/get?pool=other&host=a"), "INVALID");
  crowd.clear();
  f.allow(plenty);
  const auto read = f.daemon->reload(std::string(inmemory) + "  - name: other\n");
  assert_true(read && read->find("reloaded pools=2") != std::string::npos);
  assert_text(word(control, "/get?pool=mutex&host=b"), "NO");
  assert_text(word(control, "/get?pool=other&host=a"), "YES");
  assert_text(word(control, "/release?pool=mutex&host=a"), "OK");
  control.close();
  assert_text(unrest(*f.daemon, "mutex", 1, f.at_rest), "");
}

// Connections get all descriptors but a reserve, so that a full server can still
// open its configuration.
void full_server_can_still_reload(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  constexpr unsigned files = 400;
  f.daemon = std::make_unique<Daemon>(inmemory);
  assert_true(f.daemon->start({.max_files = files}));
  Connection control(f.port());
  assert_text(word(control, "/livez"), "ok\n");
  std::vector<Connection> crowd;
  for (unsigned i = 0; i < files + 20; ++i) {
    crowd.emplace_back(f.port());
  }
  // The last client is far above the limit, so the daemon closes it at once, or has no
  // descriptor left and pauses.
  assert_true(eventually([&] {
    return !f.daemon->log_lines("accept paused").empty() ||
           crowd.back().wait_end(milliseconds{20}) != End::none;
  }));
  const auto line = f.daemon->reload(std::string(inmemory) + "  - name: other\n");
  assert_true(line && line->find("reloaded pools=2") != std::string::npos);
  assert_text(word(control, "/get?pool=other&host=a"), "YES");
}

// The daemon's connection to memcached is gone, and clients have taken its descriptor.
void memcached_is_found_again_once_there_is_a_descriptor(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start_with_memcached());
  Connection control(f.port());
  assert_text(word(control, "/get?pool=mutex&host=a"), "YES");
  f.memcached.kill_now();
  assert_true(f.daemon->wait_for_log("memcached down").has_value());
  std::vector<Connection> crowd = f.use_up();
  assert_true(f.memcached.start());
  const Response refused = fetch(control, "/get?pool=mutex&host=b");
  assert_int_equal(refused.status, 503);
  assert_text(refused.body, "NO");
  assert_int_equal(fetch(control, "/readyz").status, 503);
  crowd.clear();
  assert_true(eventually([&] { return fetch(control, "/readyz").status == 200; }));
  control.close();
  f.allow(plenty);
  assert_text(unrest(*f.daemon, "mutex", 1, f.at_rest), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, clients_contend_and_none_is_told_wrong),
      test_with(Fixture, waiters_keep_their_place_and_their_lock),
      test_with(Fixture, a_reload_that_cannot_read_its_file_changes_nothing),
      test_with(Fixture, full_server_can_still_reload),
      test_with(Fixture, memcached_is_found_again_once_there_is_a_descriptor),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
