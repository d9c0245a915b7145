// SPDX-License-Identifier: MIT
//
// fork and exec. Between the two only async-signal-safe calls are made. When exec fails, the child
// writes errno into a pipe, which a successful exec closes, and exits as a shell would: 127 when
// the program is not there, else 126.
#include "client/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "client/ending.h"
#include "client/tree.h"

namespace distributex::client {

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
  report_.reset(report[0]);
  Fd to_keeper(report[1]);
  descriptors_.protect();
  const Turn turn =
      in_foreground ? Turn::foreground : (terminal_.is_ours() ? Turn::on_demand : Turn::none);
  const pid_t keeper = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    become(argv, to_keeper.get(), turn, keeper);
  }
  if (pid_ == -1) {
    return false;
  }
  is_empty_ = false;
  (void)setpgid(pid_, pid_);  // parent and child both do it, so that the group exists for both
  return true;
}

void Command::become(const std::vector<char*>& words, int report, Turn turn,
                     pid_t keeper) const noexcept {
  (void)setpgid(0, 0);
  if (turn == Turn::foreground) {
    terminal_.give_to(getpid());
  }
  // If the keeper is killed, the kernel kills at least this process at once, before the front does.
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != keeper) {
    _exit(exit_cannot_run);
  }
  signals_.restore_for_command();
  if (turn == Turn::on_demand) {
    Signals::stop_when_in_background();
  }
  execvp(words.front(), words.data());
  const int failure = errno;
  const ssize_t ignored = write(report, &failure, sizeof failure);
  (void)ignored;
  _exit(failure == ENOENT ? exit_not_found : exit_cannot_run);
}

int Command::send(int signal) noexcept {
  if (is_empty_ || pid_ <= 0) {
    return 0;
  }
  // kill() of the group succeeds if one member could be signalled; ask for the main process too.
  const bool is_sent = kill(-pid_, signal) == 0 && (code_ || kill(pid_, 0) == 0);
  return is_sent ? 0 : errno;
}

void Command::take_exit(int status) noexcept {
  killed_by_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  code_ = killed_by_ != 0 ? exit_by_signal + killed_by_ : WEXITSTATUS(status);
  int failure = 0;
  if (read(report_.get(), &failure, sizeof failure) == static_cast<ssize_t>(sizeof failure)) {
    trouble_ = strerrordesc_np(failure);
  }
}

int Command::reap() noexcept {
  int stopped_by = 0;
  int status = 0;
  for (;;) {
    const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
    if (pid == -1 && errno != ECHILD) {  // try again: SIGCHLD is not sent a second time
      continue;
    }
    if (pid <= 0) {
      return stopped_by;
    }
    if (pid == pid_ && (WIFSTOPPED(status) || WIFCONTINUED(status))) {
      stopped_by = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
    } else if (pid == pid_) {
      take_exit(status);
    }
  }
}

bool Command::is_over() noexcept {
  is_empty_ = is_empty_ || (code_.has_value() && !has_members(pid_));
  return is_empty_;
}

}  // namespace distributex::client
