// SPDX-License-Identifier: MIT
// Does what etcdctl lock does: makes a key with the client's lease below the lock's prefix.
// The client of the oldest key has the lock; each other client watches the key before its own.
#include <stdlib.h>

#include <string>

#include "load_peer.h"

namespace bench {

namespace {

constexpr const char* session_seconds = "600";

std::string base64(std::string_view bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k < bytes.size() + 1 ? digits[three >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

// The text between quotes behind the first name of that kind after `from`; empty: none.
std::string text_of(std::string_view json, std::string_view name, size_t from = 0) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const size_t found = json.find(key, from);
  if (found == json.npos) {
    return {};
  }
  const size_t begin = found + key.size();
  return std::string(json.substr(begin, json.find('"', begin) - begin));
}

std::string post(std::string_view path, const std::string& body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Keys that begin with this one.
std::string range_of(const std::string& prefix) {
  std::string end = prefix;
  ++end.back();
  return R"("key":")" + base64(prefix) + R"(","range_end":")" + base64(end) + '"';
}

// Calls back once, when a key is deleted.
class KeyWatch final : public Watched {
 public:
  KeyWatch(Loop& loop, const Address& address, size_t number, std::string_view key,
           const std::string& revision, std::function<void()> ended)
      : channel_(std::make_unique<Channel>(address, number)), ended_(std::move(ended)) {
    loop.watch(channel_->fd(), *this);
    channel_->send(post("/v3/watch", R"({"create_request":{"key":")" + std::string(key) +
                                         R"(","start_revision":)" + revision + "}}"));
  }

  void readable() override {
    char bytes[4096];
    if (!channel_) {
      return;
    }
    heard_.append(bytes, channel_->receive(bytes, sizeof bytes));
    if (heard_.find(R"("type":"DELETE")") != heard_.npos) {
      channel_.reset();
      ended_();
    }
  }

 private:
  std::unique_ptr<Channel> channel_;  // nothing once it has told
  std::function<void()> ended_;
  std::string heard_;
};

class EtcdClient final : public Peer, public Watched {
 public:
  EtcdClient(Loop& loop, const Address& address, size_t number)
      : Peer(number), loop_(loop), address_(address), channel_(address, number) {
    channel_.send(post("/v3/lease/grant", std::string(R"({"TTL":)") + session_seconds + "}"));
    std::string body;
    while (body.empty()) {
      body = receive();
    }
    lease_ = text_of(body, "ID");
    loop.watch(channel_.fd(), *this);
  }

  void take(size_t lock) override {
    prefix_ = "lock/" + std::to_string(lock) + "/";
    key_ = base64(prefix_ + lease_);
    const std::string owner = R"({"request_range":{)" + range_of(prefix_) +
                              R"(,"sort_order":"ASCEND","sort_target":"CREATE","limit":1}})";
    ask(Step::put, "/v3/kv/txn",
        R"({"compare":[{"key":")" + key_ +
            R"(","target":"CREATE","result":"EQUAL","create_revision":0}],"success":[{"request_put":{"key":")" +
            key_ + R"(","lease":)" + lease_ + "}}," + owner + R"(],"failure":[)" + owner + "]}");
  }
  void give() override { ask(Step::give, "/v3/kv/deleterange", R"({"key":")" + key_ + R"("})"); }

  void readable() override {
    const std::string body = receive();
    if (body.empty()) {
      return;
    }
    switch (step_) {
      case Step::put:
        return take_put(body);
      case Step::before:
        return take_before(body);
      case Step::own:
      case Step::give:
        return done();
    }
  }

 private:
  enum class Step { put, before, own, give };

  void ask(Step step, std::string_view path, const std::string& body) {
    step_ = step;
    channel_.send(post(path, body));
  }

  // A whole body, or nothing.
  std::string receive() {
    char bytes[8192];
    reply_.append(bytes, channel_.receive(bytes, sizeof bytes));
    const size_t head = reply_.find("\r\n\r\n");
    const size_t length = reply_.find("Content-Length: ");
    if (head == reply_.npos) {
      return {};
    }
    if (length == reply_.npos || length > head || !reply_.starts_with("HTTP/1.1 200 ")) {
      give_up(reply_.c_str());
    }
    const size_t size = strtoul(reply_.c_str() + length + 16, nullptr, 10);
    if (reply_.size() < head + 4 + size) {
      return {};
    }
    std::string body = reply_.substr(head + 4);
    reply_.clear();
    return body;
  }

  void take_put(const std::string& body) {
    if (body.find(R"("succeeded":true)") == body.npos) {
      give_up("a key of an earlier lock is still there");
    }
    revision_ = text_of(body, "revision");
    if (text_of(body, "create_revision") == revision_) {
      return done();
    }
    look_before();
  }

  void look_before() {
    const auto last = std::to_string(strtoull(revision_.c_str(), nullptr, 10) - 1);
    ask(Step::before, "/v3/kv/range",
        "{" + range_of(prefix_) +
            R"(,"sort_order":"DESCEND","sort_target":"CREATE","limit":1,"max_create_revision":)" +
            last + "}");
  }

  void take_before(const std::string& body) {
    const size_t kvs = body.find(R"("kvs":)");
    if (kvs == body.npos) {  // nobody is before us; is our own key still there?
      return ask(Step::own, "/v3/kv/range", R"({"key":")" + key_ + R"("})");
    }
    watch_ = std::make_unique<KeyWatch>(loop_, address_, number(), text_of(body, "key", kvs),
                                        text_of(body, "revision"), [this] { look_before(); });
  }

  Loop& loop_;
  Address address_;
  Channel channel_;
  Step step_ = Step::put;
  std::string lease_, prefix_, key_, revision_, reply_;
  std::unique_ptr<KeyWatch> watch_;
};

// Deletes the keys of clients of an earlier measurement.
void forget_locks(const Address& address, size_t) {
  Channel channel(address, 0);
  channel.send(post("/v3/kv/deleterange", "{" + range_of("lock/") + "}"));
  std::string reply;
  char bytes[4096];
  while (reply.find("\"header\"") == reply.npos) {
    reply.append(bytes, channel.receive(bytes, sizeof bytes));
  }
}

std::unique_ptr<Peer> connect_to_etcd(Loop& loop, const Address& address, size_t number) {
  return std::make_unique<EtcdClient>(loop, address, number);
}

}  // namespace

const Service etcd{"etcd", forget_locks, connect_to_etcd};

}  // namespace bench
