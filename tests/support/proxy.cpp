// SPDX-License-Identifier: MIT
// Writing the proxies' configurations, starting and ending them.
#include "support/proxy.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

#include "support/http.h"

namespace distributex::test {

namespace {

// Where Debian has them; the PATH of a user often lacks /usr/sbin.
const char* program_of(RealProxy::Kind kind) {
  return kind == RealProxy::Kind::haproxy ? "/usr/sbin/haproxy" : "/usr/sbin/nginx";
}

void replace(std::string& text, std::string_view old, const std::string& by) {
  for (size_t at = 0; (at = text.find(old, at)) != text.npos; at += by.size()) {
    text.replace(at, old.size(), by);
  }
}

}  // namespace

RealProxy::~RealProxy() {
  if (pid_ <= 0) {
    return;
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool RealProxy::exists() const { return access(program_of(kind_), X_OK) == 0; }

// The example's two servers are one here.
std::string RealProxy::haproxy_config() const {
  const char* top = getenv("TOP");
  std::string text =
      read_whole_file(std::string(top == nullptr ? "." : top) + "/examples/haproxy.cfg");
  replace(text, "bind :9889", "bind unix@" + dir_.file("socket"));
  replace(text, "192.0.2.1:9889", "127.0.0.1:" + std::to_string(daemon_port_));
  replace(text, "192.0.2.2:9889 check", "127.0.0.1:" + std::to_string(daemon_port_) + " backup");
  return text;
}

// One process, which the test can end.
std::string RealProxy::nginx_config() const {
  const std::string here = dir_.path();
  std::string text = "daemon off;\nmaster_process off;\npid " + here + "/pid;\nerror_log " + here +
                     "/log;\nevents {}\nhttp {\n  access_log off;\n";
  for (const char* name : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text.append("  ").append(name).append("_temp_path ").append(here).append("/tmp;\n");
  }
  return text + "  server {\n    listen unix:" + dir_.file("socket") +
         ";\n    location / {\n      proxy_pass http://127.0.0.1:" + std::to_string(daemon_port_) +
         ";\n      proxy_read_timeout 2h;\n      proxy_next_upstream off;\n    }\n  }\n}\n";
}

bool RealProxy::serves() const {
  Connection line{address()};
  return line.connected() && word(line, "/livez") == "ok\n";
}

bool RealProxy::start() {
  const bool haproxy = kind_ == Kind::haproxy;
  const std::string config = dir_.file("config");
  write_file(config, haproxy ? haproxy_config() : nginx_config());
  const std::string log = dir_.file("output");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (haproxy) {
      execl(program_of(kind_), "haproxy", "-db", "-f", config.c_str(), nullptr);
    }
    execl(program_of(kind_), "nginx", "-c", config.c_str(), nullptr);
    _exit(127);
  }
  if (eventually([this] { return serves() || waitpid(pid_, nullptr, WNOHANG) != 0; }) && serves()) {
    return true;
  }
  fprintf(stderr, "%s does not serve:\n%s\n", program_of(kind_), read_whole_file(log).c_str());
  return false;
}

}  // namespace distributex::test
