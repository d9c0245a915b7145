// SPDX-License-Identifier: MIT
// HAProxy and nginx as child processes in front of a daemon, on a unix socket. HAProxy
// has the configuration of examples/haproxy.cfg; nginx has its defaults but for the
// read timeout that doc/protocol.txt asks for. Both end with the test.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

class RealProxy {
 public:
  enum class Kind { haproxy, nginx };
  RealProxy(Kind kind, uint16_t daemon_port) : kind_(kind), daemon_port_(daemon_port) {}
  ~RealProxy();
  RealProxy(const RealProxy&) = delete;
  RealProxy& operator=(const RealProxy&) = delete;

  // Whether the program is installed.
  [[nodiscard]] bool exists() const;
  // True when the daemon's /livez is answered through it.
  [[nodiscard]] bool start();
  // As Connection takes it: unix:/path.
  [[nodiscard]] std::string address() const { return "unix:" + dir_.file("socket"); }

 private:
  [[nodiscard]] std::string haproxy_config() const;
  [[nodiscard]] std::string nginx_config() const;
  [[nodiscard]] bool serves() const;

  Kind kind_;
  uint16_t daemon_port_;
  TempDir dir_{};
  pid_t pid_ = -1;
};

}  // namespace distributex::test
