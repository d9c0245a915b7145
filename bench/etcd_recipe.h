// SPDX-License-Identifier: MIT
// The mutex of `etcdctl lock` over etcd's JSON gateway, step by step as etcd's own
// client does it: makes a lease and a key under it, watches the key before it until that
// key is gone, and reads its own key; to unlock it deletes its own key.
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

  // Makes a new lease and a new key; true if it has the lock already.
  [[nodiscard]] bool queue();
  // Call it after queue() returned false: waits until the keys before its own are gone.
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
