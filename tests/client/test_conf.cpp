// SPDX-License-Identifier: MIT
// The file of options of a host, and what a file of a secret must be.
#include <sys/stat.h>

#include <vector>

#include "client/conf.h"
#include "support/daemon.h"
#include "support/test.h"

namespace distributex::client {
namespace {

using std::chrono::seconds;
using test::TempDir;

std::string web1() { return "web1.example.com"; }

// "HOST | servers | cacert cert key secret_file", or the error.
std::string configured(std::string_view text) {
  Options options;
  std::string error;
  if (!apply_conf(text, &web1, options, error)) {
    return error;
  }
  std::string seen = options.host + " |";
  for (const Server& server : options.servers) {
    seen += " " + server.host + (server.tls ? " tls" : "");
  }
  const Proofs& proofs = options.proofs;
  return seen + " | " + proofs.cacert + " " + proofs.cert + " " + proofs.key + " " +
         proofs.secret_file;
}

void a_file_gives_options_by_their_long_names(void**) {
  struct Row {
    const char* text;
    const char* seen;
  };
  const Row rows[] = {
      {"", " | |    "},
      {"# nothing\n\n  # nothing\n", " | |    "},
      {"server: https://a, b\ncacert: /ca.pem # ours\r\nsecret-file:/s\n",
       " | a tls b | /ca.pem   /s"},
      {"cacert: /ca#1.pem\nkey: \"/a #b\"", " | | /ca#1.pem  \"/a "},
      {"cert: /c/%h.pem\nkey: /k/%h.%%h",
       "web1.example.com | |  /c/web1.example.com.pem "
       "/k/web1.example.com.%h "},
      {"host: other\ncert: /%h", "other | |  /web1.example.com  "},
      {"\nserver", "2: a line is an option, a colon and a value"},
      {"cert: %d", "1: % is followed by h, for the name of this host, or by another %"},
      {"cert: %", "1: % is followed by h, for the name of this host, or by another %"},
      {"cert: a\ncert: b", "2: \"cert\" is there twice"},
      {"colour: red", "1: \"colour\" is no option that takes a value; see distributex --help"},
      {"verbose: yes", "1: \"verbose\" is no option that takes a value; see distributex --help"},
      {"port: 0", "1: port wants a number from 1 to 65535, not \"0\""},
      {"cacert:", "1: cacert wants a file, not \"\""},
  };
  for (const Row& row : rows) {
    assert_text(configured(row.text), row.seen);
  }
}

void the_command_line_counts_before_the_file(void**) {
  Options given;
  std::string error;
  assert_true(apply_conf("server: a, b\nport: 7\nlease: 5\n", &web1, given, error));
  std::vector<std::string> words = {"distributex", "-H", "c", "-r", "p", "x"};
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const auto options = parse_options(static_cast<int>(words.size()), argv.data(), error, given);
  assert_true(options && options->servers.size() == 1);
  assert_text(options->servers.front().name(), "c:7");
  assert_true(options->lease == seconds(5));
}

void a_secret_stands_in_the_first_line_of_a_private_file(void**) {
  const TempDir dir;
  const std::string file = dir.file("secret");
  struct Row {
    const char* text;
    unsigned mode;
    const char* outcome;  // the secret, or what the error says
  };
  const Row rows[] = {
      {"dxs_one\n", 0600, "dxs_one"},
      {"  dxs_one\r\nmore\n", 0640, "dxs_one"},
      {"dxs_one\n", 0604, "everybody on this host can read the secret"},
      {"", 0600, "is no secret"},
      {"\ndxs_one\n", 0600, "is no secret"},
      {"two words\n", 0600, "is no secret"},
  };
  for (const Row& row : rows) {
    test::write_file(file, row.text);
    assert_int_equal(chmod(file.c_str(), row.mode), 0);
    std::string error;
    const auto secret = read_secret(file, error);
    const std::string outcome = secret.value_or(error);
    assert_that(outcome.find(row.outcome) != outcome.npos, "%s", outcome.c_str());
    assert_true(secret.has_value() == (outcome == row.outcome));
  }
  std::string error;
  assert_false(read_secret(dir.file("nothing"), error).has_value());
  assert_text(error,
              "cannot read the secret in " + dir.file("nothing") + ": No such file or directory");
}

}  // namespace
}  // namespace distributex::client

int main() {
  using namespace distributex::client;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_file_gives_options_by_their_long_names),
      cmocka_unit_test(the_command_line_counts_before_the_file),
      cmocka_unit_test(a_secret_stands_in_the_first_line_of_a_private_file),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
