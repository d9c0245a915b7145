// SPDX-License-Identifier: MIT
// What the door reads: a target, an Accept header, a form, one line each. The result must
// be a request that is sound in every part and says the same after it was written down and
// read again, or a refusal that is safe to show.
#include <jansson.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <variant>

#include "doors/plain/request.h"
#include "doors/query.h"
#include "doors/table.h"
#include "fuzz.h"
#include "http/target.h"
#include "lock/names.h"
#include "support/parameters.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

struct JsonFree {
  void operator()(json_t* value) const { json_decref(value); }
};

// Whether jansson takes the text for UTF-8.
bool is_utf8(std::string_view text) {
  return std::unique_ptr<json_t, JsonFree>(json_stringn(text.data(), text.size())) != nullptr;
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 255 || !is_utf8(text)) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) {
      return false;
    }
    if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  return true;
}

void check_target(std::string_view whole, const Target& target) {
  must(target.path.size() + target.query.size() <= whole.size(), "a target only gets shorter");
  must(whole.find(target.path) != whole.npos, "the path is as sent");
  must(whole.find(target.query) != whole.npos, "the query is as sent");
  must(target.path.find_first_of("?#") == target.path.npos, "the path ends at the query");
  must(target.query.find('#') == target.query.npos, "the query ends at the fragment");
  must(!target.path.starts_with('/') && !target.path.ends_with('/'), "slashes are off the path");
}

void check_received(const Target& target, std::string_view body, HttpMethod method) {
  const HttpRequest request{
      .method = method, .path = target.path, .query = target.query, .body = body};
  const Received received = receive(all_doors(), request);
  must(received.mark.door < all_doors().size(), "a door answers");
  const auto verb = find_verb(target.path);
  const auto* command = std::get_if<Command>(&received.reading);
  must(!command || !verb || command->verb == *verb, "a command is what its path says");
  if (const auto* refused = std::get_if<Refused>(&received.reading)) {
    must(refused->answer.result == Result::invalid, "a refusal is invalid");
  }
}

std::string written(const Command& request) {
  std::string query = "host=" + encoded(request.owner.host) + "&pool=" + encoded(request.pool);
  if (!request.owner.id.empty()) {
    query += "&id=" + encoded(request.owner.id);
  }
  if (request.token) {
    query += "&token=" + std::to_string(*request.token);
  }
  if (request.expire) {
    query += "&expire=" + std::to_string(request.expire->count());
  }
  if (request.timeout) {
    char text[64];
    const auto ns = request.timeout->count();
    snprintf(text, sizeof text, "&timeout=%lld.%09lld", static_cast<long long>(ns / 1000000000),
             static_cast<long long>(ns % 1000000000));
    query += text;
  }
  return query;
}

bool same(const Command& a, const Command& b) {
  return a.verb == b.verb && a.pool == b.pool && a.owner == b.owner && a.token == b.token &&
         a.expire == b.expire && a.timeout == b.timeout;
}

void check_request(const Command& request, Verb verb) {
  using std::chrono::seconds;
  must(request.verb == verb, "the verb is the one asked for");
  must(is_name(request.pool) && is_name(request.owner.host), "host and pool are names");
  must(request.owner.id.empty() || is_name(request.owner.id), "an id is a name");
  if (request.token) {
    must(*request.token >= 1 && *request.token <= max_token, "a token is in range");
  }
  if (request.expire) {
    must(*request.expire >= seconds{1} && *request.expire <= seconds{2147483647},
         "expire is in range");
  }
  if (request.timeout) {
    must(*request.timeout >= Duration{0} && *request.timeout <= seconds{2147483647},
         "timeout is in range");
  }
  must(!request.timeout || verb == Verb::wait, "only a wait has a timeout");
  must(!request.token || verb == Verb::release || verb == Verb::renew,
       "a token gives back or renews");
  must(!request.expire || verb != Verb::release, "a release has no expire");
  const auto again = test::parse_parameters(verb, {}, written(request));
  must(std::holds_alternative<Command>(again), "what was read can be written");
  must(same(std::get<Command>(again), request), "what was written reads the same");
}

void check_complaint(const Complaint& complaint) {
  must(!complaint.empty() && complaint.size() <= 256, "a complaint is short");
  must(is_printable(complaint), "a complaint is printable ASCII");
}

void check_accept(std::string_view accept) {
  std::string small(accept);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(c < 128 ? tolower(c) : c); });
  const bool json = accepts_json(accept);
  must(!json || small.find("application/json") != small.npos, "JSON is accepted by name");
  must(accepts_json(std::string(accept) + ",application/json"), "one more JSON is accepted");
  must(accepts_json(std::string(accept) + ",text/plain") == json, "text changes nothing");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = text_of(data, size);
  const std::string_view whole = take_until('\n', rest);
  const std::string_view accept = take_until('\n', rest);
  const Target target = split_target(whole);
  check_target(whole, target);
  for (const auto method : {HttpMethod::get, HttpMethod::post, HttpMethod::other}) {
    check_received(target, rest, method);
  }
  check_accept(accept);
  for (const Verb verb : {Verb::get, Verb::wait, Verb::release, Verb::renew}) {
    const auto parsed = test::parse_parameters(verb, target.query, rest);
    if (const auto* request = std::get_if<Command>(&parsed)) {
      check_request(*request, verb);
    } else {
      check_complaint(std::get<Complaint>(parsed));
    }
  }
  PageQuery page{target.query};
  const auto pool = page.text("pool");
  must(!pool || is_name(*pool), "a value is a name");
  must(page.complaint().size() <= 256 && is_printable(page.complaint()), "a complaint is short");
  return 0;
}
