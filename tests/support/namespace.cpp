// SPDX-License-Identifier: MIT
// Root may have them for the asking; others are root in a user namespace.
#include "support/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

namespace distributex::test {
namespace {

std::string why(const char* what) { return std::string(what) + ": " + strerror(errno); }

bool write_once(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool written =
      fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) {
    close(fd);
  }
  return written;
}

std::string enter_as_nobody(int kinds) {
  const std::string user = std::to_string(geteuid());
  const std::string group = std::to_string(getegid());
  if (unshare(kinds | CLONE_NEWUSER) != 0) {
    return why("unshare");
  }
  if (!write_once("/proc/self/setgroups", "deny") ||
      !write_once("/proc/self/uid_map", "0 " + user + " 1") ||
      !write_once("/proc/self/gid_map", "0 " + group + " 1")) {
    return why("uid_map");
  }
  return "";
}

// A network begins with a loopback device that is down.
std::string switch_loopback_on() {
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  std::string trouble = ioctl(control, SIOCSIFFLAGS, &request) == 0 ? "" : why("loopback");
  close(control);
  return trouble;
}

}  // namespace

std::string enter_namespaces(int kinds) {
  if (unshare(kinds) != 0) {
    if (errno != EPERM) {
      return why("unshare");
    }
    if (std::string trouble = enter_as_nobody(kinds); !trouble.empty()) {
      return trouble;
    }
  }
  if ((kinds & CLONE_NEWNS) != 0 &&
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return why("mount");
  }
  return (kinds & CLONE_NEWNET) != 0 ? switch_loopback_on() : "";
}

}  // namespace distributex::test
