// SPDX-License-Identifier: MIT
// The real distributex as a child process of a test: its arguments, signals,
// output and exit, and what processes lie below it. The binary is the one that
// the environment variable DISTRIBUTEX names. Every wait has an end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.h"
#include "support/http.h"

namespace distributex::test {

// An exit by a signal as such, told apart from the exit code 128+N.
constexpr int died_by = 1000;

struct Ended {
  int code = -1;  // died_by + N when a signal ended it; -1: it did not end
  std::string out;
  std::string err;
};

class Client {
 public:
  struct Setup {
    std::optional<std::vector<std::string>> environment;  // instead of the test's own
    std::function<void()> in_child;                       // just before exec
  };

  // Starts it with these arguments; stdin is /dev/null.
  explicit Client(const std::vector<std::string>& args) : Client(args, Setup()) {}
  Client(const std::vector<std::string>& args, const Setup& setup);
  // Kills what is left: the client, its keeper, its command.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void send(int signal) const;  // after SIGSTOP each thread stands still
  [[nodiscard]] bool running();
  [[nodiscard]] std::optional<int> wait_exit(milliseconds timeout = patience);
  // Waits for the end.
  [[nodiscard]] Ended finish();
  [[nodiscard]] std::string out() const { return read_whole_file(dir_.file("out")); }
  [[nodiscard]] std::string err() const { return read_whole_file(dir_.file("err")); }

 private:
  TempDir dir_;
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

// The arguments "-H 127.0.0.1:port -r pool" and more.
[[nodiscard]] std::vector<std::string> on(uint16_t port, std::string_view pool,
                                          const std::vector<std::string>& more);
// Runs it to its end.
[[nodiscard]] Ended run_client(const std::vector<std::string>& args);

// False for zombies.
[[nodiscard]] bool is_alive(pid_t pid);
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);
// Whether a signal was sent to the process and it has not taken it yet.
[[nodiscard]] bool is_pending(pid_t pid, int signal);
// The number that a command wrote into a file, once a whole line of it is there; else one that no
// process has.
[[nodiscard]] pid_t wait_for_pid(const std::string& path);
[[nodiscard]] bool wait_for_line(const std::string& path, std::string_view line);
// True once none of them is alive.
[[nodiscard]] bool wait_for_death(const std::vector<pid_t>& pids, milliseconds timeout = patience);
// The moment the last of them died; they must not be reaped by somebody who takes their numbers
// again.
[[nodiscard]] std::optional<Clock::time_point> death_of(const std::vector<pid_t>& pids);

// A number of lines.
[[nodiscard]] size_t lines_in(std::string_view text);

}  // namespace distributex::test
