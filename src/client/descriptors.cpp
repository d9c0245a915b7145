// SPDX-License-Identifier: MIT
//
// Lists /proc/self/fd, or tries all numbers if /proc is not mounted. The client opens everything
// close-on-exec; some libraries do not.
#include "client/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "base/handle.h"
#include "base/standard_fds.h"
#include "base/text.h"
#include "client/say.h"

namespace distributex::client {

namespace {

using Dir = std::unique_ptr<DIR, FreeWith<&closedir>>;

constexpr rlim_t most_tried = 65536;

// For a system without /proc.
std::vector<int> try_descriptors() {
  rlimit limit{};
  const rlim_t end =
      getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min(limit.rlim_cur, most_tried) : most_tried;
  std::vector<int> fds;
  for (int fd = 0; fd < static_cast<int>(end); ++fd) {
    if (fcntl(fd, F_GETFD) != -1) {
      fds.push_back(fd);
    }
  }
  return fds;
}

std::vector<int> open_descriptors() {
  const Dir dir(opendir("/proc/self/fd"));
  if (!dir) {
    return try_descriptors();
  }
  std::vector<int> fds;
  while (const dirent* entry = readdir(dir.get())) {
    const auto fd = parse_whole<int>(entry->d_name);
    if (fd && *fd != dirfd(dir.get())) {
      fds.push_back(*fd);
    }
  }
  return fds;
}

}  // namespace

Descriptors::Descriptors() {
  // Standard descriptors that were closed are opened close-on-exec, so the command gets them
  // closed.
  if (!open_missing_standard_fds()) {
    give_up("/dev/null");
  }
  inherited_ = open_descriptors();
}

void Descriptors::protect() const {
  for (const int fd : open_descriptors()) {
    if (std::find(inherited_.begin(), inherited_.end(), fd) == inherited_.end()) {
      (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

}  // namespace distributex::client
