// SPDX-License-Identifier: MIT
// Which requests are brief, and that the way past evhttp gives what evhttp's gives,
// byte for byte, whatever is sent.
#include <algorithm>
#include <iterator>

#include "http/brief.h"
#include "support/choices.h"
#include "support/test.h"
#include "support/two_ways.h"

using namespace distributex;
using namespace distributex::test;

namespace {

constexpr uint64_t seed = 20;
constexpr size_t mutations = 3000;

constexpr std::string_view words[] = {"\r\n",
                                      "\n",
                                      "\r",
                                      " ",
                                      "\t",
                                      ":",
                                      "/",
                                      "?",
                                      "#",
                                      "%",
                                      "%00",
                                      "\x7f",
                                      "GET ",
                                      "HTTP/1.1",
                                      "HTTP/1.0",
                                      "Host: b\r\n",
                                      "Connection: close\r\n",
                                      "Content-Length: 5\r\n",
                                      "close",
                                      "Transfer-Encoding: chunked\r\n",
                                      "Accept: application/json\r\n",
                                      "\r\n\r\n",
                                      "wait",
                                      "release",
                                      "Expect: 100-continue\r\n",
                                      "Origin: null\r\n",
                                      "=",
                                      "&",
                                      "http://a"};

struct Ways {
  TwoWays two;
  std::vector<std::string> requests = raw_requests();
  std::vector<std::string> brief_ones{};
  size_t briefs = 0;

  bool begin() {
    BriefRequest request{};
    std::copy_if(requests.begin(), requests.end(), std::back_inserter(brief_ones),
                 [&](const std::string& bytes) { return read_brief(bytes, 2048, request); });
    return !brief_ones.empty();
  }

  void compare(std::span<const std::string> pieces, bool leaves = false) {
    const TwoWays::Seen seen = two.send(pieces, leaves);
    briefs += seen.brief;
    if (seen.by_evhttp != seen.past_evhttp) {
      for (const std::string& piece : pieces) {
        print_error("sent   \"%s\"\n", piece.c_str());
      }
    }
    assert_text(seen.past_evhttp, seen.by_evhttp);
  }

  std::string spoilt(Choices& dice) {
    const std::vector<std::string>& from = dice.once_in(2) ? requests : brief_ones;
    std::string bytes = from[dice.below(from.size())];
    for (uint64_t times = dice.below(4); times > 0; --times) {
      const size_t at = dice.below(bytes.size() + 1);
      switch (dice.below(4)) {
        case 0:
          bytes.insert(at, words[dice.below(std::size(words))]);
          break;
        case 1:
          bytes.erase(at, 1 + dice.below(8));
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(dice.below(256)));
          break;
        default:
          bytes.replace(at, at < bytes.size() ? 1 : 0, 1, static_cast<char>(dice.below(256)));
      }
    }
    return bytes;
  }
};

void a_plain_get_is_brief(void**) {
  BriefRequest request{};
  const std::string_view bytes =
      "GET /get/?pool=p HTTP/1.1\r\nHost: a:1\r\naccept:  */*; q=1\r\n\r\nGET /";
  assert_true(read_brief(bytes, 1000, request));
  assert_text(request.target, "/get/?pool=p");
  assert_int_equal(request.fields().size(), 2);
  assert_text(request.fields()[0].name, "Host");
  assert_text(request.fields()[0].value, "a:1");
  assert_text(request.fields()[1].name, "accept");
  assert_text(request.fields()[1].value, "*/*; q=1");
  assert_text(bytes.substr(request.size), "GET /");
  assert_true(read_brief(bytes, request.size, request));
  assert_false(read_brief(bytes, request.size - 1, request));
}

void no_beginning_of_a_request_is_brief(void**) {
  const std::string_view whole = "GET /get HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
  BriefRequest request{};
  assert_true(read_brief(whole, 1000, request));
  for (size_t size = 0; size < whole.size(); ++size) {
    assert_false(read_brief(whole.substr(0, size), 1000, request));
  }
}

void what_evhttp_must_see_is_not_brief(void**) {
  constexpr std::string_view headers[] = {
      "Connection: close", "upgrade: h2c",  "EXPECT: 100-continue",
      "te: trailers",      "Trailer: x",    "transfer-encoding: chunked",
      "Content-Length: 0", "Keep-Alive: 5", "Proxy-Connection: close",
      "Authorization: x",  "Origin: null",  "Sec-Fetch-Site: none",
      "Host: a",           "X-Any : b",     "X-Any: b\t",
      "X-Any: b ",         "X-Any:",        ": b",
      "X-Any: b\r\n c: d", "X-Any: \x80",   "X-Any"};
  BriefRequest request{};
  for (const std::string_view header : headers) {
    const std::string bytes = "GET /get HTTP/1.1\r\nHost: a\r\n" + std::string(header) + "\r\n\r\n";
    assert_that(!read_brief(bytes, 1000, request), "%s", bytes.c_str());
  }
  constexpr std::string_view lines[] = {
      "GET get HTTP/1.1",    "GET //get HTTP/1.1", "GET /get HTTP/1.0",  "POST /get HTTP/1.1",
      "GET /get#a HTTP/1.1", "GET /a b HTTP/1.1",  "GET /get  HTTP/1.1", "GET /get HTTP/1.1 "};
  for (const std::string_view line : lines) {
    const std::string bytes = std::string(line) + "\r\nHost: a\r\n\r\n";
    assert_that(!read_brief(bytes, 1000, request), "%s", bytes.c_str());
  }
}

void both_ways_answer_alike(void** state) {
  Ways& ways = fixture_of<Ways>(state);
  for (const std::string& request : ways.requests) {
    ways.compare(std::vector{request});
  }
  assert_that(ways.briefs > 50, "brief=%zu of %zu", ways.briefs, ways.requests.size());
}

void both_ways_answer_alike_whatever_is_in_one_read(void** state) {
  Ways& ways = fixture_of<Ways>(state);
  const std::string get = "GET /get?pool=p&host=h HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string wait = "GET /wait?pool=p&host=h HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string end = "GET /get?pool=p&host=h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string rows[] = {get + get,
                              get + wait + get,
                              wait + wait + end,
                              get + "\r\n",
                              get + "\r\n\r\n" + get,
                              get + end + get,
                              wait + "GET /ge",
                              get + "LOC",
                              wait + "nonsense\r\n\r\n",
                              wait + std::string(5000, 'x')};
  for (const std::string& row : rows) {
    ways.compare(std::vector{row});
    ways.compare(std::vector{row}, true);
    ways.compare(std::vector{row, get});
    ways.compare(std::vector{get, row, get});
    for (size_t at = 1; at < std::min<size_t>(row.size(), 250); at += 7) {
      ways.compare(std::vector{row.substr(0, at), row.substr(at)});
    }
  }
  assert_that(ways.briefs > 100, "brief=%zu", ways.briefs);
}

void both_ways_answer_alike_what_is_spoilt(void** state) {
  Ways& ways = fixture_of<Ways>(state);
  Choices dice(seed);
  for (size_t i = 0; i < mutations; ++i) {
    std::vector<std::string> pieces;
    for (uint64_t left = dice.below(3); left < 3; ++left) {
      pieces.push_back(ways.spoilt(dice));
      if (dice.once_in(4)) {
        pieces.back() += ways.spoilt(dice);
      }
    }
    ways.compare(pieces, dice.once_in(16));
  }
  assert_that(ways.briefs > mutations / 12, "brief=%zu", ways.briefs);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_get_is_brief),
      cmocka_unit_test(no_beginning_of_a_request_is_brief),
      cmocka_unit_test(what_evhttp_must_see_is_not_brief),
      test_with(Ways, both_ways_answer_alike),
      test_with(Ways, both_ways_answer_alike_whatever_is_in_one_read),
      test_with(Ways, both_ways_answer_alike_what_is_spoilt),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
