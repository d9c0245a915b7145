// SPDX-License-Identifier: MIT
// Any answer, with any bytes in its texts, makes a sound reply: no header that
// could end a line, no value beyond what the answer says, and JSON that reads
// back as what went in. Also tests escaped(), on which all of this depends.
#include <jansson.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "base/text.h"
#include "doors/plain/reply.h"
#include "fuzz.h"
#include "lock/names.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

struct JsonFree {
  void operator()(json_t* value) const { json_decref(value); }
};
using Json = std::unique_ptr<json_t, JsonFree>;

constexpr uint64_t results = 10;
constexpr uint64_t faults = 6;

// Head: result, fault, token, and whether and when the lease ends; then pool,
// host, id and error, a line each; the error may have lines itself.
Answer read_answer(std::string_view bytes) {
  Answer answer;
  answer.result = static_cast<Result>(take_number(1, bytes) % results);
  answer.fault = static_cast<Fault>(take_number(1, bytes) % faults);
  answer.token = take_number(7, bytes) & max_token;
  if (take_number(1, bytes) % 2 != 0) {
    answer.expires_in = Duration(static_cast<int64_t>(take_number(8, bytes)));
  }
  answer.pool = take_until('\n', bytes);
  answer.owner.host = take_until('\n', bytes);
  answer.owner.id = take_until('\n', bytes);
  answer.error = bytes;
  return answer;
}

bool has_lease(Result result) {
  return result == Result::granted || result == Result::held || result == Result::renewed;
}

int64_t milliseconds_of(Duration left) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(left).count();
  return std::max<int64_t>(whole, 0);
}

// "12.345" as 12345.
int64_t milliseconds_of(std::string text) {
  const size_t dot = text.size() < 5 ? std::string::npos : text.size() - 4;
  must(dot != std::string::npos && text[dot] == '.', "Distributex-Expires has three decimals");
  text.erase(dot, 1);
  must(text.find_first_not_of("0123456789") == std::string::npos,
       "Distributex-Expires is a number");
  return strtoll(text.c_str(), nullptr, 10);
}

void check_headers(const HttpReply& reply, const Answer& answer) {
  size_t tokens = 0, ends = 0, errors = 0;
  std::string_view lines = reply.headers.text();
  for (Header header; take_header(lines, header);) {
    const std::string_view name = header.name;
    must(is_printable(header.value) && is_printable(name), "a header is printable ASCII");
    must(header.value.size() <= 256, "a header is short");
    if (name == "Distributex-Result") {
      must(header.value == result_name(answer.result), "the header says the result");
    }
    if (name == "Distributex-Token") {
      ++tokens;
      must(header.value == std::to_string(answer.token), "the header says the token");
    }
    if (name == "Distributex-Expires") {
      ++ends;
      must(milliseconds_of(header.value) == milliseconds_of(*answer.expires_in),
           "the header says when the lease ends");
    }
    if (name == "Distributex-Error") {
      ++errors;
    }
  }
  const bool leased = has_lease(answer.result);
  must(tokens == (leased ? 1 : 0), "the token is told with a lease only, and once");
  must(ends == (leased && answer.expires_in ? 1 : 0), "an end is told of leases that have one");
  const bool refused = answer.result == Result::invalid || answer.result == Result::unavailable;
  must(errors == (refused ? 1 : 0), "the error stands with refusals, and once");
}

// What a text reads as in JSON: itself, or escaped where it is not UTF-8.
void check_text(const json_t* object, const char* key, const std::string& text) {
  const json_t* value = json_object_get(object, key);
  if (text.empty()) {
    return must(!value, "an empty text is left out");
  }
  must(json_is_string(value), "a text is there");
  const std::string read(json_string_value(value), json_string_length(value));
  const Json sound(json_stringn(text.data(), text.size()));
  must(read == (sound ? text : escaped(text)), "a text reads back as it was");
}

void check_json(const HttpReply& reply, const Answer& answer) {
  const Json object(json_loadb(reply.body.data(), reply.body.size(),
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, nullptr));
  must(json_is_object(object.get()), "the body is an object");
  must(reply.body.find('\n') == std::string::npos, "the body is one line");
  check_text(object.get(), "result", std::string(result_name(answer.result)));
  check_text(object.get(), "pool", answer.pool);
  check_text(object.get(), "host", answer.owner.host);
  check_text(object.get(), "id", answer.owner.id);
  const json_t* token = json_object_get(object.get(), "token");
  must((token != nullptr) == has_lease(answer.result), "the token is there with a lease");
  if (!token) {
    return;
  }
  must(static_cast<Token>(json_integer_value(token)) == answer.token, "the token reads back");
  const json_t* left = json_object_get(object.get(), "expires_in");
  must((left != nullptr) == answer.expires_in.has_value(), "the end is there when there is one");
  if (!left) {
    return;
  }
  const double wanted = static_cast<double>(milliseconds_of(*answer.expires_in)) / 1000;
  must(json_real_value(left) <= wanted + 1e-4 && json_real_value(left) >= wanted - 1e-4,
       "the end reads back to the millisecond");
}

int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// escaped() undone: for what was not cut.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    must(text.size() - i >= 4 && text[i + 1] == 'x', "an escape is whole");
    out += static_cast<char>(hex(text[i + 2]) * 16 + hex(text[i + 3]));
    i += 3;
  }
  return out;
}

void check_escaped(std::string_view text, size_t max) {
  const std::string cut = escaped(text, max);
  must(cut.size() <= max, "escaped text is not longer than asked for");
  must(is_printable(cut), "escaped text is printable ASCII");
  must(unescaped(escaped(text, 4 * text.size())) == text, "escaping loses nothing");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Answer answer = read_answer(text_of(data, size));
  for (const bool json : {false, true}) {
    const HttpReply reply = format_answer(answer, json);
    must(reply.status >= 200 && reply.status <= 599, "the status is one");
    must(std::string_view(status_reason(reply.status)) != "Unknown", "every status has a phrase");
    check_headers(reply, answer);
    if (json) {
      check_json(reply, answer);
    } else {
      must(is_printable(reply.body) && reply.body.size() <= 7, "the text is a word");
    }
  }
  check_escaped(answer.error, size == 0 ? 0 : data[0]);
  return 0;
}
