// SPDX-License-Identifier: MIT
// LockInfo: what is read, what is kept, and what is told of any lease.
#include "doors/terraform/info.h"
#include "lock/note.h"
#include "support/test.h"

namespace distributex {
namespace {

constexpr uint64_t some_time = 1795682400'123456;  // 2026-11-26T08:40:00.123456Z

LockInfo read(std::string_view body) {
  auto info = read_lock_info(body);
  return std::holds_alternative<LockInfo>(info) ? std::get<LockInfo>(info)
                                                : LockInfo{.id = std::get<std::string>(info),
                                                           .operation = {},
                                                           .info = {},
                                                           .who = {},
                                                           .version = {},
                                                           .created = {},
                                                           .path = {}};
}

void owner_is_the_host_of_who_and_the_id(void**) {
  struct Row {
    const char* who;
    const char* host;
  };
  for (const Row& row :
       {Row{"ann@ci1", "ci1"}, Row{"a@b@c.d", "c.d"}, Row{"ann", "terraform"},
        Row{"ann@", "terraform"}, Row{"ann@a\\nb", "terraform"}, Row{"", "terraform"}}) {
    const LockInfo info = read(std::string(R"({"ID":"7","Who":")") + row.who + R"("})");
    const Owner owner = owner_of(info);
    assert_text(owner.host, row.host);
    assert_text(owner.id, "7");
  }
}

// A client parses Created as a time and fails if it cannot.
void created_is_kept_when_it_is_a_time(void**) {
  for (const char* sound :
       {"2026-11-26T09:00:00Z", "2026-11-26T09:00:00.1Z", "2026-11-26T23:59:59.123456789+01:00"}) {
    assert_text(read(std::string(R"({"ID":"1","Created":")") + sound + "\"}").created, sound);
  }
  for (const char* unsound :
       {"", "now", "2026-11-26", "2026-11-26T09:00:00", "2026-11-26 09:00:00Z",
        "2026-13-26T09:00:00Z", "2026-02-30T09:00:00Z", "2026-11-00T09:00:00Z",
        "2026-11-26T24:00:00Z", "2026-11-26T09:60:00Z", "2026-11-26T09:00:60Z",
        "2026-11-26T09:00:00.Z", "2026-11-26T09:00:00.1234567890Z", "2026-11-26T09:00:00.1",
        "2026-11-26T09:00:00+24:00", "2026-11-26T09:00:00+01:60", "2026-11-26T09:00:00Z "}) {
    assert_text(read(std::string(R"({"ID":"1","Created":")") + unsound + "\"}").created, "");
  }
}

void note_is_never_too_long(void**) {
  for (const size_t size : {size_t{0}, size_t{600}, size_t{4000}, size_t{60000}}) {
    LockInfo info = read(R"({"ID":"1","Operation":"apply","Created":"2026-11-26T09:00:00Z"})");
    info.who = std::string(size, '\x01');
    info.info = std::string(size, 'i');
    info.path = std::string(size, '"');
    const std::string note = note_of(info);
    assert_true(note.size() <= note_max);
    const LockInfo told = info_of({"h", "1"}, 5, note, Duration{}, some_time);
    assert_text(told.id, "1");
    assert_text(told.created, "2026-11-26T09:00:00Z");
    if (size == 0) {
      assert_text(told.operation, "apply");
    }
  }
}

void every_lease_can_be_told(void**) {
  for (const char* note : {"", "fleetlock", "terraform", "terraform {}", "terraform [", "x y"}) {
    const LockInfo told = info_of({"web7", "1"}, 5, note, std::chrono::seconds{2}, some_time);
    assert_text(told.id, "5");
    assert_text(told.who, "web7/1");
    assert_text(told.operation, "held through Distributex");
    assert_text(told.created, "2026-11-26T08:39:58.123456000Z");
  }
}

}  // namespace
}  // namespace distributex

int main() {
  using namespace distributex;
  const CMUnitTest tests[] = {
      cmocka_unit_test(owner_is_the_host_of_who_and_the_id),
      cmocka_unit_test(created_is_kept_when_it_is_a_time),
      cmocka_unit_test(note_is_never_too_long),
      cmocka_unit_test(every_lease_can_be_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
