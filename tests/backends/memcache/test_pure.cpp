// SPDX-License-Identifier: MIT
// The pure parts of the memcache backend: addresses, keys, items, pauses, ends.
#include "backends/memcache/address.h"
#include "backends/memcache/ends.h"
#include "backends/memcache/highest.h"
#include "backends/memcache/item.h"
#include "backends/memcache/key.h"
#include "backends/memcache/poll.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string addresses_in(std::string_view text) {
  const auto parsed = parse_memcache_hosts(text, 11211);
  if (const auto* part = std::get_if<std::string>(&parsed)) {
    return "wrong: " + *part;
  }
  std::string all;
  for (const auto& address : std::get<std::vector<MemcacheAddress>>(parsed)) {
    all += (all.empty() ? "" : " ") + address_name(address);
  }
  return all;
}

void reads_addresses_of_all_kinds(void**) {
  const struct {
    const char* text;
    const char* outcome;
  } rows[] = {
      {"localhost", "localhost:11211"},
      {"10.0.0.1:11212", "10.0.0.1:11212"},
      {"::1", "[::1]:11211"},
      {"[::1]", "[::1]:11211"},
      {"[fe80::1]:5", "[fe80::1]:5"},
      {"/run/memcached.sock", "/run/memcached.sock"},
      {"unix:/run/memcached.sock", "/run/memcached.sock"},
      {"a:1, b ,\tc:3", "a:1 b:11211 c:3"},
      {"", "wrong: "},
      {"a,,b", "wrong: "},
      {"a,", "wrong: "},
      {"a:", "wrong: a:"},
      {":1", "wrong: :1"},
      {"a:0", "wrong: a:0"},
      {"a:65536", "wrong: a:65536"},
      {"a:1x", "wrong: a:1x"},
      {"a b", "wrong: a b"},
      {"[]:1", "wrong: []:1"},
      {"[::1", "wrong: [::1"},
      {"[::1]x", "wrong: [::1]x"},
      {"a/b", "wrong: a/b"},
  };
  for (const auto& row : rows) {
    assert_text(addresses_in(row.text), row.outcome);
  }
}

void finds_a_pool_at_the_same_server_for_ever(void**) {
  assert_int_equal(server_of("test1", 1), 0);
  // Other versions of this program must choose the same memcached for a pool.
  assert_int_equal(server_of("", 1000), 0xcbf29ce484222325 % 1000);
  assert_int_equal(server_of("a", 1000), 0xaf63dc4c8601ec8c % 1000);
  assert_int_equal(server_of("foobar", 1000), 0x85944171f73967e8 % 1000);
}

void keys_hold_nothing_that_memcached_could_take_for_more(void**) {
  assert_text(slot_key("d:", "test1", 0), "d:test1:0");
  assert_text(counter_key("d:", "test1"), "d:test1:token");
  assert_text(slot_key("", "a b\r\nflush_all", 12), "a%20b%0D%0Aflush_all:12");
  assert_text(slot_key("", "ü:%", 1), "%C3%BC%3A%25:1");
  assert_false(is_sound_key("a b"));
  assert_false(is_sound_key("a\r\nb"));
  assert_false(is_sound_key(""));
  assert_false(is_sound_key(std::string(251, 'a')));
  assert_true(is_sound_key(std::string(250, 'a')));
  assert_true(is_sound_prefix("") && is_sound_prefix("my.app_1:"));
  assert_false(is_sound_prefix("a b") || is_sound_prefix(std::string(65, 'a')));
}

void long_pools_have_keys_of_their_own(void**) {
  const std::string long_name(255, '\x01');
  const std::string prefix(memcache_prefix_max, 'p');
  const std::string key = slot_key(prefix, long_name, 4294967295);
  assert_true(is_sound_key(key));
  assert_true(slot_key("", long_name, 1) != slot_key("", long_name.substr(1) + "\x02", 1));
  // A pool's name of up to 150 bytes stands in the key as it is; longer ones are digested.
  assert_text(slot_key("", std::string(150, 'x'), 1), std::string(150, 'x') + ":1");
  assert_int_equal(slot_key("", std::string(151, 'x'), 1).size(), 152);
}

SlotLease some_lease() {
  SlotLease lease;
  lease.owner = {"host name", ""};
  lease.token = 42;
  lease.length = seconds(30);
  lease.granted_us = 1;
  lease.started_us = 2;
  lease.nonce = "abc";
  return lease;
}

void an_item_reads_back_as_it_was(void**) {
  SlotLease lease = some_lease();
  assert_text(format_slot(lease), "dx1 lease 42 30 1 2 abc host%20name ");
  for (const char* id : {"", "id", "\xc3\xbc +x"}) {
    for (const bool is_told : {false, true}) {
      lease.owner.id = id;
      lease.told.clear();
      if (is_told) {
        lease.told = {"s1", "s2"};
      }
      const auto read = parse_slot(format_slot(lease));
      assert_true(read && read->owner == lease.owner && read->token == 42);
      assert_true(read->length == seconds(30) && read->granted_us == 1 && read->started_us == 2);
      assert_true(read->nonce == "abc" && read->told == lease.told);
    }
  }
}

void a_mark_counts_for_its_own_lease_only(void**) {
  const SlotLease lease = some_lease();
  SlotLease other = lease;
  other.nonce = "xyz";
  const auto read =
      parse_slot(format_slot(lease) + told_mark(other, "s1") + told_mark(lease, "s2"));
  assert_true(read && read->told_by("s2") && !read->told_by("s1"));
}

void what_is_no_item_is_not_read(void**) {
  const char* texts[] = {"",
                         "-",
                         "dx1",
                         "dx2 lease 1 1 1 1 n h i",
                         "dx1 other 1 1 1 1 n h i",
                         "dx1 lease 0 1 1 1 n h i",
                         "dx1 claim 1 1 1 1 n h i",
                         "dx1 lease 9007199254740992 1 1 1 n h i",
                         "dx1 lease -1 1 1 1 n h i",
                         "dx1 lease 1 1x 1 1 n h i",
                         "dx1 lease 1 1 1 1  h i",
                         "dx1 lease 1 1 1 1 n h% i",
                         "dx1 lease 1 1 1 1 n h%2 i",
                         "dx1 lease 1 1 1 1 n h%zz i"};
  for (const char* text : texts) {
    assert_that(!parse_slot(text), "read: %s", text);
  }
  assert_true(parse_slot("dx1 lease 9007199254740991 1 1 1 n h i").has_value());
}

void nonces_differ(void**) {
  assert_int_equal(make_nonce().size(), 32);
  assert_true(make_nonce() != make_nonce());
}

void pauses_grow_to_a_second_while_nothing_changes(void**) {
  MemcachePoll poll(milliseconds(100), 7);
  std::vector<SlotLease> seen{some_lease()};
  const Duration first = poll.next(seen);
  assert_true(first >= milliseconds(75) && first <= milliseconds(126));
  Duration last{};
  for (int i = 0; i < 20; i++) {
    last = poll.next(seen);
  }
  assert_true(last >= milliseconds(700) && last <= seconds(1));
  seen[0].nonce = "another";
  assert_true(poll.next(seen) <= milliseconds(126));
  for (int i = 0; i < 20; i++) {
    last = poll.next(seen);
  }
  poll.reset();
  assert_true(poll.next(seen) <= milliseconds(126));
}

void pauses_are_not_in_step(void**) {
  MemcachePoll one(milliseconds(100), 1);
  MemcachePoll two(milliseconds(100), 3);
  assert_true(one.next({}) != two.next({}) || one.next({}) != two.next({}));
}

void leases_come_due_in_order_of_their_ends(void**) {
  MemcacheEnds ends;
  const Time zero{};
  const auto put = [&](const char* pool, const char* nonce, int s) {
    Lease lease;
    lease.owner.host = nonce;
    lease.ends = zero + seconds(s);
    ends.put({pool, lease, nonce});
  };
  put("p", "a", 30);
  put("p", "b", 10);
  put("q", "c", 20);
  assert_true(ends.first() == zero + seconds(10));
  assert_true(ends.first("q") == zero + seconds(20));
  assert_false(ends.first("r").has_value());
  assert_non_null(ends.find("a"));
  put("p", "b", 40);
  ends.drop("nobody");
  assert_true(ends.take_due("q", zero + seconds(19)).empty());
  std::string due;
  for (const EndingLease& lease : ends.take_due(zero + seconds(30))) {
    due += lease.nonce;
  }
  assert_text(due, "ca");
  assert_int_equal(ends.take_due("p", zero + seconds(40)).size(), 1);
  assert_false(ends.first().has_value());
  ends.put({"p", Lease{}, "for ever"});
  assert_false(ends.first().has_value());
}

void the_highest_tokens_of_many_names_take_little_room(void**) {
  HighestTokens highest(100);
  for (int i = 1; i <= 100'000; i++) {
    highest.note("made/" + std::to_string(i), 1000 + static_cast<Token>(i));
    highest.note("kept", 5);
  }
  assert_true(highest.size() <= 200);
  assert_int_equal(highest.in("kept"), 5);
  assert_int_equal(highest.in("made/100000"), 101'000);
  assert_int_equal(highest.in("made/1"), 0);
  assert_int_equal(highest.in_all(), 101'000);
  highest.note("kept", 3);
  assert_int_equal(highest.in("kept"), 5);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_addresses_of_all_kinds),
      cmocka_unit_test(finds_a_pool_at_the_same_server_for_ever),
      cmocka_unit_test(keys_hold_nothing_that_memcached_could_take_for_more),
      cmocka_unit_test(long_pools_have_keys_of_their_own),
      cmocka_unit_test(an_item_reads_back_as_it_was),
      cmocka_unit_test(a_mark_counts_for_its_own_lease_only),
      cmocka_unit_test(what_is_no_item_is_not_read),
      cmocka_unit_test(nonces_differ),
      cmocka_unit_test(pauses_grow_to_a_second_while_nothing_changes),
      cmocka_unit_test(pauses_are_not_in_step),
      cmocka_unit_test(leases_come_due_in_order_of_their_ends),
      cmocka_unit_test(the_highest_tokens_of_many_names_take_little_room),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
