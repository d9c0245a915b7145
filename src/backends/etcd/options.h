// SPDX-License-Identifier: MIT
// The options of the etcd backend; their rows are in options.cpp.
#pragma once

#include <chrono>
#include <string>

namespace distributex {

struct EtcdOptions {
  std::string hosts;
  std::string prefix;
  std::chrono::milliseconds timeout{0};  // for one question to be answered
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string user;
  std::string password_file;
};

}  // namespace distributex
