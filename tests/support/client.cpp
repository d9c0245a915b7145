// SPDX-License-Identifier: MIT
// Starting, watching and ending a distributex. Output goes to files, so that
// nothing blocks it; pidfds say when a process has ended.
#include "support/client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

namespace distributex::test {
namespace {

[[noreturn]] void become(const std::vector<std::string>& words, const TempDir& dir,
                         const Client::Setup& setup) {
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = open(dir.file("out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int err = open(dir.file("err").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
    _exit(99);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<char*> argv;
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  setenv("DISTRIBUTEX_CONFIG", "", 0);  // what this machine has in /etc is none of ours
  if (setup.in_child) {
    setup.in_child();
  }
  if (setup.environment) {
    std::vector<char*> environment;
    for (const std::string& entry : *setup.environment) {
      environment.push_back(const_cast<char*>(entry.c_str()));
    }
    environment.push_back(nullptr);
    execve(argv[0], argv.data(), environment.data());
  } else {
    execv(argv[0], argv.data());
  }
  _exit(99);
}

// The state letter and the parent of a process; nothing when there is none.
std::optional<std::pair<char, pid_t>> look_at(pid_t pid) {
  const std::string stat = read_whole_file("/proc/" + std::to_string(pid) + "/stat");
  const size_t name_end = stat.rfind(')');
  char state = 0;
  int parent = 0;
  if (name_end == std::string::npos ||
      sscanf(stat.c_str() + name_end + 1, " %c %d", &state, &parent) != 2) {
    return std::nullopt;
  }
  return std::pair(state, parent);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max(milliseconds(0), left).count());
}

// True when the process has ended in time, or was gone already.
bool wait_for_end(pid_t pid, Clock::time_point deadline) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    return true;
  }
  pollfd waits{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waits, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  close(fd);
  return ready > 0;
}

void kill_below(pid_t pid) {
  for (const pid_t child : children_of(pid)) {
    kill_below(child);
    kill(child, SIGKILL);
  }
}

}  // namespace

Client::Client(const std::vector<std::string>& args, const Setup& setup) {
  const char* binary = getenv("DISTRIBUTEX");
  if (binary == nullptr) {
    fprintf(stderr, "test support: DISTRIBUTEX must name the distributex to test\n");
    abort();
  }
  std::vector<std::string> words = {binary};
  words.insert(words.end(), args.begin(), args.end());
  fflush(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    become(words, dir_, setup);
  }
  if (pid_ < 0) {
    abort();
  }
}

Client::~Client() {
  if (running()) {
    kill_below(pid_);
    send(SIGKILL);
    (void)wait_exit();
  }
}

void Client::send(int signal) const {
  if (exit_) {
    return;
  }
  if (signal == SIGSTOP) {
    return stop_process(pid_);
  }
  kill(pid_, signal);
}

bool Client::running() { return !wait_exit(milliseconds(0)); }

std::optional<int> Client::wait_exit(milliseconds timeout) {
  if (exit_) {
    return exit_;
  }
  int status = 0;
  if (wait_for_end(pid_, Clock::now() + timeout) && waitpid(pid_, &status, 0) == pid_) {
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : died_by + WTERMSIG(status);
  }
  return exit_;
}

Ended Client::finish() {
  const int code = wait_exit().value_or(-1);
  return {code, out(), err()};
}

std::vector<std::string> on(uint16_t port, std::string_view pool,
                            const std::vector<std::string>& more) {
  std::vector<std::string> args = {"-H", "127.0.0.1:" + std::to_string(port), "-r",
                                   std::string(pool)};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

Ended run_client(const std::vector<std::string>& args) { return Client(args).finish(); }

bool is_alive(pid_t pid) {
  const auto state = look_at(pid);
  return state && state->first != 'Z' && state->first != 'X';
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t other = atoi(entry.path().filename().c_str());
    const auto state = other > 0 ? look_at(other) : std::nullopt;
    if (state && state->second == pid) {
      children.push_back(other);
    }
  }
  return children;
}

pid_t wait_for_pid(const std::string& path) {
  pid_t pid = 0;
  (void)eventually([&] {
    const std::string text = read_whole_file(path);
    pid = text.find('\n') == std::string::npos ? 0 : atoi(text.c_str());
    return pid != 0;
  });
  return pid > 1 ? pid : std::numeric_limits<pid_t>::max();  // never a group, should one kill it
}

bool wait_for_line(const std::string& path, std::string_view line) {
  const std::string wanted = std::string(line) + "\n";
  return eventually(
      [&] { return ("\n" + read_whole_file(path)).find("\n" + wanted) != std::string::npos; });
}

bool wait_for_death(const std::vector<pid_t>& pids, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  return std::all_of(pids.begin(), pids.end(),
                     [deadline](pid_t pid) { return wait_for_end(pid, deadline); });
}

std::optional<Clock::time_point> death_of(const std::vector<pid_t>& pids) {
  return wait_for_death(pids) ? std::optional(Clock::now()) : std::nullopt;
}

size_t lines_in(std::string_view text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool is_pending(pid_t pid, int signal) {
  const std::string status = read_whole_file("/proc/" + std::to_string(pid) + "/status");
  const auto has = [&](const std::string& mask) {
    const size_t at = status.find(mask);
    return at != status.npos &&
           (strtoull(status.c_str() + at + mask.size(), nullptr, 16) >> (signal - 1) & 1) != 0;
  };
  return has("\nSigPnd:") || has("\nShdPnd:");
}

}  // namespace distributex::test
