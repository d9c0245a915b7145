// SPDX-License-Identifier: MIT
//
// fork and exec. Between the two only async-signal-safe calls are made. A failed exec is told
// through a pipe that a successful one closes; the child's exit code says the same to the shell's
// custom.
#include "client/command.h"

#include "client/options.h"
#include "client/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace distributex::client {

Command::~Command() {
  if (report_ != -1) {
    close(report_);
  }
}

bool Command::start(const std::vector<std::string>& words, bool in_foreground) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));  // exec changes nothing there
  }
  argv.push_back(nullptr);
  std::array<int, 2> report{};
  if (pipe2(report.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return false;
  }
  report_ = report[0];
  descriptors_.protect();
  const pid_t keeper = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    become(argv, report[1], in_foreground, keeper);
  }
  const int failure = errno;
  close(report[1]);
  if (pid_ == -1) {
    errno = failure;
    return false;
  }
  is_empty_ = false;
  (void)setpgid(pid_, pid_);  // the child does the same: whoever comes first
  return true;
}

void Command::become(const std::vector<char*>& words, int report, bool in_foreground,
                     pid_t keeper) const noexcept {
  (void)setpgid(0, 0);
  if (in_foreground) {
    terminal_.give_to(getpid());
  }
  // The last resort: when the keeper is killed, at least this process does not go on without the
  // lock.
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != keeper) {
    _exit(exit_cannot_run);
  }
  signals_.restore_for_command();
  execvp(words.front(), words.data());
  const int failure = errno;
  const ssize_t ignored = write(report, &failure, sizeof failure);
  (void)ignored;
  _exit(failure == ENOENT ? exit_not_found : exit_cannot_run);
}

void Command::send(int signal) noexcept {
  if (!is_empty_ && pid_ > 0) {
    (void)kill(-pid_, signal);
  }
}

void Command::take_exit(int status) noexcept {
  code_ = WIFSIGNALED(status) ? exit_by_signal + WTERMSIG(status) : WEXITSTATUS(status);
  int failure = 0;
  if (read(report_, &failure, sizeof failure) == static_cast<ssize_t>(sizeof failure)) {
    trouble_ = strerrordesc_np(failure);
  }
}

Command::News Command::reap() noexcept {
  News news;
  int status = 0;
  for (;;) {
    const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
    if (pid == -1 && errno == EINTR) {
      continue;
    }
    if (pid <= 0) {
      return news;
    }
    if (pid != pid_) {
      continue;
    }
    if (WIFSTOPPED(status)) {
      news = {WSTOPSIG(status), false};
    } else if (WIFCONTINUED(status)) {
      news = {0, true};
    } else {
      take_exit(status);
    }
  }
}

bool Command::is_over() noexcept {
  is_empty_ = is_empty_ || (code_.has_value() && !has_members(pid_));
  return is_empty_;
}

}  // namespace distributex::client
