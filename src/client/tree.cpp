// SPDX-License-Identifier: MIT
//
// Finds descendants by the parents in /proc. If /proc cannot be read, the user is told that only
// the process group of the command is signalled.
#include "client/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "base/text.h"
#include "client/say.h"

namespace distributex::client {

namespace {

using Dir = std::unique_ptr<DIR, FreeWith<&closedir>>;

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  std::string name{};
};

// /proc/PID/stat: "PID (NAME) STATE PARENT GROUP ..."; the name may hold anything.
std::optional<Process> look_at(pid_t pid) {
  const Fd fd(open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> buffer{};
  const ssize_t got = fd ? read(fd.get(), buffer.data(), buffer.size() - 1) : 0;
  const std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t name_at = text.find('(');
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_at > name_end) {
    return std::nullopt;
  }
  std::string_view rest = trimmed(text.substr(name_end + 1));
  (void)take_until(' ', rest);  // the state
  const auto parent = parse_whole<pid_t>(take_until(' ', rest));
  const auto group = parse_whole<pid_t>(take_until(' ', rest));
  if (!parent || !group) {
    return std::nullopt;
  }
  return Process{.pid = pid,
                 .parent = *parent,
                 .group = *group,
                 .name = printable(text.substr(name_at + 1, name_end - name_at - 1))};
}

// Nullopt where there is no /proc.
std::optional<std::vector<Process>> all_processes() {
  const Dir proc(opendir("/proc"));
  if (!proc) {
    return std::nullopt;
  }
  std::vector<Process> processes;
  while (const dirent* entry = readdir(proc.get())) {
    const auto pid = parse_whole<pid_t>(entry->d_name);
    auto process = pid ? look_at(*pid) : std::nullopt;
    if (process) {
      processes.push_back(std::move(*process));
    }
  }
  if (processes.empty()) {  // an empty folder: /proc is not mounted
    return std::nullopt;
  }
  std::sort(processes.begin(), processes.end(),
            [](const Process& a, const Process& b) { return a.parent < b.parent; });
  return processes;
}

}  // namespace

void adopt_orphans() noexcept {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    give_up("prctl(PR_SET_CHILD_SUBREAPER)");
  }
}

void Descendants::send(int signal, pid_t spared) {
  const auto processes = all_processes();
  if (!processes) {
    if (!std::exchange(has_complained_, true)) {
      complain(
          "/proc cannot be read: what the command started and has left its process group is not "
          "found, and may go on without the lock");
    }
    return;
  }
  std::vector<pid_t> below{getpid()};
  for (std::size_t i = 0; i < below.size() && below.size() <= processes->size() + 1; ++i) {
    const auto [first, last] =
        std::equal_range(processes->begin(), processes->end(), Process{.parent = below[i]},
                         [](const Process& a, const Process& b) { return a.parent < b.parent; });
    for (auto child = first; child != last; ++child) {
      below.push_back(child->pid);
      const bool is_spared = spared != 0 && child->group == spared;
      if (!is_spared && kill(child->pid, signal) != 0 && errno == EPERM &&
          !std::exchange(has_complained_, true)) {
        complain("cannot signal %s (%d), which the command started: %s", child->name.c_str(),
                 static_cast<int>(child->pid), strerrordesc_np(EPERM));
      }
    }
  }
}

bool has_children() noexcept {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool has_members(pid_t group) noexcept { return kill(-group, 0) == 0 || errno == EPERM; }

std::string describe_members(pid_t group) {
  constexpr int shown = 3;
  std::string text;
  int count = 0;
  for (const Process& process : all_processes().value_or(std::vector<Process>())) {
    if (process.group == group && ++count <= shown) {
      text += (text.empty() ? "" : ", ") + process.name + " (" + std::to_string(process.pid) + ")";
    }
  }
  return count > shown ? text + " and " + std::to_string(count - shown) + " more" : text;
}

}  // namespace distributex::client
