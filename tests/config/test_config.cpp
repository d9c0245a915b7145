// SPDX-License-Identifier: MIT
// What distributex.yaml may say, the files in which it stands, and what is
// refused for its size. The wording of errors is in test_errors.cpp.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "config/config.h"
#include "support/config.h"
#include "support/test.h"

namespace distributex {
namespace {

using namespace test;

struct Bomb {
  std::string text;
  std::string outcome;
};

// A folder of its own for one file; the texts that a test works on.
struct Fixture {
  Fixture() {
    std::array<char, 32> name = {"/tmp/test_config.XXXXXX"};
    assert_non_null(mkdtemp(name.data()));
    folder = name.data();
    path = folder + "/file";
  }
  ~Fixture() {
    unlink(path.c_str());
    rmdir(folder.c_str());
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  std::string folder;
  std::string path;
  std::string text;
  std::string seen;
  std::vector<Bomb> bombs;
};

constexpr std::string_view one_pool = "pools:\n  - name: a\n";

// --- what is right ----------------------------------------------------------

void has_defaults_for_all_but_pools(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.seen = options_in(one_pool);
  assert_text(f.seen,
              "inmemory localhost 11211 distributex: 2000 /var/lib/distributex/locks.db 2000 100 "
              "*:9889 65536 0 50000 10 120 8192 8192");
  f.seen = pools_in(one_pool);
  assert_text(f.seen, "a 1800s x1");
}

void takes_every_option(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.text =
      "backend: memcache\nmemcachehost: /run/m.sock\nmemcacheport: 1\n"
      "memcacheprefix: 'p.1:'\nmemcachetimeout: 100\nsqlitefile: x.db\nsqlitetimeout: 101\npoll: "
      "10\nlisten: 127.0.0.1:1\n"
      "max_connections: 2\nmax_connections_per_peer: 8\nmax_waiting: 3\nrequest_timeout: "
      "4\nidle_timeout: 5\n"
      "max_header_size: 1024\nmax_body_size: 7\n"
      "pools: [{name: a, expire: 8, maxlocks: 9, servers: h}]\n";
  f.seen = options_in(f.text);
  assert_text(f.seen, "memcache /run/m.sock 1 p.1: 100 x.db 101 10 127.0.0.1:1 2 8 3 4 5 1024 7");
  f.seen = pools_in(f.text);
  assert_text(f.seen, "a 8s x9 for h");
}

void reads_a_file_of_the_original(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.text =
      "---\nbackend: memcache\nmemcachehost: localhost\npools:\n"
      "    - name: test1\n      expire: 3600\n    - name: test2\n      expire: 3600\n"
      "    - name: test3\n      maxlocks: 5\n      servers: acme1, acme2\n";
  f.seen = pools_in(f.text);
  assert_text(f.seen, "test1 3600s x1 | test2 3600s x1 | test3 1800s x5 for acme1 acme2");
}

void reads_pools_in_every_form(void**) {
  constexpr ConfigRow rows[] = {
      {"pools: [{name: 123}, {name: yes}, {name: 0x10}, {name: 1.50}]",
       "123 1800s x1 | yes 1800s x1 | 0x10 1800s x1 | 1.50 1800s x1"},
      {"pools: [{name: '~'}, {name: \"null\"}]", "~ 1800s x1 | null 1800s x1"},
      {"pools: [{name: \"\\xe9 b\"}, {name: é}]", "é b 1800s x1 | é 1800s x1"},
      {"pools: [{\"name\": a, 'expire': 0}]", "a 0s x1"},
      {"pools:\r\n- name: a\r\n  expire: 1\r\n", "a 1s x1"},
      {"\xef\xbb\xbfpools: [{name: a}]", "a 1800s x1"},
      {"%YAML 1.1\n---\npools: [{name: a}]\n...\n", "a 1800s x1"},
      {"pools: &p [{name: a}]", "a 1800s x1"},
  };
  check_config_rows(rows, {.show = pools_of});
}

void servers_are_sorted_and_listed_once(void**) {
  constexpr ConfigRow rows[] = {
      {"' c ,a,  b, a,'", "a b c"},
      {"[c, 'b, a', 7]", "7 a b c"},
      {"|\n    b,\n    a\n", "a b"},
      {"[é, *hosts]", "g h é"},
  };
  check_config_rows(rows, {.before = "memcachehost: &hosts h, g\npools:\n- name: a\n  servers: ",
                           .after = "\n",
                           .ending = "",
                           .show = [](const ConfigResult& result) {
                             const std::string all = pools_of(result);
                             constexpr std::string_view front = "a 1800s x1 for ";
                             return all.starts_with(front) ? all.substr(front.size()) : all;
                           }});
}

void takes_addresses_to_listen_on(void**) {
  constexpr ConfigRow rows[] = {
      {"'*:9889'", "*:9889"},
      {"127.0.0.1:0", "127.0.0.1:0"},
      {"'[::]:65535'", "[::]:65535"},
      {"unix:/run/x.sock", "unix:/run/x.sock"},
      {"['[::1]:1', 0.0.0.0:2, \"unix:/a b\"]", "[::1]:1,0.0.0.0:2,unix:/a b"},
  };
  check_config_rows(rows, {.before = "pools: [{name: a}]\nlisten: ", .show = listen_of});
}

struct Range {
  const char* before;  // the number
  const char* least;
  const char* most;
  const char* below;
  const char* above;
};

void expect_in_outcome(Fixture& f, const Range& range, const char* number, const char* part) {
  f.text = one_pool;
  f.text.append(range.before).append(number);
  f.seen = pools_in(f.text);
  assert_that(f.seen.find(part) != f.seen.npos, "%s: %s", f.text.c_str(), f.seen.c_str());
}

void numbers_keep_to_their_range(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  constexpr Range ranges[] = {
      {"memcacheport: ", "1", "65535", "0", "65536"},
      {"max_connections: ", "1", "1000000", "0", "1000001"},
      {"max_connections_per_peer: ", "0", "1000000", "-1", "1000001"},
      {"max_waiting: ", "1", "1000000", "0", "1000001"},
      {"request_timeout: ", "1", "3600", "0", "3601"},
      {"idle_timeout: ", "1", "86400", "0", "86401"},
      {"max_header_size: ", "1024", "65536", "1023", "65537"},
      {"max_body_size: ", "0", "65536", "-1", "65537"},
      {"    expire: ", "0", "2147483647", "-1", "2147483648"},
      {"    maxlocks: ", "1", "1000000", "0", "1000001"},
  };
  constexpr const char* refused = " is out of range; write a whole number";
  for (const Range& range : ranges) {
    expect_in_outcome(f, range, range.least, "s x");
    expect_in_outcome(f, range, range.most, "s x");
    expect_in_outcome(f, range, range.below, refused);
    expect_in_outcome(f, range, range.above, refused);
    expect_in_outcome(f, range, "18446744073709551617", refused);
  }
}

// --- what is too much -------------------------------------------------------

std::string repeated(std::string_view piece, size_t times) {
  std::string all;
  while (times-- > 0) {
    all += piece;
  }
  return all;
}

constexpr const char* too_deep = "nested more than 32 deep; pools with their keys need four";
constexpr const char* too_much =
    "too much in one file, aliases followed; use fewer aliases (*) or entries";

Bomb billion_laughs() {
  std::string text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string name(1, c);
    text.append(name).append(": &").append(name).append(" [");
    text += repeated(std::string("*") + static_cast<char>(c - 1) + ',', 10) + "]\n";
  }
  return {text, "f:7:8: " + std::string(too_much)};
}

Bomb hosts_shared_by_many() {
  std::string text = "pools:\n- {name: a, servers: &s [" + repeated("h,", 10000) + "]}\n";
  for (int i = 0; i < 1000; ++i) {
    text += "- {name: p" + std::to_string(i) + ", servers: *s}\n";
  }
  return {text, "f:199:25: " + std::string(too_much)};
}

// Each of these files would cost a naive reader minutes, all memory or the stack.
void bombs_are_refused_at_once(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.bombs = {
      {repeated("[", 1000000), "f:1:33: " + std::string(too_deep)},
      {repeated("- ", 1000000), "f:1:65: " + std::string(too_deep)},
      {repeated("{a: ", 1000000), "f:1:129: " + std::string(too_deep)},
      {repeated("%TAG !a! b\n", 300000), "f:1:1: a %TAG line; this file needs none, remove it"},
      billion_laughs(),
      hosts_shared_by_many(),
  };
  for (const Bomb& bomb : f.bombs) {
    f.seen = options_in(bomb.text);
    if (f.seen != bomb.outcome) {
      print_error("%.60s...\n", bomb.text.c_str());
    }
    assert_text(f.seen, bomb.outcome);
  }
}

void an_alias_to_what_it_stands_in_is_refused(void**) {
  constexpr ConfigRow rows[] = {
      {"&p [{name: a, servers: *p}]",
       "f:1:31: *p refers to a node that contains it; write the content out"},
      {"&p [*p]", "f:1:12: *p refers to a node that contains it; write the content out"},
      {"*p", "f:1:8: *p stands for nothing; define &p above, or quote a value that begins with *"},
  };
  check_config_rows(rows, {.before = "pools: "});
}

// --- files ------------------------------------------------------------------

void says_why_a_file_cannot_be_read(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.seen = options_of(load_settings(f.path));
  assert_text(f.seen, f.path + ": cannot be read: No such file or directory");
  f.seen = options_of(load_settings(f.folder));
  assert_text(f.seen, f.folder + ": is not a plain file; name a file of YAML");
}

void a_pipe_without_a_writer_is_not_waited_for(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_int_equal(mkfifo(f.path.c_str(), 0600), 0);
  f.seen = options_of(load_settings(f.path));
  assert_text(f.seen, f.path + ": is not a plain file; name a file of YAML");
}

void a_file_of_more_than_8_mib_is_refused(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::ofstream(f.path) << one_pool << std::string((8u << 20) - one_pool.size(), '\n');
  f.seen = pools_of(load_settings(f.path));
  assert_text(f.seen, "a 1800s x1");
  std::ofstream(f.path, std::ios::app) << '\n';
  f.seen = pools_of(load_settings(f.path));
  assert_text(f.seen, f.path + ": is larger than 8 MiB; make it smaller");
}

void the_files_of_etc_are_right(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.seen = pools_of(load_settings(path_in_etc("example.yaml")));
  assert_text(f.seen, "test1 3600s x1 | test2 1800s x1 | test3 1800s x5");
  f.seen = pools_of(load_settings(path_in_etc("distributex.yaml")));
  assert_text(f.seen, "test1 3600s x1");
  f.seen = listen_of(load_settings(path_in_etc("distributex.yaml")));
  assert_text(f.seen, "127.0.0.1:9889,[::1]:9889");
}

// "#name: value" and, below pools, "#  key: value" are for a reader to uncomment.
std::string uncommented(std::string text) {
  for (size_t at = text.find("\n#"); at != text.npos; at = text.find("\n#", at + 1)) {
    const bool option = at + 2 < text.size() && text[at + 2] >= 'a' && text[at + 2] <= 'z';
    const bool pool = text.compare(at + 2, 2, "  ") == 0 && text.find("\npools:") < at;
    if (option || pool) {
      text.erase(at + 1, 1);
    }
  }
  return text;
}

void the_comments_of_the_sample_tell_the_defaults(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string sample = content_of(path_in_etc("distributex.yaml"));
  f.text = uncommented(sample);
  assert_that(f.text.find("\nmax_waiting: 50000\n") != f.text.npos, "nothing was uncommented");
  f.seen = options_in(f.text);
  assert_text(f.seen, options_in(sample));
  f.seen = pools_in(f.text);
  assert_text(f.seen,
              "test1 3600s x1 | backup 1800s x5 | puppet 900s x1 for web1.example.com "
              "web2.example.com | deploy 1800s x1 for web1.example.com web2.example.com | "
              "migrate 0s x1 for web1.example.com web2.example.com | workers 7200s x5");
}

void a_damaged_file_gives_one_printable_line_at_most(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string sample = uncommented(content_of(path_in_etc("distributex.yaml")));
  constexpr std::string_view pieces[] = {"\n",   " ",     ":",  "- ",   "[",     "{", "*web",
                                         "&web", "<<: a", "\"", "\xff", "\\e\"", "!", "#"};
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    f.text = sample;
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
      const size_t at = random() % f.text.size();
      f.text.replace(at, random() % 8, pieces[random() % std::size(pieces)]);
    }
    const auto result = parse_settings(f.text, "f");
    const auto* error = std::get_if<std::string>(&result);
    if (!error) {
      continue;
    }
    f.seen = *error;
    for (const char c : f.seen) {
      assert_in_range(c, ' ', '~');
    }
    assert_true(f.seen.starts_with("f:"));
  }
}

}  // namespace
}  // namespace distributex

int main() {
  using namespace distributex;
  const CMUnitTest tests[] = {
      test_with(Fixture, has_defaults_for_all_but_pools),
      test_with(Fixture, takes_every_option),
      test_with(Fixture, reads_a_file_of_the_original),
      cmocka_unit_test(reads_pools_in_every_form),
      cmocka_unit_test(servers_are_sorted_and_listed_once),
      cmocka_unit_test(takes_addresses_to_listen_on),
      test_with(Fixture, numbers_keep_to_their_range),
      test_with(Fixture, bombs_are_refused_at_once),
      cmocka_unit_test(an_alias_to_what_it_stands_in_is_refused),
      test_with(Fixture, says_why_a_file_cannot_be_read),
      test_with(Fixture, a_pipe_without_a_writer_is_not_waited_for),
      test_with(Fixture, a_file_of_more_than_8_mib_is_refused),
      test_with(Fixture, the_files_of_etc_are_right),
      test_with(Fixture, the_comments_of_the_sample_tell_the_defaults),
      test_with(Fixture, a_damaged_file_gives_one_printable_line_at_most),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
