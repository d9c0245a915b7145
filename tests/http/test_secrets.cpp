// SPDX-License-Identifier: MIT
// Secrets by themselves: the file line by line, what a client shows, and that
// no error and no line ever has a secret in it.
#include <openssl/sha.h>

#include <set>
#include <string>

#include "http/secrets.h"
#include "support/test.h"

using namespace distributex;

namespace {

const std::string digest_a(64, 'a');
const std::string digest_b(64, 'b');
const std::string sound = "dxs_" + std::string(43, 'x');

// "name hosts until|...", or the error.
std::string parsed(const std::string& text) {
  const auto read = Secrets::parse(text, "f");
  if (const auto* error = std::get_if<std::string>(&read)) {
    return *error;
  }
  std::string shown;
  for (const Secret& secret : std::get<Secrets>(read).all()) {
    shown += secret.name;
    for (const std::string& host : secret.hosts) {
      shown += " " + host;
    }
    shown += secret.until ? " " + std::to_string(*secret.until) + "|" : "|";
  }
  return shown;
}

void reads_names_hosts_and_ends(void**) {
  assert_text(parsed(""), "");
  assert_text(parsed("# a comment\n\n ci:" + digest_a + " \r\nci:" + digest_b + ":"),
              "ci ci|ci ci|");
  assert_text(parsed("fleet:" + digest_a + ":*"), "fleet *|");
  assert_text(parsed("ci:" + digest_a + ":ci-*, ci.example.com:2027-01-31"),
              "ci ci-* ci.example.com 1801440000|");
  assert_text(parsed("ci:" + digest_a + "::2027-01-31T12:00:00Z"), "ci ci 1801396800|");
  assert_text(parsed("ci:" + digest_a + "::2028-02-29"), "ci ci 1835481600|");
}

void a_mistake_is_named_with_its_line_and_no_secret(void**) {
  struct Row {
    std::string line;
    const char* error;
  };
  const std::string date =
      "f:2: \"ci\" has no date after its hosts; write 2027-01-31 or "
      "2027-01-31T12:00:00Z, in UTC";
  const std::string hex =
      "f:2: \"ci\" has no SHA-256 of 64 hexadecimal digits; write the line that "
      "distributexd --make-secret prints";
  const Row rows[] = {
      {sound,
       "f:2: begins with no name; write NAME:SHA256HEX[:HOSTS[:UNTIL]], NAME of letters, "
       "digits, '.', '_' and '-'"},
      {"ci:" + sound,
       "f:2: \"ci\" has a secret where its SHA-256 belongs; make a new one with distributexd "
       "--make-secret and write the line that it prints"},
      {"ci", hex.c_str()},
      {"ci:" + digest_a + "a", hex.c_str()},
      {"ci:" + digest_a.substr(1) + "g", hex.c_str()},
      {"ci:" + digest_a + ":a,,b",
       "f:2: \"ci\" has a host that is not a name or pattern; write up to 100 names or patterns "
       "with commas between "
       "them"},
      {"ci:" + digest_a + ":h:2027-02-29", date.c_str()},
      {"ci:" + digest_a + ":h:2027-1-31", date.c_str()},
      {"ci:" + digest_a + ":h:2027-01-31T25:00:00Z", date.c_str()},
      {"ci:" + digest_a + ":h:2027-01-31T12:00:00", date.c_str()},
      {"ci:" + digest_a + ":h:2027-01-31 ever", date.c_str()},
      {"ci:" + digest_b,
       "f:2: \"ci\" has the digest of an earlier line; make a secret for each with distributexd "
       "--make-secret"},
  };
  for (const Row& row : rows) {
    const std::string got = parsed("first:" + digest_b + "\n" + row.line);
    assert_true(got.find("dxs_") == got.npos);
    // The first row begins with a name that is a secret: it is not quoted.
    if (row.line == sound) {
      assert_true(got.starts_with("f:2: "));
      continue;
    }
    assert_text(got, row.error);
  }
}

void a_file_that_cannot_be_read_says_why(void**) {
  const auto read = Secrets::load("/nonexistent/secrets");
  assert_text(std::get<std::string>(read), "/nonexistent/secrets: No such file or directory");
  assert_text(std::get<std::string>(Secrets::load("/")),
              "/: is not a plain file, or is larger than 4 MiB");
  assert_text(std::get<std::string>(Secrets::load("/dev/zero")),
              "/dev/zero: is not a plain file, or is larger than 4 MiB");
}

void only_the_form_of_a_secret_is_ever_hashed(void**) {
  assert_true(is_secret(sound));
  for (const char* text :
       {"hunter2", "", "dxs_", "dxs_short", "DXS_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}) {
    assert_false(is_secret(text));
    assert_false(read_authorization("Bearer " + std::string(text)).has_value());
  }
  assert_false(is_secret(sound + "x"));
  assert_false(is_secret(sound.substr(1)));
  assert_false(is_secret("dxs_" + std::string(42, 'x') + "+"));
  assert_false(is_secret("dxs_" + std::string(42, 'x') + std::string(1, '\0')));
}

void reads_bearer_and_basic(void**) {
  Digest expected{};
  SHA256(reinterpret_cast<const unsigned char*>(sound.data()), sound.size(), expected.data());
  // base64 of "ci:" + sound and of ":" + sound.
  const std::string named = "Y2k6ZHhzX3h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=";
  const std::string unnamed = "OmR4c194eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4";
  for (const std::string& value :
       {"Bearer " + sound, "bearer  " + sound + " ", "Basic " + named, "BASIC " + unnamed}) {
    const auto shown = read_authorization(value);
    assert_that(shown.has_value(), "%s", value.c_str());
    assert_true(shown->digest == expected);
  }
  assert_text(read_authorization("Basic " + named)->name, "ci");
  assert_text(read_authorization("Basic " + unnamed)->name, "");
  for (const std::string& value :
       {std::string("Bearer"), std::string("Basic"), "Digest " + sound, sound,
        "Basic " + named.substr(1), "Basic " + named + "=", std::string("Basic ===="),
        "Basic " + sound, "Bearer " + sound + "," + sound,
        "Bearer " + std::string(600, ' ') + sound}) {
    assert_that(!read_authorization(value), "%s", value.c_str());
  }
}

void finds_a_secret_by_its_digest_alone(void**) {
  const auto made = make_secret("web1.example.com");
  const auto other = make_secret("other");
  assert_true(made && other);
  const auto read = Secrets::parse(made->line, "f");
  const auto& secrets = std::get<Secrets>(read);
  const auto shown = read_authorization("Bearer " + made->secret);
  const Secret* found = secrets.find(shown->digest);
  assert_non_null(found);
  assert_text(found->name, "web1.example.com");
  assert_null(secrets.find(digest_of(other->secret)));
  assert_true(secrets.has("web1.example.com"));
  assert_false(secrets.has("web1"));
}

void makes_another_secret_each_time(void**) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto made = make_secret("ci");
    assert_true(made.has_value());
    assert_true(is_secret(made->secret));
    assert_true(seen.insert(made->secret).second);
    assert_true(made->line.find(made->secret) == std::string::npos);
  }
  assert_false(make_secret("").has_value());
  assert_false(make_secret("a:b").has_value());
  assert_false(make_secret("a b").has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_names_hosts_and_ends),
      cmocka_unit_test(a_mistake_is_named_with_its_line_and_no_secret),
      cmocka_unit_test(a_file_that_cannot_be_read_says_why),
      cmocka_unit_test(only_the_form_of_a_secret_is_ever_hashed),
      cmocka_unit_test(reads_bearer_and_basic),
      cmocka_unit_test(finds_a_secret_by_its_digest_alone),
      cmocka_unit_test(makes_another_secret_each_time),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
