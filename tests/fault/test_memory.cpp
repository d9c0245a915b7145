// SPDX-License-Identifier: MIT
// The daemon runs out of memory, by RLIMIT_AS while it runs and clients fill its
// buffers. It ends, at once and with a line in the log, instead of going on with a timer
// that was not armed or an answer that lost its end; then it starts again. And while its own
// limits hold, clients cannot use up its memory.
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"
#include "support/tls_world.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(max_header_size: 65536
pools:
  - {name: mutex, expire: 2}
  - {name: long, expire: 600}
)";
constexpr long room_kib = 3072;  // what the daemon may take beyond what it has
constexpr size_t most_greedy = 200;

struct Fixture {
  Memcached memcached{};
  std::vector<std::unique_ptr<Daemon>> daemons{};
  std::unique_ptr<Crowd> crowd{};

  bool finish() {
    crowd.reset();
    bool well = true;
    for (const auto& daemon : daemons) {
      well = daemon->stop() && well;
    }
    return well;
  }
  Daemon& add(std::string_view yaml) {
    daemons.push_back(std::make_unique<Daemon>(yaml));
    assert_true(daemons.back()->start() && is_ready(*daemons.back()));
    return *daemons.back();
  }
  static bool is_ready(const Daemon& daemon) {
    return eventually([&] { return fetch(daemon.port(), "/readyz").status == 200; });
  }
};

struct TlsFixture : TlsWorld {
  bool begin() { return start(); }
  bool finish() { return daemon->stop(); }
};

// To be called before a test has made anything, for skip() runs no destructor.
void skip_where_sanitized() {
  if (!sanitized) {
    return;
  }
  print_message("skipped: a sanitizer's memory cannot be limited\n");
  skip();
}

void limit_memory(const Daemon& daemon) {
  const std::string status = read_whole_file("/proc/" + std::to_string(daemon.pid()) + "/status");
  const long size_kib = atol(status.c_str() + status.find("VmSize:") + 7);
  const auto most = static_cast<rlim_t>(size_kib + room_kib) * 1024;
  const rlimit limit{most, most};
  assert_int_equal(prlimit(daemon.pid(), RLIMIT_AS, &limit, nullptr), 0);
}

// Adds clients that never finish their heads until the daemon ends; returns a time at which
// the daemon surely lived. None of these clients is told of a lock.
Clock::time_point fill_until_it_ends(Daemon& daemon) {
  limit_memory(daemon);
  const std::string head =
      "GET /get?pool=mutex&host=greedy HTTP/1.1\r\nX: " + std::string(60000, 'x');
  std::vector<Connection> greedy;
  const Clock::time_point begin = Clock::now();
  Clock::time_point alive = begin;
  while (!daemon.wait_exit(milliseconds{greedy.size() < most_greedy ? 0 : 20})) {
    alive = Clock::now();
    assert_that(alive - begin < patience, "it bears %zu of them", greedy.size());
    if (greedy.size() == most_greedy) {
      continue;
    }
    greedy.emplace_back(daemon.port());
    if (greedy.back().connected()) {
      (void)greedy.back().send(head);
    }
  }
  for (Connection& one : greedy) {
    assert_true(!one.connected() || one.wait_end() != End::none);
    assert_text(one.unread(), "");
  }
  return alive;
}

void check_end(Daemon& daemon) {
  assert_int_equal(daemon.wait_exit().value_or(-1), 128 + SIGABRT);
  assert_int_equal(daemon.log_lines("out of memory").size(), 1);
}

void it_ends_and_starts_afresh_with_higher_tokens(void** state) {
  skip_where_sanitized();
  Fixture& f = fixture_of<Fixture>(state);
  Daemon& daemon = f.add(pools);
  const long at_rest = daemon.open_files();
  const Response before = fetch(daemon.port(), "/get?pool=long&host=a");
  f.crowd = std::make_unique<Crowd>(CrowdShape{.pool = "mutex", .clients = 10},
                                    std::vector{daemon.port()});
  f.crowd->history().slots("mutex", 1);
  for (int i = 0; i < 3; i++) {
    assert_true(f.crowd->goes_on(20));
    const Clock::time_point alive = fill_until_it_ends(daemon);
    f.crowd->lost_all(alive, Clock::now());
    check_end(daemon);
    assert_true(daemon.restart());
  }
  assert_true(f.crowd->goes_on(20));
  f.crowd->stop();
  assert_text(f.crowd->history().verdict(), "");
  const Response after = fetch(daemon.port(), "/get?pool=long&host=b");
  assert_text(after.header("Distributex-Result"), "granted");
  assert_true(std::stoll(after.header("Distributex-Token")) >
              std::stoll(before.header("Distributex-Token")));
  assert_text(word(daemon.port(), "/release?pool=long&host=b"), "OK");
  assert_text(unrest(daemon, "mutex", 1, at_rest), "");
}

void locks_in_memcached_outlive_it(void** state) {
  skip_where_sanitized();
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.memcached.start());
  const std::string yaml = "backend: memcache\nmemcachehost: " + f.memcached.address() +
                           "\npoll: 20\n" + std::string(pools);
  Daemon& one = f.add(yaml);
  const Daemon& other = f.add(yaml);
  const long at_rest = other.open_files();
  const std::string token = fetch(one.port(), "/get?pool=long&host=a").header("Distributex-Token");
  f.crowd = std::make_unique<Crowd>(CrowdShape{.pool = "mutex", .clients = 10},
                                    std::vector{one.port(), other.port()});
  f.crowd->history().slots("mutex", 1);
  assert_true(f.crowd->goes_on(20));
  (void)fill_until_it_ends(one);
  check_end(one);
  assert_true(f.crowd->goes_on(20));
  assert_text(word(other.port(), "/get?pool=long&host=b"), "NO");
  assert_true(one.restart() && Fixture::is_ready(one));
  assert_true(f.crowd->goes_on(20));
  f.crowd->stop();
  assert_text(f.crowd->history().verdict(), "");
  assert_text(word(one.port(), "/renew?pool=long&host=a&token=" + token), "OK");
  assert_text(word(one.port(), "/release?pool=long&host=a&token=" + token), "OK");
  assert_text(unrest(one, "mutex", 1, at_rest), "");
  assert_text(unrest(other, "long", 1, at_rest), "");
}

// --- OpenSSL --------------------------------------------------------------------

// In a process of its own, where nothing but OpenSSL asks for memory: it must end, for a
// handshake that goes on without some of its memory may prove what is not so. This test must
// run first: OpenSSL takes other functions only before its first allocation.
void an_allocation_of_openssl_that_fails_ends_the_process(void**) {
  skip_where_sanitized();
  int words[2];
  assert_int_equal(pipe(words), 0);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    dup2(words[1], STDERR_FILENO);
    close(words[0]);
    close(words[1]);
    end_when_out_of_memory();
    const SslContext context{SSL_CTX_new(TLS_server_method())};
    const rlimit limit{rlim_t{256} << 20U, rlim_t{256} << 20U};
    setrlimit(RLIMIT_AS, &limit);
    SSL* ssl = SSL_new(context.get());
    while (ssl) {
      ssl = SSL_new(context.get());
    }
    _exit(0);
  }
  close(words[1]);
  char last[256] = "";
  (void)!read(words[0], last, sizeof last - 1);
  close(words[0]);
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_text(last, "error out of memory\n");
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
}

// Those who have finished their handshakes keep their memory, and more of them come.
void it_ends_in_the_middle_of_handshakes(void** state) {
  skip_where_sanitized();
  TlsFixture& f = fixture_of<TlsFixture>(state);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    assert_text(word(f.plain(), "/get?pool=p&host=a"), "YES");
    limit_memory(*f.daemon);
    std::vector<std::unique_ptr<TlsClient>> clients;
    while (!f.daemon->wait_exit(milliseconds{0})) {
      assert_that(clients.size() < 2000, "it bears %zu of them", clients.size());
      clients.push_back(std::make_unique<TlsClient>(f.tls(), TlsOptions{.version = version}));
      if (clients.back()->connected()) {
        const Response answer = clients.back()->fetch("/get?pool=p&host=b");
        assert_true(answer.status == 0 || answer.body == "NO");
      }
    }
    check_end(*f.daemon);
    assert_true(f.start());
  }
}

// --- limits -----------------------------------------------------------------------

// As many connections as there may be, each with the head that costs most:
// lines without a name or a value.
void its_limits_bound_what_clients_can_make_it_keep(void** state) {
  skip_where_sanitized();
  Fixture& f = fixture_of<Fixture>(state);
  Daemon& daemon = f.add("max_connections: 100\nmax_header_size: 2048\npools:\n  - name: long\n");
  const long at_rest = daemon.open_files();
  const long before = daemon.rss_kib();
  std::string lines;
  for (int i = 0; i < 2000; i++) {
    lines += ":\r\n";
  }
  std::vector<Connection> crowd;
  for (int i = 0; i < 150; i++) {
    crowd.emplace_back(daemon.port());
    crowd.back().send("GET /get?pool=long&host=a HTTP/1.1\r\n" + lines);
  }
  assert_text(word(daemon.port(), "/livez"), "NO");
  const long grown = daemon.rss_kib() - before;
  assert_that(grown < 64 * 1024, "it has grown by %ld KiB", grown);
  crowd.clear();
  assert_text(unrest(daemon, "long", 1, at_rest), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_allocation_of_openssl_that_fails_ends_the_process),
      test_with(Fixture, it_ends_and_starts_afresh_with_higher_tokens),
      test_with(Fixture, locks_in_memcached_outlive_it),
      test_with(TlsFixture, it_ends_in_the_middle_of_handshakes),
      test_with(Fixture, its_limits_bound_what_clients_can_make_it_keep),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
