// SPDX-License-Identifier: MIT
// Fifty distributex at once through one pool: each runs once, no two overlap, and
// nothing is left behind when they are through.
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

#include "support/client.h"
#include "support/daemon.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
)";
constexpr size_t crowd = 50;

struct Fixture {
  Daemon daemon{config};
  TempDir dir;
  std::vector<std::unique_ptr<Client>> clients;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
};

size_t open_descriptors() {
  size_t count = 0;
  DIR* fds = opendir("/proc/self/fd");
  while (fds != nullptr && readdir(fds) != nullptr) {
    ++count;
  }
  if (fds != nullptr) {
    closedir(fds);
  }
  return count;
}

// Each run makes a folder and removes it: mkdir fails if another run overlaps.
void fifty_clients_run_one_after_another(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const size_t descriptors = open_descriptors();
  const std::string inside = f.dir.file("inside");
  const std::string log = f.dir.file("log");
  const std::string command = "mkdir " + inside + " || { echo overlap >>" + log + "; exit 1; }; " +
                              "echo in >>" + log + "; rmdir " + inside;
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=starter"), "YES");
  for (size_t i = 0; i < crowd; ++i) {
    f.clients.push_back(std::make_unique<Client>(on(f.daemon.port(), "one", {command})));
  }
  assert_true(wait_for_waiting(f.daemon.port(), "one", crowd));
  assert_text(word(f.daemon.port(), "/release/?pool=one&host=starter"), "OK");
  for (const auto& client : f.clients) {
    const Ended ended = client->finish();
    assert_int_equal(ended.code, 0);
    assert_text(ended.err, "");
  }
  const std::string said = read_whole_file(log);
  assert_int_equal(lines_in(said), crowd);
  assert_true(said.find("overlap") == std::string::npos);

  const PoolState pool = pool_state(f.daemon.port(), "one");
  assert_int_equal(pool.holders.size() + pool.waiting.size(), 0);
  const std::vector<pid_t> children = children_of(getpid());
  assert_int_equal(children.size(), 1);
  assert_int_equal(children.front(), f.daemon.pid());
  f.clients.clear();
  assert_int_equal(open_descriptors(), descriptors);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, fifty_clients_run_one_after_another),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
