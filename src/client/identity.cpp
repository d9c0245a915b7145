// SPDX-License-Identifier: MIT
//
// Asks the name service in a child process: getaddrinfo has no time limit, and a thread that hangs
// in it could hold locks that a later fork needs.
#include "client/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "client/say.h"

namespace distributex::client {

namespace {

using Addresses = std::unique_ptr<addrinfo, FreeWith<&freeaddrinfo>>;

// In the child: writes the canonical name, or nothing.
[[noreturn]] void look_up(const char* short_name, int out) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(short_name, nullptr, &hints, &found) == 0) {
    const Addresses list(found);
    if (list->ai_canonname != nullptr) {
      (void)!write(out, list->ai_canonname, std::min<std::size_t>(strlen(list->ai_canonname), 255));
    }
  }
  _exit(0);
}

// Returns what the child writes until it ends; nullopt if the time is up before.
std::optional<std::string> read_name(int from, Span patience) {
  const Moment until = read_clock() + patience;
  Alarm alarm;
  alarm.set(until);
  std::string name;
  while (name.size() < 256) {
    std::array<pollfd, 2> fds{{{from, POLLIN, 0}, {alarm.fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    if (fds[0].revents == 0) {
      return std::nullopt;
    }
    std::array<char, 256> buffer{};
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got == 0 || (got == -1 && errno != EINTR)) {
      break;
    }
    name.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  return name;
}

std::string full_name(const std::string& short_name, Span patience) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    tell("the full name of this host cannot be looked up: pipe2: %s", strerrordesc_np(errno));
    return {};
  }
  const Fd from_child(ends[0]);
  Fd to_parent(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    look_up(short_name.c_str(), to_parent.get());
  }
  if (child == -1) {
    tell("the full name of this host cannot be looked up: fork: %s", strerrordesc_np(errno));
    return {};
  }
  to_parent.reset(-1);
  const auto name = read_name(from_child.get(), patience);
  (void)kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) == -1 && errno == EINTR) {
  }
  if (!name) {
    tell("the name service does not tell the full name of this host: it is %s now",
         short_name.c_str());
  }
  return name.value_or(std::string());
}

std::string unique_id() {
  std::uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof bits)) {
    bits = static_cast<std::uint64_t>(read_clock().time_since_epoch().count());
  }
  std::array<char, 48> text{};
  (void)snprintf(text.data(), text.size(), "%ld-%016llx", static_cast<long>(getpid()),
                 static_cast<unsigned long long>(bits));
  return text.data();
}

bool is_localhost(std::string_view name) {
  const std::string_view label = name.substr(0, name.find('.'));
  constexpr std::array<std::string_view, 6> names{"localhost",     "localhost4",   "localhost6",
                                                  "ip6-localhost", "ip6-loopback", "loopback"};
  return std::any_of(names.begin(), names.end(),
                     [label](std::string_view n) { return equal_ignoring_case(n, label); }) ||
         name.ends_with(".localhost");
}

}  // namespace

Span patience_for_name(const Options& options) {
  constexpr Span most = std::chrono::seconds(2);
  return options.wait && !options.impatient() ? std::min(most, *options.wait / 3) : most;
}

std::string find_host_name(Span patience) {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  const std::string short_name = name.data();
  return short_name.find('.') != std::string::npos
             ? short_name
             : choose_host_name(short_name, full_name(short_name, patience));
}

Identity make_identity(const std::string& host, const std::string& id, Span patience) {
  return {host.empty() ? find_host_name(patience) : host, id.empty() ? unique_id() : id};
}

std::string choose_host_name(const std::string& short_name, const std::string& full) {
  return full.find('.') == std::string::npos || is_localhost(full) ? short_name : full;
}

}  // namespace distributex::client
