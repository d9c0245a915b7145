// SPDX-License-Identifier: MIT
//
// The lock file is opened without following links, must be a plain file of this user that nobody
// else may write, and must still be the file of that name once it is locked. A child waits in
// flock(2): the lock belongs to the open file, which parent and child share, so the parent can wait
// for it together with signals and a deadline.
#include "client/locallock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "client/environment.h"
#include "client/say.h"

namespace distributex::client {

namespace {

// The folders, in this order, do not depend on the environment: all runs of one user, in cron and
// in a login, must find the same file, or they would not see each other's lock.
constexpr std::array places{"/run/lock", "/tmp"};

std::string readable_part(const std::string& pool) {
  std::string part = pool.substr(0, 64);
  for (char& c : part) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    c = is_plain ? c : '_';
  }
  return part;
}

// On failure returns no descriptor and sets errno; EEXIST: the file exists but is not safe to use.
// Opens the file for reading only, which flock allows, so that an existing file still serves after
// the file system has become read-only.
Fd open_lock_file(const std::string& path) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Fd fd(open(path.c_str(), flags));
  if (!fd && errno == ENOENT) {
    fd = Fd(open(path.c_str(), flags | O_CREAT | O_EXCL, 0600));
    if (!fd && errno == EEXIST) {  // another run of this user was faster
      fd = Fd(open(path.c_str(), flags));
    }
  }
  struct stat status {};
  if (!fd && errno == EACCES) {
    // Either another user owns the file, or this user may not write to the folder.
    errno = lstat(path.c_str(), &status) == 0 ? EEXIST : EACCES;
  } else if (fd && (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
                    status.st_uid != geteuid() || status.st_nlink > 1 ||
                    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
    fd.reset(-1);
    errno = EEXIST;
  }
  return fd;
}

// Whether to try the next place: this one has no such file and takes none. Any other trouble is an
// error, so that two runs do not use different files because of it.
bool is_closed_to_us(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == EROFS || error == EPERM;
}

// Whether other users cannot rename files in the folder: else they could make two runs use
// different files.
bool is_safe_place(const char* place) {
  struct stat status {};
  return stat(place, &status) == 0 && S_ISDIR(status.st_mode) &&
         ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (status.st_mode & S_ISVTX) != 0);
}

// Opens the file in the first place that has or takes it; sets `path` to its name, also on failure.
Fd open_in_first_place(const std::string& name, std::string& path) {
  Fd fd;
  errno = ENOENT;
  path = places.front();
  for (const char* place : places) {
    if (!is_safe_place(place)) {
      continue;
    }
    path = std::string(place) + "/" + name;
    fd = open_lock_file(path);
    if (fd || !is_closed_to_us(errno)) {
      break;
    }
  }
  return fd;
}

// A file that was removed between open and flock protects nothing: the next run makes a new one.
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

// A child that waits in flock(2). Only the child has the writing end of a pipe, so the reading end
// shows when the child ends. This needs only calls that every sandbox allows.
class Waiter {
 public:
  explicit Waiter(int lock) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      trouble_ = "pipe2";
      return;
    }
    end_.reset(ends[0]);
    const Fd child_end(ends[1]);
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ == 0) {
      end_.reset(-1);
      wait_in_flock(lock, parent);
    }
    trouble_ = child_ == -1 ? "fork" : nullptr;
  }
  ~Waiter() {
    const int error = errno;
    if (child_ > 0) {
      (void)kill(child_, SIGKILL);
      while (waitpid(child_, nullptr, 0) == -1 && errno == EINTR) {
      }
    }
    errno = error;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // The call that failed, with errno; nullptr: the child waits.
  [[nodiscard]] const char* trouble() const { return trouble_; }
  // Readable when the child has ended.
  [[nodiscard]] int end() const { return end_.get(); }

 private:
  Fd end_;
  pid_t child_ = -1;
  const char* trouble_ = nullptr;
};

enum class Waited { locked, timed_out, interrupted };

// Waits until the child has the lock, the time is up, or a signal comes, which is stored in
// `interrupting`.
Waited wait_for_child(const Waiter& waiter, Signals& signals, std::optional<Moment> until,
                      int& interrupting) {
  Alarm alarm;
  alarm.set(until);
  for (;;) {
    std::array<pollfd, 3> fds{
        {{waiter.end(), POLLIN, 0}, {signals.fd(), POLLIN, 0}, {alarm.fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    while (const auto signal = signals.next()) {
      interrupting = is_for_command(*signal) ? *signal : interrupting;
    }
    if (fds[0].revents != 0) {
      return Waited::locked;
    }
    if (interrupting != 0 || fds[2].revents != 0) {
      return interrupting != 0 ? Waited::interrupted : Waited::timed_out;
    }
  }
}

Ending say_busy(const Options& options) {
  const int code = options.not_obtained_code.value_or(exit_not_obtained);
  if (code != 0) {
    complain("no lock on %s: another run on this host has it", options.pool.c_str());
  }
  return {code};
}

Ending say_failed(const std::string& path, const char* what) {
  complain("cannot lock on this host: %s: %s%s%s", path.c_str(), what, what[0] == '\0' ? "" : ": ",
           errno == EEXIST || errno == ELOOP || errno == EISDIR
               ? "not a plain file that only this user may write"
               : strerrordesc_np(errno));
  return {exit_unreachable};
}

// Nullopt: the lock is taken.
std::optional<Ending> wait_for_lock(int lock, const std::string& path, const Options& options,
                                    Signals& signals, Moment begun) {
  if (options.impatient()) {
    return say_busy(options);
  }
  tell("waiting for another run on this host");
  warn_of_own_lock(options);
  const auto until = options.wait ? std::optional(begun + *options.wait) : std::nullopt;
  int signal = 0;
  Waited waited = Waited::timed_out;
  {
    const Waiter waiter(lock);
    if (waiter.trouble() != nullptr) {
      return say_failed(path, waiter.trouble());
    }
    waited = wait_for_child(waiter, signals, until, signal);
  }
  switch (waited) {
    case Waited::timed_out:
      return say_busy(options);
    case Waited::interrupted:
      return ended_by(signal);
    case Waited::locked:
      break;
  }
  // Check the lock: a child that was killed has ended without it.
  return flock(lock, LOCK_EX | LOCK_NB) == 0 ? std::nullopt
                                             : std::optional(say_failed(path, "flock"));
}

}  // namespace

std::string local_lock_name(const std::vector<Server>& servers, const std::string& pool) {
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
                 static_cast<unsigned long long>(name_hash(key)));
  return "distributex-" + std::to_string(geteuid()) + "-" + readable_part(pool) + tail.data();
}

std::variant<LocalLock, Ending> LocalLock::take(const Options& options, Signals& signals,
                                                Moment begun) {
  const std::string name = local_lock_name(options.servers, options.pool);
  for (;;) {
    std::string path;
    LocalLock lock(open_in_first_place(name, path));
    if (!lock.fd_) {
      return say_failed(path, "");
    }
    if (flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        return say_failed(path, "flock");
      }
      if (const auto ending = wait_for_lock(lock.fd_.get(), path, options, signals, begun)) {
        return *ending;
      }
    }
    if (is_still_there(lock.fd_.get(), path)) {
      return lock;
    }
  }
}

}  // namespace distributex::client
