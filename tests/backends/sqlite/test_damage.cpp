// SPDX-License-Identifier: MIT
// Stores in which a byte has changed or that end early are right or refused, and
// when memory runs out the process ends and the store is whole.
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "support/choices.h"
#include "support/store_run.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Fixture = StoreRun;

// --- damage ---

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.file_size() > 0) {
      files.push_back(entry.path().filename().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Damages a copy of a store in one place; the copy must be read right or be refused.
void damage_once(const Fixture& f, Choices& dice, const std::string& good, bool cuts,
                 const std::string& right, std::map<std::string, int>& tally) {
  f.clear();
  const std::string folder = f.dir.file("disk");
  for (const std::string& name : files_of(good)) {
    std::filesystem::copy_file(good + "/" + name, folder + "/" + name);
  }
  uint64_t total = 0;
  const std::vector<std::string> files = files_of(folder);
  for (const std::string& name : files) {
    total += std::filesystem::file_size(folder + "/" + name);
  }
  uint64_t at = dice.below(total);
  std::string path;
  for (const std::string& name : files) {
    path = folder + "/" + name;
    const uint64_t size = std::filesystem::file_size(path);
    if (at < size) {
      break;
    }
    at -= size;
  }
  if (cuts) {
    std::filesystem::resize_file(path, at);
  } else {
    std::string content = read_whole_file(path);
    content[at] = static_cast<char>(content[at] ^ static_cast<char>(1 + dice.below(255)));
    write_file(path, content);
  }
  const int code = in_other_process([&] {
    alarm(20);
    const std::string text = look_at_store(f.disk());
    return text == right ? 0 : text.starts_with("refused: ") ? 1 : 2;
  });
  tally[code == 0 ? "harmless" : code == 1 ? "refused" : "wrong"]++;
  assert_that(code < 2, "%s of %s at %d: exit %d", cuts ? "a cut" : "a flip", path.c_str(),
              static_cast<int>(at), code);
}

void damage_is_found(Fixture& f, bool closes, bool cuts, int times) {
  f.lay_out(60);
  FaultDisk disk(f.dir.file("twin"));
  f.clear();
  disk.reset();
  assert_int_equal(in_other_process([&] { return f.work(disk, 0, 60, closes); }), 0);
  const std::string good = f.dir.file("good");
  std::filesystem::rename(f.dir.file("disk"), good);
  Choices dice(closes ? 11 : 12);
  std::map<std::string, int> tally;
  for (int i = 0; i < times; i++) {
    damage_once(f, dice, good, cuts, f.texts.back(), tally);
  }
  assert_true(tally["refused"] > times / 20);
}

void a_byte_that_changed_in_a_killed_store_is_found(void** state) {
  damage_is_found(fixture_of<Fixture>(state), false, false, 350);
}
void a_byte_that_changed_in_a_closed_store_is_found(void** state) {
  damage_is_found(fixture_of<Fixture>(state), true, false, 350);
}
void a_file_that_ends_early_is_found(void** state) {
  damage_is_found(fixture_of<Fixture>(state), false, true, 300);
}

// --- memory ---

sqlite3_mem_methods real_memory;
uint64_t allocations = 0;
uint64_t fails_at = 0;

void* allocate(int size) { return ++allocations == fails_at ? nullptr : real_memory.xMalloc(size); }
void* allocate_again(void* memory, int size) {
  return ++allocations == fails_at ? nullptr : real_memory.xRealloc(memory, size);
}

// The process ends, and the store has every change that it had acknowledged. Takes minutes
// where syncs are slow, so it runs only when the environment has DISTRIBUTEX_TEST_ALL.
void without_memory_the_store_stays_whole(void** state) {
  if (getenv("DISTRIBUTEX_TEST_ALL") == nullptr) {
    print_message("skipped: takes minutes, asks for DISTRIBUTEX_TEST_ALL\n");
    skip();
  }
  Fixture& f = fixture_of<Fixture>(state);
  f.lay_out();
  const int all = in_other_process([&] {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods memory = real_memory;
    memory.xMalloc = allocate;
    memory.xRealloc = allocate_again;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    FaultDisk disk(f.dir.file("twin"));
    const auto run = [&] { return f.work(disk, 0, 4, false); };
    f.clear();
    disk.reset();
    // A run without a fault counts the allocations; then some twelve of them fail in turn.
    if (run() != 0) {
      return 1;
    }
    const uint64_t step = allocations / 12 + 1;
    for (uint64_t at = 1; at <= allocations; at += step) {
      f.clear();
      disk.reset();
      const int code = in_other_process([&] {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        if (freopen("/dev/null", "w", stderr) == nullptr) {
          return 4;
        }
        allocations = 0;
        fails_at = at;
        return f.work(disk, 0, 4, false);
      });
      if (code != 0 && code != 128 + SIGABRT) {
        return 2;
      }
      const uint64_t acked = disk.noted();
      const std::string text = look_at_store(f.disk());
      const bool is_new = acked == 0 && (text.empty() || text == "refused: missing");
      if (!is_new && text != f.texts[acked] && text != f.texts[acked + 1]) {
        return 3;
      }
    }
    return 0;
  });
  assert_int_equal(all, 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_byte_that_changed_in_a_killed_store_is_found),
      test_with(Fixture, a_byte_that_changed_in_a_closed_store_is_found),
      test_with(Fixture, a_file_that_ends_early_is_found),
      test_with(Fixture, without_memory_the_store_stays_whole),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
