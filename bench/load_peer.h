// SPDX-License-Identifier: MIT
// A client of another lock service, as one would use that service: it takes a lock and
// gives it back, one step at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "load_net.h"

namespace bench {

class Peer {
 public:
  using Done = std::function<void(Peer&)>;

  explicit Peer(size_t number) : number_(number) {}
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Start to take the lock, or to give it back; on_done() tells the end. take() may last long.
  virtual void take(size_t lock) = 0;
  virtual void give() = 0;
  void on_done(Done done) { done_ = std::move(done); }
  [[nodiscard]] size_t number() const { return number_; }

 protected:
  void done() { done_(*this); }

 private:
  size_t number_;
  Done done_;
};

// One service: how its locks, from 0 on, are made, and its clients.
struct Service {
  const char* name;
  void (*prepare)(const Address& address, size_t locks);
  std::unique_ptr<Peer> (*connect)(Loop& loop, const Address& address, size_t number);
};

// Redis: a list with one element for each lock; BLPOP takes it, LPUSH gives it back.
extern const Service redis;
// PostgreSQL: a transaction that updates the lock's row, and commits to give it back.
extern const Service postgresql;
// etcd: the recipe of etcdctl lock, through the JSON gateway.
extern const Service etcd;

// nullptr: there is none of that name.
[[nodiscard]] const Service* find_service(const std::string& name);

}  // namespace bench
