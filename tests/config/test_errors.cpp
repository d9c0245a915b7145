// SPDX-License-Identifier: MIT
// What distributex.yaml may not say: each error is compared whole, for its
// position and its words are what an administrator has to go by.
#include "support/config.h"
#include "support/test.h"

namespace distributex {
namespace {

using namespace test;
using namespace std::string_view_literals;

// Below this pool stands line 3.
constexpr std::string_view one_pool = "pools:\n  - name: a\n";

void numbers_are_plain_digits(void**) {
  constexpr ConfigRow rows[] = {
      {"'3600'", "f:3:13: expire: \"3600\" is a text, by its quotes"},
      {"1.5", "f:3:13: expire: 1.5 is not a whole number in plain digits"},
      {"1e3", "f:3:13: expire: 1e3 is not a whole number in plain digits"},
      {"0x10", "f:3:13: expire: 0x10 is not a whole number in plain digits"},
      {"0o17", "f:3:13: expire: 0o17 is not a whole number in plain digits"},
      {"017", "f:3:13: expire: 017 is not a whole number in plain digits"},
      {"1_000", "f:3:13: expire: 1_000 is not a whole number in plain digits"},
      {"+1", "f:3:13: expire: +1 is not a whole number in plain digits"},
      {"1 h", "f:3:13: expire: 1 h is not a whole number in plain digits"},
      {"yes", "f:3:13: expire: yes is not a whole number in plain digits"},
      {"-5", "f:3:13: expire: -5 is out of range"},
      {"", "f:3:12: expire: no value"},
      {"~", "f:3:13: expire: no value"},
      {"null", "f:3:13: expire: no value"},
      {"[1]", "f:3:13: expire: a list where a number is due"},
      {"{a: 1}", "f:3:13: expire: a map where a number is due"},
  };
  check_config_rows(
      rows, {.before = "pools:\n  - name: a\n    expire: ",
             .ending = "; write a whole number of seconds, 0 to 2147483647 (default 1800)"});
}

void a_pool_has_a_name(void**) {
  constexpr ConfigRow rows[] = {
      {"{}", "f:1:9: name: missing"},
      {"{expire: 1}", "f:1:9: name: missing"},
      {"{name: }", "f:1:16: name: no value"},
      {"{name: ~}", "f:1:16: name: no value"},
      {"{name: ''}", "f:1:16: name: \"\" is too short"},
      {"{name: [a]}", "f:1:16: name: a list where a text is due"},
      {"{name: \"a\\0\"}", "f:1:16: name: \"a\\x00\" has a control character"},
      {"{name: \"\\x7f\"}", "f:1:16: name: \"\\x7f\" has a control character"},
      {"{name: \"\\x85\"}", "f:1:16: name: \"\\xc2\\x85\" has a control character"},
  };
  check_config_rows(
      rows, {.before = "pools: [", .after = "]", .ending = "; write a text of 1 to 255 bytes"});
}

void a_pool_stands_there_once(void**) {
  constexpr ConfigRow rows[] = {
      {"- name: a\n- name: b\n- name: a",
       "f:4:3: the pool \"a\" is given in line 2 already; keep one of the two"},
      {"- &a {name: a}\n- *a",
       "f:2:3: the pool \"a\" is given in line 2 already; keep one of the two"},
      {"- name: a\n  expire: 1\n  name: b",
       "f:4:3: name is given in line 2 already; keep one of the two"},
      {"- name: a\npools: []", "f:3:1: pools is given in line 1 already; keep one of the two"},
      {"- a", "f:2:3: \"a\" is not a pool; write - name: NAME and its other keys"},
  };
  check_config_rows(rows, {.before = "pools:\n"});
}

void groups_of_fleetlock_are_told_apart(void**) {
  constexpr ConfigRow words[] = {
      {"false", "f:3:16: fleetlock: \"false\" is no name of a group here"},
      {"No", "f:3:16: fleetlock: \"No\" is no name of a group here"},
      {"a_b", "f:3:16: fleetlock: \"a_b\" is no name of a group"},
      {"[a, '']", "f:3:20: fleetlock: \"\" is no name of a group"},
      {"[a, a]", "f:3:20: fleetlock: \"a\" is listed twice"},
      {"[]", "f:3:16: fleetlock: an empty list"},
  };
  check_config_rows(words,
                    {.before = "pools:\n  - name: a\n    fleetlock: ",
                     .ending = "; write true for the group of the pool's own name, or a list of "
                               "groups, each of letters, digits, - and .; without this key no "
                               "node may ask"});
  constexpr ConfigRow pools[] = {
      {"- {name: a/b, fleetlock: true}",
       "f:2:3: fleetlock: no group can be called \"a/b\"; write a list of groups, each of "
       "letters, digits, - and ."},
      {"- {name: a*, fleetlock: [b]}",
       "f:2:3: fleetlock: a pattern serves no group; write a pool of its own for the nodes"},
      {"- {name: a, fleetlock: true}\n- {name: b, fleetlock: [c, a]}",
       "f:3:3: fleetlock: the pool \"a\" has the group \"a\" already; a group has one pool"},
      {"- {name: a, fleetlock: [true, a]}",
       "f:2:3: fleetlock: the pool \"a\" has the group \"a\" already; a group has one pool"},
      {"- {name: a, fleetlock: True}\n- {name: b, fleetlock: [c, a]}",
       "f:3:3: fleetlock: the pool \"a\" has the group \"a\" already; a group has one pool"},
      {"- {name: a/b, fleetlock: 'TRUE'}",
       "f:2:3: fleetlock: no group can be called \"a/b\"; write a list of groups, each of "
       "letters, digits, - and ."},
      {"- {name: a, fleetlock: tRUE}\n- {name: b, fleetlock: [c, TRUE]}",
       "a 1800s x1 | b 1800s x1"},
      {"- {name: a, fleetlock_wait: 1501}",
       "f:2:29: fleetlock_wait: 1501 is out of range; write a whole number of seconds, 0 to 1500 "
       "(default 240)"},
      {"- {name: a, fleetlock: true}\n- {name: b, fleetlock: [c], fleetlock_wait: 0}\n"
       "- {name: c}",
       "a 1800s x1 | b 1800s x1 | c 1800s x1"},
  };
  check_config_rows(pools, {.before = "pools:\n", .show = pools_of});
}

void servers_that_list_nobody_are_refused(void**) {
  constexpr ConfigRow rows[] = {
      {"", "f:3:13: servers: no value"},
      {"~", "f:3:14: servers: no value"},
      {"''", "f:3:14: servers: \"\" has an empty name"},
      {"' '", "f:3:14: servers: \" \" has an empty name"},
      {"[]", "f:3:14: servers: an empty list"},
      {"[a, ~]", "f:3:18: servers: no value"},
      {"[a, [b]]", "f:3:18: servers: a list where a host name is due"},
      {"{a: b}", "f:3:14: servers: a map where a host name is due"},
      {"a,,b", "f:3:14: servers: \"a,,b\" has an empty name"},
      {"a b", "f:3:14: servers: \"a b\" has a space inside"},
      {"\"a\\e\"", "f:3:14: servers: \"a\\x1b\" has a control character"},
  };
  check_config_rows(rows, {.before = "pools:\n  - name: a\n    servers: ",
                           .ending = "; write host names with commas between, or a list of them; "
                                     "without this key every host may ask"});
}

void refuses_addresses_that_are_none(void**) {
  constexpr ConfigRow rows[] = {
      {"9889", "f:2:9: listen: \"9889\" has no port"},
      {"127.0.0.1", "f:2:9: listen: \"127.0.0.1\" has no port"},
      {"'[::1]'", "f:2:9: listen: \"[::1]\" has no port"},
      {"':9889'", "f:2:9: listen: \":9889\" has no address before the port"},
      {"'*:'", "f:2:9: listen: \"*:\" has no port from 0 to 65535 at its end"},
      {"0.0.0.0:65536", "f:2:9: listen: \"0.0.0.0:65536\" has no port from 0 to 65535 at its end"},
      {"0.0.0.0:08", "f:2:9: listen: \"0.0.0.0:08\" has no port from 0 to 65535 at its end"},
      {"localhost:1", "f:2:9: listen: \"localhost:1\" is not a numeric address, like 127.0.0.1"},
      {"127.1:1", "f:2:9: listen: \"127.1:1\" is not a numeric address, like 127.0.0.1"},
      {"\"127.0.0.1\\0:1\"",
       "f:2:9: listen: \"127.0.0.1\\x00:1\" is not a numeric address, like 127.0.0.1"},
      {"fe80::1:1", "f:2:9: listen: \"fe80::1:1\" is no IPv4 address (IPv6 needs [ ] around it)"},
      {"'[127.0.0.1]:1'", "f:2:9: listen: \"[127.0.0.1]:1\" has no IPv6 address in its brackets"},
      {"'[::12:1'", "f:2:9: listen: \"[::12:1\" has no IPv6 address in its brackets"},
      {"'[:1'", "f:2:9: listen: \"[:1\" has no IPv6 address in its brackets"},
      {"unix:x", "f:2:9: listen: \"unix:x\" is not an absolute path"},
      {"unix:/run/", "f:2:9: listen: \"unix:/run/\" is a folder, not a socket"},
      {"\"unix:/a\\n\"", "f:2:9: listen: \"unix:/a\\x0a\" has a control character"},
      {"['*:1', '*:2', '*:1']", "f:2:24: listen: \"*:1\" is listed twice"},
      {"[]", "f:2:9: listen: an empty list"},
      {"{a: b}", "f:2:9: listen: a map where an address is due"},
  };
  check_config_rows(rows, {.before = "pools: [{name: a}]\nlisten: ",
                           .ending = "; write one or a list of \"ADDRESS:PORT\", "
                                     "\"[V6ADDRESS]:PORT\", \"*:PORT\", with or without "
                                     "\"tls:\" before it, and \"unix:/PATH\" (default "
                                     "*:9889)"});
}

struct Texts {
  std::string longest;
  std::string seen;
};

void a_name_has_255_bytes_at_most(void** state) {
  Texts& t = fixture_of<Texts>(state);
  t.longest.assign(255, 'a');
  t.seen = pools_in("pools: [{name: " + t.longest + ", servers: " + t.longest + "}]");
  assert_text(t.seen, t.longest + " 1800s x1 for " + t.longest);
  t.seen = pools_in("pools: [{name: " + t.longest + "a}]");
  assert_that(t.seen.find("aaa...\" is too long; write a text of 1 to 255") != t.seen.npos, "%s",
              t.seen.c_str());
  t.seen = pools_in("pools: [{name: a, servers: " + t.longest + "a}]");
  assert_that(t.seen.find("aaa...\" is longer than 255 bytes") != t.seen.npos, "%s",
              t.seen.c_str());
}

void a_socket_path_has_107_bytes_at_most(void** state) {
  Texts& t = fixture_of<Texts>(state);
  t.longest = "unix:/" + std::string(106, 'a');
  t.seen = listen_of(parse_settings("pools: [{name: a}]\nlisten: " + t.longest, "f"));
  assert_text(t.seen, t.longest);
  t.seen = listen_of(parse_settings("pools: [{name: a}]\nlisten: " + t.longest + "a", "f"));
  assert_that(t.seen.find("aaa...\" is too long for a socket: 107 bytes") != t.seen.npos, "%s",
              t.seen.c_str());
}

void names_the_known_options_for_an_unknown_one(void**) {
  constexpr ConfigRow rows[] = {
      {"lisen: a", "f:3:1: \"lisen\" is no option; did you mean listen? Known"},
      {"BACKEND: a", "f:3:1: \"BACKEND\" is no option; did you mean backend? Known"},
      {"colour: a", "f:3:1: \"colour\" is no option; known"},
      {"\"a\\n\\e\": b", "f:3:1: \"a\\x0a\\x1b\" is no option; known"},
  };
  check_config_rows(
      rows,
      {.before = one_pool,
       .ending =
           " are backend, memcachehost, memcacheport, memcacheprefix, "
           "memcachetimeout, poll, sqlitefile, sqlitetimeout, etcdhosts, etcdprefix, etcdtimeout, "
           "etcdcafile, etcdcertfile, etcdkeyfile, etcduser, etcdpasswordfile, listen, "
           "max_connections, "
           "max_connections_per_peer, max_pools, max_waiting, request_timeout, "
           "idle_timeout, max_header_size, max_body_size, events, audit, pools, tls_certificate, "
           "tls_key, tls_client_ca, tls_crl, secrets, secrets_in_clear, access"});
}

void says_where_a_key_belongs(void**) {
  constexpr ConfigRow rows[] = {
      {"expire: 1", "f:3:1: expire is a key of a pool; indent it to stand in an item of pools"},
      {"    expires: 1",
       "f:3:5: \"expires\" is no key of a pool; did you mean expire? Known are name, expire, "
       "maxlocks, servers, fleetlock, fleetlock_wait, min_hold, release_delay, lock_delay, "
       "freeze_after"},
      {"    listen: a",
       "f:3:5: listen is no key of a pool; move it to the top level, without indent"},
      {"<<: {a: b}", "f:3:1: no key; write the name of an option (keys cannot be merged)"},
      {"[a]: b", "f:3:1: no key; write the name of an option (keys cannot be merged)"},
  };
  check_config_rows(rows, {.before = one_pool});
}

void refuses_other_words_and_texts(void**) {
  constexpr ConfigRow rows[] = {
      {"backend: redis",
       "f:3:10: backend: \"redis\" is not known; write one of inmemory, memcache, sqlite, etcd "
       "(default "
       "inmemory)"},
      {"backend: in",
       "f:3:10: backend: \"in\" is not known; write one of inmemory, memcache, sqlite, etcd "
       "(default "
       "inmemory)"},
      {"backend: ''",
       "f:3:10: backend: \"\" is not known; write one of inmemory, memcache, sqlite, etcd (default "
       "inmemory)"},
      {"memcachehost: ''",
       "f:3:15: memcachehost: \"\" is too short; write one or more of HOST, HOST:PORT, "
       "[V6ADDRESS]:PORT and /PATH, with commas between (default localhost)"},
      {"memcachehost: a, b:x",
       "f:3:15: memcachehost: \"b:x\" is no address of a memcached; write one or more of HOST, "
       "HOST:PORT, [V6ADDRESS]:PORT and /PATH, with commas between (default localhost)"},
      {"memcacheprefix: a b",
       "f:3:17: memcacheprefix: \"a b\" has other characters than a key may have; write at most "
       "64 letters, digits and . _ - : % (default distributex:)"},
  };
  check_config_rows(rows, {.before = one_pool});
}

void a_file_without_options_is_refused(void**) {
  constexpr ConfigRow rows[] = {
      {"", "f:1:1: the file is empty; write at least a list of pools"},
      {"# pools\n", "f:1:1: the file is empty; write at least a list of pools"},
      {"---\n", "f:1:1: the file is empty; write at least a list of pools"},
      {"pools", "f:1:1: \"pools\" where options are due; write lines like pools: and its list"},
      {"- a", "f:1:1: a list where options are due; write lines like pools: and its list"},
  };
  check_config_rows(rows, {});
}

void a_file_without_pools_is_refused(void**) {
  constexpr ConfigRow rows[] = {
      {"\nbackend: inmemory", "f:2:1: pools: missing"},
      {"pools:", "f:1:7: pools: no value"},
      {"pools: []", "f:1:8: pools: an empty list"},
      {"pools: a", "f:1:8: pools: \"a\" where a list is due"},
      {"pools: {name: a}", "f:1:8: pools: a map where a list is due"},
  };
  check_config_rows(rows, {.ending = "; write a list of pools, each with a name"});
}

void says_where_it_is_not_yaml(void**) {
  constexpr ConfigRow rows[] = {
      {"listen: *:9889",
       "f:3:10: not valid YAML: did not find expected alphabetic or numeric character, while "
       "scanning an alias"},
      {"listen: [::1]:1",
       "f:3:10: not valid YAML: did not find expected node content, while parsing a flow node"},
      {"   x: 1",
       "f:3:4: not valid YAML: did not find expected '-' indicator, while parsing a block "
       "collection that begins in line 2"},
  };
  check_config_rows(rows, {.before = one_pool,
                           .ending = "; check indentation and colons here, and put a value that "
                                     "begins with a sign like * or [ in quotes"});
}

void refuses_yaml_that_no_configuration_needs(void**) {
  constexpr ConfigRow rows[] = {
      {"\tx: 1",
       "f:3:1: not valid YAML: found a tab character that violates indentation, while scanning a "
       "plain scalar that begins in line 2; indent with spaces, not with tabs"},
      {"--- \nlisten: a",
       "f:3:1: a second document begins here; the file holds one, remove this ---"},
      {"listen: !!str a",
       "f:3:9: a tag means nothing here; remove it, or quote a value that begins with !"},
      {"listen: ! [a]",
       "f:3:9: a tag means nothing here; remove it, or quote a value that begins with !"},
      {"%TAG !a! b", "f:3:1: a %TAG line; this file needs none, remove it"},
  };
  check_config_rows(rows, {.before = one_pool});
}

void a_file_is_utf_8_text(void**) {
  constexpr ConfigRow rows[] = {
      {"listen: \xc3\xa9\xff", "f:3:10: not valid YAML: invalid leading UTF-8 octet"},
      {"listen: \xc3", "f:3:9: not valid YAML: incomplete UTF-8 octet sequence"},
      {"listen: a\0"sv, "f:3:10: not valid YAML: control characters are not allowed"},
      {"listen: a\x1b", "f:3:10: not valid YAML: control characters are not allowed"},
  };
  constexpr std::string_view ending = "; save the file as UTF-8 text";
  check_config_rows(rows, {.before = one_pool, .ending = ending});
  constexpr ConfigRow utf_16[] = {
      {"\xff\xfep\0o\0"sv, "f:1:1: not valid YAML: invalid leading UTF-8 octet"}};
  check_config_rows(utf_16, {.ending = ending});
  constexpr ConfigRow with_byte_order_mark[] = {
      {"\xef\xbb\xbfname: a",
       "f:1:1: name is a key of a pool; indent it to stand in an item of pools"}};
  check_config_rows(with_byte_order_mark, {});
}

}  // namespace
}  // namespace distributex

int main() {
  using namespace distributex;
  const CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_plain_digits),
      cmocka_unit_test(a_pool_has_a_name),
      cmocka_unit_test(a_pool_stands_there_once),
      cmocka_unit_test(groups_of_fleetlock_are_told_apart),
      cmocka_unit_test(servers_that_list_nobody_are_refused),
      cmocka_unit_test(refuses_addresses_that_are_none),
      test_with(Texts, a_name_has_255_bytes_at_most),
      test_with(Texts, a_socket_path_has_107_bytes_at_most),
      cmocka_unit_test(names_the_known_options_for_an_unknown_one),
      cmocka_unit_test(says_where_a_key_belongs),
      cmocka_unit_test(refuses_other_words_and_texts),
      cmocka_unit_test(a_file_without_options_is_refused),
      cmocka_unit_test(a_file_without_pools_is_refused),
      cmocka_unit_test(says_where_it_is_not_yaml),
      cmocka_unit_test(refuses_yaml_that_no_configuration_needs),
      cmocka_unit_test(a_file_is_utf_8_text),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
