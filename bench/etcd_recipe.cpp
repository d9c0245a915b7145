// SPDX-License-Identifier: MIT
// Finds fields of answers by their names, without a JSON parser.
#include "etcd_recipe.h"

#include <cstdlib>

#include "backends/etcd/base64.h"
#include "load_net.h"

namespace bench {

using distributex::base64;
using distributex::test::Connection;

namespace {

std::string request(std::string_view path, const std::string& body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: etcd\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// The text of the first field of that name after `from`; "" when there is none.
std::string field(const std::string& answer, const std::string& name, size_t from = 0) {
  const std::string start = "\"" + name + "\":\"";
  const size_t at = answer.find(start, from);
  if (at == std::string::npos) {
    return "";
  }
  const size_t value = at + start.size();
  return answer.substr(value, answer.find('"', value) - value);
}

std::string quoted(const std::string& name, const std::string& value) {
  return "\"" + name + "\":\"" + value + "\"";
}

}  // namespace

std::string RecipeLock::ask(std::string_view path, const std::string& body) {
  if (!line_.send(request(path, body))) {
    give_up("etcd is gone");
  }
  const auto response = line_.response();
  if (!response || response->status != 200) {
    give_up("etcd does not answer");
  }
  return response->body;
}

bool RecipeLock::queue() {
  const std::string lease = field(ask("/v3/lease/grant", R"({"TTL":"60"})"), "ID");
  key_ = base64(name_ + "/" + lease);
  const std::string first = "{" + quoted("key", base64(name_ + "/")) + "," +
                            quoted("range_end", base64(name_ + "0")) +
                            R"(,"sort_order":"ASCEND","sort_target":"CREATE","limit":"1"})";
  const std::string answer =
      ask("/v3/kv/txn", R"({"compare":[{"target":"CREATE","result":"EQUAL",)" +
                            quoted("key", key_) + R"(,"create_revision":"0"}],"success":[)" +
                            R"({"request_put":{)" + quoted("key", key_) + "," +
                            quoted("lease", lease) + R"(}},{"request_range":)" + first + "}]}");
  revision_ = field(answer, "revision");
  return field(answer, "create_revision") == revision_;
}

// The newest of the keys that are older than the own one.
std::string RecipeLock::ask_last_before() {
  const uint64_t before = strtoull(revision_.c_str(), nullptr, 10) - 1;
  return ask("/v3/kv/range", "{" + quoted("key", base64(name_ + "/")) + "," +
                                 quoted("range_end", base64(name_ + "0")) + "," +
                                 quoted("max_create_revision", std::to_string(before)) +
                                 R"(,"sort_order":"DESCEND","sort_target":"CREATE","limit":"1"})");
}

void RecipeLock::wait() {
  for (;;) {
    const std::string answer = ask_last_before();
    const std::string key = field(answer, "key");
    if (key.empty()) {
      break;
    }
    wait_for_deletion(key, field(answer, "revision"));
  }
  (void)ask("/v3/kv/range", "{" + quoted("key", key_) + "}");
}

void RecipeLock::wait_for_deletion(const std::string& key, const std::string& revision) {
  Connection stream(port_);
  const std::string body = R"({"create_request":{)" + quoted("key", key) + "," +
                           quoted("start_revision", revision) + "}}";
  if (!stream.send(request("/v3/watch", body))) {
    give_up("etcd is gone");
  }
  while (stream.unread().find("DELETE") == std::string::npos) {
    if (!stream.wait_readable()) {
      give_up("etcd does not answer");
    }
    (void)stream.quiet();
  }
}

void RecipeLock::unlock() { (void)ask("/v3/kv/deleterange", "{" + quoted("key", key_) + "}"); }

}  // namespace bench
