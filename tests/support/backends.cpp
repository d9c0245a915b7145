// SPDX-License-Identifier: MIT
#include "support/backends.h"

#include <memory>
#include <utility>
#include <vector>

#include "support/daemon.h"
#include "support/etcd.h"
#include "support/memcached.h"

namespace distributex::test {

namespace {

Memcached* shared_memcached = nullptr;
EtcdCluster* shared_etcd = nullptr;

int make_inmemory(void** state) {
  *state = std::make_unique<BackendBench>("inmemory").release();
  return 0;
}

int make_memcache(void** state) {
  *state = std::make_unique<BackendBench>("memcache", memcache_options()).release();
  return 0;
}

int make_sqlite(void** state) {
  *state = std::make_unique<BackendBench>("sqlite", sqlite_options()).release();
  return 0;
}

int make_etcd(void** state) {
  *state = std::make_unique<BackendBench>("etcd", etcd_options()).release();
  return 0;
}

int end_bench(void** state) {
  const std::unique_ptr<BackendBench> ended(&bench(state));
  return 0;
}

int run(const char* group, std::span<const CMUnitTest> tests, CMFixtureFunction make) {
  std::vector<CMUnitTest> over(tests.begin(), tests.end());
  for (CMUnitTest& test : over) {
    test.setup_func = make;
    test.teardown_func = make ? end_bench : nullptr;
  }
  return _cmocka_run_group_tests(group, over.data(), over.size(), nullptr, nullptr);
}

}  // namespace

std::string memcache_options() {
  static int tests = 0;
  return "memcachehost: \"" + shared_memcached->address() + "\"\nmemcacheprefix: \"t" +
         std::to_string(tests++) + ":\"";
}

std::string sqlite_options() {
  static TempDir dir;
  static int tests = 0;
  return "sqlitefile: \"" + dir.file(std::to_string(tests++) + ".db") + "\"";
}

std::string etcd_options() {
  static int tests = 0;
  return "etcdhosts: \"" + shared_etcd->hosts() + "\"\netcdprefix: \"t" + std::to_string(tests++) +
         "/\"";
}

int run_over_backends(std::span<const CMUnitTest> tests, std::span<const CMUnitTest> others) {
  Memcached memcached;
  if (!memcached.start()) {
    return 1;
  }
  shared_memcached = &memcached;
  int failed = run("inmemory", tests, make_inmemory) + run("memcache", tests, make_memcache) +
               run("sqlite", tests, make_sqlite);
  if (EtcdCluster::is_installed()) {
    EtcdCluster etcd(1);
    if (!etcd.start()) {
      return 1;
    }
    shared_etcd = &etcd;
    failed += run("etcd", tests, make_etcd);
    shared_etcd = nullptr;
  }
  failed += others.empty() ? 0 : run("others", others, nullptr);
  shared_memcached = nullptr;
  return failed;
}

}  // namespace distributex::test
