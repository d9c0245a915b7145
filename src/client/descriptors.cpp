// SPDX-License-Identifier: MIT
//
// Lists /proc/self/fd. Our own code opens everything close-on-exec; this is for the libraries that
// do not.
#include "client/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

namespace distributex::client {

namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::vector<int> open_descriptors() {
  std::vector<int> fds;
  const std::unique_ptr<DIR, CloseDir> dir(opendir("/proc/self/fd"));
  while (const dirent* entry = dir ? readdir(dir.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (parsed.ec == std::errc() && fd != dirfd(dir.get())) {
      fds.push_back(fd);
    }
  }
  return fds;
}

}  // namespace

Descriptors::Descriptors() {
  // A closed stdin, stdout or stderr would be taken by the next thing we open. The command gets it
  // closed, as we did.
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd) {
      abort();
    }
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
