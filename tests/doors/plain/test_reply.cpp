// SPDX-License-Identifier: MIT
// What an answer looks like on the wire: one row for each result and fault, as
// text and as JSON, and seeded random bytes in every field that a client may
// have filled.
#include <jansson.h>

#include <algorithm>
#include <random>

#include "base/text.h"
#include "doors/plain/reply.h"
#include "lock/names.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using namespace std::literals;

namespace {

struct Fixture {
  Answer answer;
  HttpReply reply;
  std::string text;
  std::string wanted;
  json_t* json = nullptr;
  std::mt19937 random{20260131};

  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() { json_decref(json); }

  size_t below(size_t end) { return random() % end; }

  // "200 OK | text/plain | A: b | C: d | body", without what every reply has.
  void render(bool as_json) {
    reply = format_answer(answer, as_json);
    text = std::to_string(reply.status) + " " + status_reason(reply.status);
    std::string_view lines = reply.headers.text();
    for (Header header; take_header(lines, header);) {
      if (header.name != "Cache-Control"sv) {
        text.append(" | ").append(header.name).append(": ").append(header.value);
      }
    }
    text.append(" | ").append(reply.body);
  }

  void load() {
    json_decref(json);
    json = json_loadb(reply.body.data(), reply.body.size(), JSON_ALLOW_NUL, nullptr);
  }

  [[nodiscard]] std::string_view json_value(const char* key) const {
    const json_t* value = json_object_get(json, key);
    return {json_string_value(value), json_string_length(value)};
  }

  std::string random_bytes(size_t most) {
    std::string bytes;
    for (size_t n = below(most + 1); n > 0; --n) {
      bytes += static_cast<char>(below(256));
    }
    return bytes;
  }
};

struct Row {
  Result result;
  Fault fault;
  std::string_view text, json;
};

// Sets every field of the answer in every row: a field that does not apply must not show.
void check_rows(void** state, const Row* row, size_t count) {
  auto& f = fixture_of<Fixture>(state);
  for (const Row* end = row + count; row != end; ++row) {
    f.answer = {};
    f.answer.result = row->result;
    f.answer.fault = row->fault;
    f.answer.pool = "p";
    f.answer.owner = {"h", "i"};
    f.answer.token = 7;
    f.answer.expires_in = 29999ms;
    f.answer.error = "no good";
    f.render(false);
    assert_text(f.text, row->text);
    f.render(true);
    assert_text(f.text, row->json);
  }
}

void each_result_has_its_word_status_and_headers(void** state) {
  constexpr Row rows[] = {
      {Result::granted, Fault::none,
       "200 OK | Distributex-Result: granted | Distributex-Token: 7 | Distributex-Expires: 29.999 "
       "| YES",
       "200 OK | Distributex-Result: granted | Distributex-Token: 7 | Distributex-Expires: 29.999 "
       "| "
       R"({"result":"granted","pool":"p","host":"h","id":"i","token":7,"expires_in":29.999})"},
      {Result::held, Fault::none,
       "200 OK | Distributex-Result: held | Distributex-Token: 7 | Distributex-Expires: 29.999 | "
       "YES",
       "200 OK | Distributex-Result: held | Distributex-Token: 7 | Distributex-Expires: 29.999 | "
       R"({"result":"held","pool":"p","host":"h","id":"i","token":7,"expires_in":29.999})"},
      {Result::busy, Fault::none, "200 OK | Distributex-Result: busy | NO",
       R"(409 Conflict | Distributex-Result: busy | {"result":"busy","pool":"p","host":"h","id":"i"})"},
      {Result::timeout, Fault::none, "200 OK | Distributex-Result: timeout | NO",
       R"(409 Conflict | Distributex-Result: timeout | {"result":"timeout","pool":"p","host":"h","id":"i"})"},
      {Result::released, Fault::none, "200 OK | Distributex-Result: released | OK",
       R"(200 OK | Distributex-Result: released | {"result":"released","pool":"p","host":"h","id":"i"})"},
      {Result::not_held, Fault::none, "200 OK | Distributex-Result: not-held | OK",
       R"(409 Conflict | Distributex-Result: not-held | {"result":"not-held","pool":"p","host":"h","id":"i"})"},
      {Result::renewed, Fault::none,
       "200 OK | Distributex-Result: renewed | Distributex-Token: 7 | Distributex-Expires: 29.999 "
       "| OK",
       "200 OK | Distributex-Result: renewed | Distributex-Token: 7 | Distributex-Expires: 29.999 "
       "| "
       R"({"result":"renewed","pool":"p","host":"h","id":"i","token":7,"expires_in":29.999})"},
      {Result::lost, Fault::none, "200 OK | Distributex-Result: lost | NO",
       R"(409 Conflict | Distributex-Result: lost | {"result":"lost","pool":"p","host":"h","id":"i"})"},
      {Result::unavailable, Fault::none,
       "503 Service Unavailable | Distributex-Result: unavailable | Distributex-Error: no good | "
       "Retry-After: 1 | NO",
       "503 Service Unavailable | Distributex-Result: unavailable | Distributex-Error: no good | "
       "Retry-After: 1 | "
       R"({"result":"unavailable","pool":"p","host":"h","id":"i","error":"no good"})"},
  };
  check_rows(state, rows, std::size(rows));
}

void each_fault_has_its_status(void** state) {
  auto& f = fixture_of<Fixture>(state);
  struct FaultRow {
    Fault fault;
    std::string_view text, json;
  };
  constexpr FaultRow rows[] = {
      {Fault::none, "200 OK", "400 Bad Request"},
      {Fault::bad_request, "200 OK", "400 Bad Request"},
      {Fault::host_not_listed, "200 OK", "403 Forbidden"},
      {Fault::not_found, "200 OK", "404 Not Found"},
      {Fault::no_such_path, "404 Not Found", "404 Not Found"},
      {Fault::bad_method, "405 Method Not Allowed", "405 Method Not Allowed"},
      {Fault::not_allowed, "403 Forbidden", "403 Forbidden"},
  };
  for (const FaultRow& row : rows) {
    f.answer.result = Result::invalid;
    f.answer.fault = row.fault;
    f.answer.error = "no good";
    f.render(false);
    f.wanted.assign(row.text).append(
        " | Distributex-Result: invalid | Distributex-Error: no good | INVALID");
    assert_text(f.text, f.wanted);
    f.render(true);
    f.wanted.assign(row.json).append(
        " | Distributex-Result: invalid | Distributex-Error: no good | ");
    f.wanted.append(R"({"result":"invalid","error":"no good"})");
    assert_text(f.text, f.wanted);
  }
}

void no_answer_is_kept_by_a_cache(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int result = 0; result <= static_cast<int>(Result::unavailable); ++result) {
    f.answer.result = static_cast<Result>(result);
    f.reply = format_answer(f.answer, result % 2 == 0);
    assert_true(f.reply.headers.text().starts_with("Cache-Control: no-store\r\n"));
  }
}

void content_type_says_text_or_json(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(format_answer(f.answer, false).content_type, "text/plain; charset=utf-8");
  assert_text(format_answer(f.answer, true).content_type, "application/json");
}

void lease_without_end_has_no_expiry(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.answer.result = Result::granted;
  f.answer.pool = "p";
  f.answer.owner.host = "h";
  f.answer.token = max_token;
  f.render(false);
  assert_text(f.text,
              "200 OK | Distributex-Result: granted | Distributex-Token: 9007199254740991 | YES");
  f.render(true);
  assert_text(f.text,
              "200 OK | Distributex-Result: granted | Distributex-Token: 9007199254740991 | "
              R"({"result":"granted","pool":"p","host":"h","token":9007199254740991})");
}

struct LeftRow {
  Duration left;
  std::string_view header, json;
};

void time_left_is_rounded_down_to_the_millisecond(void** state) {
  auto& f = fixture_of<Fixture>(state);
  constexpr LeftRow rows[] = {
      {30s, "30.000", "30.0"},
      {30s - 1ns, "29.999", "29.999"},
      {999999ns, "0.000", "0.0"},
      {1ms, "0.001", "0.001"},
      {0s, "0.000", "0.0"},
      {-1ns, "0.000", "0.0"},
      {-5s, "0.000", "0.0"},
      {1800s + 70ms, "1800.070", "1800.07"},
      {2147483647s, "2147483647.000", "2147483647.0"},
      {2147483647s - 1ns, "2147483646.999", "2147483646.999"},
  };
  f.answer.result = Result::held;
  f.answer.token = 1;
  for (const LeftRow& row : rows) {
    f.answer.expires_in = row.left;
    f.render(false);
    f.wanted = "200 OK | Distributex-Result: held | Distributex-Token: 1 | Distributex-Expires: ";
    f.wanted.append(row.header).append(" | YES");
    assert_text(f.text, f.wanted);
    f.render(true);
    f.wanted = R"({"result":"held","token":1,"expires_in":)";
    f.wanted.append(row.json).append("}");
    assert_text(f.reply.body, f.wanted);
  }
}

void header_and_json_say_the_same_time(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.answer.result = Result::granted;
  for (int round = 0; round < 20000; ++round) {
    const Duration left((uint64_t{f.random()} << 32 | f.random()) >> (2 + f.below(62)));
    f.answer.expires_in = left;
    f.reply = format_answer(f.answer, true);
    std::string_view lines = f.reply.headers.text();
    for (Header header; take_header(lines, header);) {
      f.text = header.value;  // the last one's: Distributex-Expires
    }
    const auto shown = std::chrono::milliseconds(std::stoll(f.text.erase(f.text.size() - 4, 1)));
    assert_true(shown <= left && left - shown < 1ms);
    f.load();
    const double seconds = json_real_value(json_object_get(f.json, "expires_in"));
    if (left < 2147483647s) {
      assert_true(seconds == static_cast<double>(shown.count()) / 1000);
    }
  }
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool is_utf8(const std::string& text) {
  json_t* value = json_stringn(text.data(), text.size());
  json_decref(value);
  return value != nullptr;
}

void no_byte_reaches_a_header_unescaped(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int round = 0; round < 10000; ++round) {
    f.answer.result = static_cast<Result>(f.below(10));
    f.answer.fault = static_cast<Fault>(f.below(6));
    f.answer.pool = f.random_bytes(255);
    f.answer.owner = {f.random_bytes(255), f.random_bytes(3)};
    f.answer.error = f.random_bytes(400);
    f.answer.error += "\r\nSet-Cookie: a=b\r\n\r\nYES";
    f.reply = format_answer(f.answer, round % 2 == 0);
    std::string_view lines = f.reply.headers.text();
    for (Header header; take_header(lines, header);) {
      assert_true(is_printable(header.name) && is_printable(header.value));
      assert_in_range(header.value.size(), 1, 256);
    }
    if (round % 2 != 0) {
      assert_true(f.reply.body.size() <= 7 && is_printable(f.reply.body));
    }
  }
}

void json_holds_any_text(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int round = 0; round < 10000; ++round) {
    f.answer.result = Result::invalid;
    f.answer.pool = round % 2 == 0 ? f.random_bytes(3) : f.random_bytes(255);
    f.answer.owner = {"\xe2\x82\xac\"\\\0\x01\n"s, ""};
    f.answer.error = f.random_bytes(8) + "!";
    f.reply = format_answer(f.answer, true);
    f.load();
    assert_non_null(f.json);
    assert_text(f.json_value("host"), f.answer.owner.host);
    f.wanted = is_utf8(f.answer.error) ? f.answer.error : escaped(f.answer.error);
    assert_text(f.json_value("error"), f.wanted);
    f.wanted = is_utf8(f.answer.pool) ? f.answer.pool : escaped(f.answer.pool);
    if (!f.answer.pool.empty()) {
      assert_text(f.json_value("pool"), f.wanted);
    }
  }
}

void escaped_text_is_printable_and_bounded(void** state) {
  auto& f = fixture_of<Fixture>(state);
  struct EscapeRow {
    std::string_view text;
    size_t max;
    std::string_view escaped;
  };
  constexpr EscapeRow rows[] = {
      {"", 256, ""},
      {"a b~", 256, "a b~"},
      {"a\\b", 256, "a\\x5cb"},
      {"\0\r\n\x1f"sv, 256, "\\x00\\x0d\\x0a\\x1f"},
      {"\x7f\x80\xff", 256, "\\x7f\\x80\\xff"},
      {"abcdef", 6, "abcdef"},
      {"abcdefg", 6, "abc..."},
      {"ab\n", 6, "ab\\x0a"},
      {"abc\n", 6, "abc..."},
      {"\n\n", 7, "\\x0a..."},
      {"\n\n", 6, "..."},
      {"abcd", 3, "..."},
      {"abc", 2, ".."},
      {"a", 0, ""},
  };
  for (const EscapeRow& row : rows) {
    f.text = escaped(row.text, row.max);
    assert_text(f.text, row.escaped);
  }
  f.text = escaped(std::string(1000, 'x'));
  assert_int_equal(f.text.size(), 256);
}

// Reads what escaped() wrote, up to the dots of a cut.
std::string unescaped(std::string_view text) {
  std::string bytes;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text.front() != '\\') {
      bytes += text.front();
      continue;
    }
    bytes += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
    text.remove_prefix(3);
  }
  return bytes;
}

void escaped_text_can_be_read_back(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int round = 0; round < 20000; ++round) {
    f.wanted = f.random_bytes(30);
    const size_t max = f.below(130);
    f.text = escaped(f.wanted, max);
    assert_true(f.text.size() <= max && is_printable(f.text));
    const bool cut = unescaped(f.text) != f.wanted;
    if (cut) {
      assert_true(escaped(f.wanted, 200).size() > max &&
                  "..."sv.substr(0, max) ==
                      f.text.substr(f.text.size() - std::min<size_t>(max, 3)));
      f.text.resize(f.text.size() - std::min<size_t>(max, 3));
      assert_true(f.wanted.starts_with(unescaped(f.text)));
    }
  }
}

void result_has_the_name_of_the_contract(void**) {
  assert_text(result_name(Result::granted), "granted");
  assert_text(result_name(Result::not_held), "not-held");
  assert_text(result_name(Result::unavailable), "unavailable");
  assert_text(status_reason(200), "OK");
  assert_text(status_reason(405), "Method Not Allowed");
  assert_text(status_reason(299), "Unknown");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Fixture, each_result_has_its_word_status_and_headers),
      test_with(Fixture, each_fault_has_its_status),
      test_with(Fixture, no_answer_is_kept_by_a_cache),
      test_with(Fixture, content_type_says_text_or_json),
      test_with(Fixture, lease_without_end_has_no_expiry),
      test_with(Fixture, time_left_is_rounded_down_to_the_millisecond),
      test_with(Fixture, header_and_json_say_the_same_time),
      test_with(Fixture, no_byte_reaches_a_header_unescaped),
      test_with(Fixture, json_holds_any_text),
      test_with(Fixture, escaped_text_is_printable_and_bounded),
      test_with(Fixture, escaped_text_can_be_read_back),
      cmocka_unit_test(result_has_the_name_of_the_contract),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
