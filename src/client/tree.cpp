// SPDX-License-Identifier: MIT
//
// Walks /proc for parents. Where /proc is not mounted no descendant is found; the process group is
// signalled apart from this.
#include "client/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributex::client {

namespace {

struct Process {
  pid_t pid;
  pid_t parent;
};

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::optional<pid_t> parse_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [stop, trouble] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return trouble == std::errc() && stop != text.data() ? std::optional(pid) : std::nullopt;
}

// The fourth field of /proc/PID/stat; the second is in parentheses and may hold anything.
std::optional<pid_t> parent_of(pid_t pid) {
  const int fd = open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd == -1) {
    return std::nullopt;
  }
  std::array<char, 512> buffer{};
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  close(fd);
  const std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 >= text.size()) {
    return std::nullopt;
  }
  return parse_pid(text.substr(name_end + 4));
}

std::vector<Process> all_processes() {
  std::vector<Process> processes;
  const std::unique_ptr<DIR, CloseDir> proc(opendir("/proc"));
  while (const dirent* entry = proc ? readdir(proc.get()) : nullptr) {
    const auto pid = parse_pid(entry->d_name);
    const auto parent = pid ? parent_of(*pid) : std::nullopt;
    if (parent) {
      processes.push_back({*pid, *parent});
    }
  }
  std::sort(processes.begin(), processes.end(),
            [](const Process& a, const Process& b) { return a.parent < b.parent; });
  return processes;
}

}  // namespace

void adopt_orphans() noexcept {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    abort();
  }
}

void signal_descendants(int signal, pid_t spared) {
  const std::vector<Process> processes = all_processes();
  std::vector<pid_t> below{getpid()};
  for (std::size_t i = 0; i < below.size() && below.size() <= processes.size() + 1; ++i) {
    const auto [first, last] =
        std::equal_range(processes.begin(), processes.end(), Process{0, below[i]},
                         [](const Process& a, const Process& b) { return a.parent < b.parent; });
    for (auto child = first; child != last; ++child) {
      below.push_back(child->pid);
      if (spared == 0 || getpgid(child->pid) != spared) {
        (void)kill(child->pid, signal);
      }
    }
  }
}

bool has_children() noexcept {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool has_members(pid_t group) noexcept { return kill(-group, 0) == 0 || errno == EPERM; }

}  // namespace distributex::client
