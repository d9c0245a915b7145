// SPDX-License-Identifier: MIT
// Each client has one request under way, so to read a reply it is enough to count its lines.
#include <algorithm>
#include <string>

#include "load_peer.h"

namespace bench {

namespace {

std::string words(std::initializer_list<std::string> all) {
  std::string text = "*" + std::to_string(all.size()) + "\r\n";
  for (const std::string& word : all) {
    text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return text;
}

std::string name_of(size_t lock) { return "lock:" + std::to_string(lock); }

class RedisClient final : public Peer, public Watched {
 public:
  RedisClient(Loop& loop, const Address& address, size_t number)
      : Peer(number), channel_(address, number) {
    loop.watch(channel_.fd(), *this);
  }

  void take(size_t lock) override {
    lock_ = lock;
    ask(words({"BLPOP", name_of(lock), "0"}), 5);  // an array of two texts, two lines each
  }
  void give() override { ask(words({"LPUSH", name_of(lock_), "free"}), 1); }

  void readable() override {
    char bytes[512];
    reply_.append(bytes, channel_.receive(bytes, sizeof bytes));
    if (std::count(reply_.begin(), reply_.end(), '\n') < lines_) {
      return;
    }
    if (reply_.front() == '-') {
      give_up(reply_.c_str());
    }
    reply_.clear();
    done();
  }

 private:
  void ask(const std::string& request, int lines) {
    lines_ = lines;
    channel_.send(request);
  }

  Channel channel_;
  size_t lock_ = 0;
  int lines_ = 0;
  std::string reply_;
};

void make_locks(const Address& address, size_t locks) {
  Loop loop;
  Channel channel(address, 0);
  for (size_t lock = 0; lock < locks; ++lock) {
    channel.send(words({"DEL", name_of(lock)}) + words({"LPUSH", name_of(lock), "free"}));
  }
  std::string reply;
  char bytes[512];
  while (std::count(reply.begin(), reply.end(), '\n') < static_cast<long>(2 * locks)) {
    reply.append(bytes, channel.receive(bytes, sizeof bytes));
  }
}

std::unique_ptr<Peer> connect_to_redis(Loop& loop, const Address& address, size_t number) {
  return std::make_unique<RedisClient>(loop, address, number);
}

}  // namespace

const Service redis{"redis", make_locks, connect_to_redis};

}  // namespace bench
