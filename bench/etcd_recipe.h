// SPDX-License-Identifier: MIT
// The mutex of `etcdctl lock` over etcd's JSON gateway, step by step as etcd's own
// client does it: a lease, a key under it, a watch of the key before it until that is
// gone, a look at the own key; then the key is deleted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/http.h"

namespace bench {

class RecipeLock {
 public:
  // By the gateway at that port.
  RecipeLock(uint16_t port, std::string name) : port_(port), name_(std::move(name)), line_(port) {}

  // A new lease and a new key; true when the lock is its own already.
  [[nodiscard]] bool queue();
  // After queue() said no: until the keys before it are gone.
  void wait();
  void unlock();

 private:
  [[nodiscard]] std::string ask(std::string_view path, const std::string& body);
  [[nodiscard]] std::string ask_last_before();
  void wait_for_deletion(const std::string& key, const std::string& revision);

  uint16_t port_;
  std::string name_;
  distributex::test::Connection line_;
  std::string key_;       // base64
  std::string revision_;  // at which it was made
};

}  // namespace bench
