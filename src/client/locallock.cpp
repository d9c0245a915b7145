// SPDX-License-Identifier: MIT
//
// The lock file is opened without following links, must be a plain file of ours that nobody else
// may write, and must still be the file of that name once it is locked. A child waits in flock(2)
// for us: the lock belongs to the open file, which parent and child share, so it can be waited for
// together with signals and a deadline.
#include "client/locallock.h"

#include "client/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

namespace distributex::client {

namespace {

// The same place for all runs of one user, in cron as in a login: /run/lock wherever it can be
// used.
std::string lock_directory() {
  if (access("/run/lock", W_OK | X_OK) == 0) {
    return "/run/lock";
  }
  for (const char* name : {"XDG_RUNTIME_DIR", "TMPDIR"}) {
    const char* value = getenv(name);
    if (value != nullptr && value[0] == '/' && access(value, W_OK | X_OK) == 0) {
      return value;
    }
  }
  return "/tmp";
}

// FNV-1a: file names of bounded length for servers and pools of any.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

std::string readable_part(const std::string& pool) {
  std::string part = pool.substr(0, 64);
  for (char& c : part) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    c = is_plain ? c : '_';
  }
  return part;
}

// -1: errno says why, EEXIST: it is there, but not safe to use.
int open_lock_file(const std::string& path) {
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  int fd = open(path.c_str(), flags);
  if (fd == -1 && errno == ENOENT) {
    fd = open(path.c_str(), flags | O_CREAT | O_EXCL, 0600);
    if (fd == -1 && errno == EEXIST) {  // somebody else of ours was faster
      fd = open(path.c_str(), flags);
    }
  }
  struct stat status {};
  if (fd != -1 &&
      (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
       status.st_nlink > 1 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
    close(fd);
    errno = EEXIST;
    return -1;
  }
  return fd;
}

// Somebody may have removed the file between open and flock: then it protects nothing.
bool is_still_there(int fd, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return fstat(fd, &held) == 0 && lstat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

[[noreturn]] void wait_in_flock(int fd, pid_t parent) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  while (getppid() == parent && flock(fd, LOCK_EX) != 0 && errno == EINTR) {
  }
  _exit(0);
}

enum class Waited { locked, timed_out, interrupted, failed };

// The child has its turn until it has the lock, the time is up or a signal comes, which is left in
// `interrupting`.
Waited wait_for_lock(int fd, Signals& signals, std::optional<Moment> until, int& interrupting) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    wait_in_flock(fd, parent);
  }
  const int child_fd = child == -1 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  Waited waited = child_fd == -1 ? Waited::failed : Waited::timed_out;
  Alarm alarm;
  alarm.set(until);
  bool is_waiting = child_fd != -1;
  while (is_waiting) {
    std::array<pollfd, 3> fds{
        {{child_fd, POLLIN, 0}, {signals.fd(), POLLIN, 0}, {alarm.fd(), POLLIN, 0}}};
    (void)poll(fds.data(), fds.size(), -1);
    while (const auto signal = signals.next()) {
      interrupting = is_for_command(*signal) ? *signal : interrupting;
    }
    const bool has_ended = fds[0].revents != 0;
    waited =
        has_ended ? Waited::locked : (interrupting != 0 ? Waited::interrupted : Waited::timed_out);
    is_waiting = !has_ended && interrupting == 0 && fds[2].revents == 0;
  }
  if (child > 0) {
    (void)kill(child, SIGKILL);
    (void)waitpid(child, nullptr, 0);
  }
  if (child_fd != -1) {
    close(child_fd);
  }
  // What the child did, or was about to do, shows in the lock itself.
  return waited == Waited::locked && flock(fd, LOCK_EX | LOCK_NB) != 0 ? Waited::failed : waited;
}

int say_busy(const Options& options) {
  const int code = options.not_obtained_code.value_or(exit_not_obtained);
  if (code != 0) {
    complain("no lock on %s: another run on this host has it", options.pool.c_str());
  }
  return code;
}

}  // namespace

std::string local_lock_path(const std::vector<Server>& servers, const std::string& pool) {
  std::vector<std::string> names;
  names.reserve(servers.size());
  for (const Server& server : servers) {
    names.push_back(server.name());
  }
  std::sort(names.begin(), names.end());
  std::string key = pool;
  for (const std::string& name : names) {
    key += '\n' + name;
  }
  std::array<char, 64> tail{};
  (void)snprintf(tail.data(), tail.size(), "-%016llx.lock",
                 static_cast<unsigned long long>(hash_of(key)));
  return lock_directory() + "/distributex-" + std::to_string(geteuid()) + "-" +
         readable_part(pool) + tail.data();
}

LocalLock::~LocalLock() {
  if (fd_ != -1) {
    close(fd_);
  }
}

LocalLock::LocalLock(LocalLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

LocalLock& LocalLock::operator=(LocalLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::variant<LocalLock, int> LocalLock::take(const Options& options, Signals& signals,
                                             Moment begun) {
  const std::string path = local_lock_path(options.servers, options.pool);
  for (;;) {
    LocalLock lock(open_lock_file(path));
    if (lock.fd_ == -1) {
      complain("cannot lock on this host: %s: %s", path.c_str(),
               errno == EEXIST || errno == ELOOP || errno == EISDIR
                   ? "not a plain file that is ours alone"
                   : strerrordesc_np(errno));
      return exit_unreachable;
    }
    int signal = 0;
    const bool is_free = flock(lock.fd_, LOCK_EX | LOCK_NB) == 0;
    if (!is_free && options.impatient()) {
      return say_busy(options);
    }
    if (!is_free) {
      tell("waiting for another run on this host");
      const auto until = options.wait ? std::optional(begun + *options.wait) : std::nullopt;
      switch (wait_for_lock(lock.fd_, signals, until, signal)) {
        case Waited::timed_out:
          return say_busy(options);
        case Waited::interrupted:
          return exit_by_signal + signal;
        case Waited::failed:
          complain("cannot wait for the lock on this host: %s", path.c_str());
          return exit_unreachable;
        case Waited::locked:
          break;
      }
    }
    if (is_still_there(lock.fd_, path)) {
      return lock;
    }
  }
}

}  // namespace distributex::client
