// SPDX-License-Identifier: MIT
// All of this runs at the start only, but for the removal of the pid file and, at a reload,
// room_for_connections().
#include "daemon/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/log.h"

namespace distributex {

namespace {

constexpr char ready_byte = 'r';
constexpr uint32_t reserved_files = 128;  // descriptors that are not connections

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

// Runs in the first process: waits until the daemon's start has ended, and exits with its
// code.
[[noreturn]] void await_daemon(const Fd& report, pid_t child) {
  char byte = 0;
  ssize_t n;
  do {
    n = read(report.get(), &byte, 1);
  } while (n < 0 && errno == EINTR);
  if (n == 1 && byte == ready_byte) {
    _exit(EXIT_SUCCESS);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

}  // namespace

std::optional<Background> Background::enter() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  Fd from_daemon{ends[0]};
  Fd to_shell{ends[1]};
  const pid_t child = fork();
  if (child < 0) {
    return std::nullopt;
  }
  if (child > 0) {
    to_shell.reset(-1);
    await_daemon(from_daemon, child);
  }
  setsid();
  return Background{std::move(to_shell)};
}

void Background::ready() {
  if (const Fd null{open("/dev/null", O_RDWR | O_CLOEXEC)}) {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      (void)dup2(null.get(), fd);
    }
  }
  (void)!chdir("/");
  // Ignore failures: the first process may have been killed.
  (void)!write(report_.get(), &ready_byte, 1);
  report_.reset(-1);
}

std::optional<std::string> PidFile::claim(const std::string& path, PidFile& file) {
  Fd fd{open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!fd) {
    return failed("cannot open pid file " + path);
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? "pid file " + path + " belongs to a running process"
                                : failed("cannot lock pid file " + path);
  }
  const std::string text = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0 ||
      write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return failed("cannot write pid file " + path);
  }
  file.path_ = path;
  file.fd_ = std::move(fd);
  return std::nullopt;
}

PidFile::~PidFile() {
  if (fd_ && unlink(path_.c_str()) != 0) {
    (void)!ftruncate(fd_.get(), 0);
  }
}

uint32_t room_for_connections(uint32_t wanted) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return wanted;
  }
  const rlim_t needed = rlim_t{wanted} + reserved_files;
  files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, needed));
  if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= needed) {
    return wanted;
  }
  const rlim_t room =
      files.rlim_cur > 2 * reserved_files ? files.rlim_cur - reserved_files : files.rlim_cur / 2;
  log_line(Level::info, "connections limited max_connections=%u limit=%lu open_files=%lu", wanted,
           static_cast<unsigned long>(room), static_cast<unsigned long>(files.rlim_cur));
  return static_cast<uint32_t>(room);
}

std::string absolute_path(const std::string& path) {
  char folder[PATH_MAX];
  if (path.empty() || path.front() == '/' || !getcwd(folder, sizeof folder)) {
    return path;
  }
  return std::string{folder} + "/" + path;
}

std::optional<std::string> become_user(const std::string& name,
                                       const std::vector<std::string>& paths) {
  errno = 0;
  const passwd* user = getpwnam(name.c_str());
  if (!user) {
    return errno == 0 ? "there is no user " + name : failed("cannot look up user " + name);
  }
  const uid_t uid = user->pw_uid;
  const gid_t gid = user->pw_gid;
  for (const std::string& path : paths) {
    if (lchown(path.c_str(), uid, gid) != 0) {
      return failed("cannot give " + path + " to " + name);
    }
  }
  if (getuid() == uid && geteuid() == uid) {
    return std::nullopt;
  }
  if (initgroups(name.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    return failed("cannot become user " + name);
  }
  return std::nullopt;
}

}  // namespace distributex
