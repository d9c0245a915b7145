// SPDX-License-Identifier: MIT
// The real distributexd as a child process of a test: a fresh folder with its
// configuration, its log, its signals, its exit, its figures in /proc. The
// binary is the one that the environment variable DISTRIBUTEXD names. Speaks
// no HTTP. Time limits here are failure limits; nothing waits them out.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributex::test {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long anything may take before a test calls it broken.
inline constexpr std::chrono::seconds patience{20};

// A fresh folder, removed with all that is in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

void write_file(const std::string& path, std::string_view text);
[[nodiscard]] std::string read_whole_file(const std::string& path);
// Until each thread of a process that was told to stop (SIGSTOP) does.
[[nodiscard]] bool wait_for_standstill(pid_t pid);
// SIGSTOP, and all of it stands still; ends the test program when it does not.
void stop_process(pid_t pid);

// What distributexd is started with. "-c FILE" goes before args.
struct Launch {
  std::vector<std::string> args = {"-l", "127.0.0.1:0"};
  bool with_config = true;
  std::optional<unsigned> max_files = {};     // RLIMIT_NOFILE, soft and hard
  std::vector<std::string> environment = {};  // NAME=VALUE, besides the test's own
  std::vector<int> handed_over = {};          // its descriptors 3, 4..., as LISTEN_FDS says
};

class Daemon {
 public:
  // Writes the configuration; starts nothing.
  explicit Daemon(std::string_view yaml);
  // Ends the daemon with SIGKILL if it still runs.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Starts it and waits until its log says "ready"; false, with the log on
  // the test's output, when it ends before or is not ready in time.
  [[nodiscard]] bool start(const Launch& launch = {});
  // Starts it and waits for nothing.
  void spawn(const Launch& launch = {});
  // Starts it again, after an end, where it listened last: 127.0.0.1:port().
  [[nodiscard]] bool restart();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  // The port of its first TCP address.
  [[nodiscard]] uint16_t port() const { return port_; }
  // All "listening address=" of this start, in the log's order.
  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }

  [[nodiscard]] const TempDir& dir() const { return dir_; }
  [[nodiscard]] std::string config_path() const { return dir_.file("distributex.yaml"); }
  // In one step: a reload that is under way reads the old file or the new one.
  void configure(std::string_view yaml);
  // Rewrites the configuration, sends SIGHUP, waits for the log line of the
  // outcome and returns it: "reloaded pools=..." or "reload refused: ...".
  [[nodiscard]] std::optional<std::string> reload(std::string_view yaml);

  void send_signal(int signal);  // after SIGSTOP each thread stands still
  // The exit code, or 128 + the signal that ended it; nothing after timeout.
  std::optional<int> wait_exit(milliseconds timeout = patience);
  // SIGKILL, and waits for the end.
  void kill_now();
  // SIGTERM; true when it then exits 0 and no sanitizer has complained. True
  // as well when it does not run (any more): its end was the test's matter.
  [[nodiscard]] bool stop();

  // The first line that holds the text since the last start or forget_log();
  // waits for it. Nothing after timeout, or when the daemon ended without it.
  [[nodiscard]] std::optional<std::string> wait_for_log(std::string_view text,
                                                        milliseconds timeout = patience);
  // All lines since then that hold the text; waits for nothing.
  [[nodiscard]] std::vector<std::string> log_lines(std::string_view text = "") const;
  void forget_log();
  // What it wrote to stdout since the last start.
  [[nodiscard]] std::string output() const { return read_whole_file(dir_.file("stdout")); }

  [[nodiscard]] long rss_kib() const;
  [[nodiscard]] long open_files() const;
  [[nodiscard]] milliseconds cpu_time() const;

 private:
  [[nodiscard]] std::string log_path() const { return dir_.file("log"); }
  void note_addresses();
  void reap(int status);

  TempDir dir_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> exit_;
  size_t log_from_ = 0;
  uint16_t port_ = 0;
  std::vector<std::string> addresses_;
};

}  // namespace distributex::test
