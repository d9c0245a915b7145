// SPDX-License-Identifier: MIT
// Starting, watching and ending a distributexd. Its stderr is a file, so that
// a test which does not read cannot block the daemon; inotify and a pidfd say
// when to look again.
#include "support/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "support/http.h"

namespace distributex::test {
namespace {

[[noreturn]] void die(const char* what) {
  fprintf(stderr, "test support: %s: %s\n", what, strerror(errno));
  abort();
}

// As a service manager hands over what it has opened; first out of each other's
// way.
void hand_over(const std::vector<int>& sockets) {
  std::vector<int> high;
  for (const int fd : sockets) {
    high.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 100));
  }
  int next = 3;
  for (const int fd : high) {
    if (dup2(fd, next++) < 0) {
      _exit(126);
    }
  }
  setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
  if (getenv("LISTEN_PID") == nullptr) {
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  }
}

// The calling process becomes the daemon.
[[noreturn]] void become(const std::vector<std::string>& arguments, const TempDir& dir,
                         const Launch& launch) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = open(dir.file("stdout").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int err = open(dir.file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
    _exit(126);
  }
  if (launch.max_files) {
    const rlimit limit{*launch.max_files, *launch.max_files};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      _exit(126);
    }
  }
  for (const std::string& variable : launch.environment) {
    putenv(const_cast<char*>(variable.c_str()));
  }
  if (!launch.handed_over.empty()) {
    hand_over(launch.handed_over);
  }
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

std::string proc_file(pid_t pid, const char* name) {
  return read_whole_file("/proc/" + std::to_string(pid) + "/" + name);
}

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

bool is_sanitizer_report(std::string_view line) {
  for (const std::string_view mark : {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                      "WARNING: ThreadSanitizer", "runtime error:"}) {
    if (line.find(mark) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

TempDir::TempDir() {
  const char* base = getenv("TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/distributex-test-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    die("mkdtemp");
  }
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::string& path, std::string_view text) {
  FILE* file = fopen(path.c_str(), "we");
  if (file == nullptr || fwrite(text.data(), 1, text.size(), file) != text.size() ||
      fclose(file) != 0) {
    die(path.c_str());
  }
}

std::string read_whole_file(const std::string& path) {
  std::string text;
  FILE* file = fopen(path.c_str(), "re");
  if (file == nullptr) {
    return text;
  }
  char buffer[16384];
  size_t got = 0;
  while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
    text.append(buffer, got);
  }
  fclose(file);
  return text;
}

bool wait_for_standstill(pid_t pid) {
  const auto stands = [](const std::filesystem::directory_entry& thread) {
    return read_whole_file((thread.path() / "stat").string()).find(") T ") != std::string::npos;
  };
  return eventually([&] {
    const std::filesystem::path threads = "/proc/" + std::to_string(pid) + "/task";
    return std::ranges::all_of(std::filesystem::directory_iterator(threads), stands);
  });
}

void stop_process(pid_t pid) {
  if (kill(pid, SIGSTOP) != 0 || !wait_for_standstill(pid)) {
    fprintf(stderr, "test support: process %d does not stop\n", pid);
    abort();
  }
}

Daemon::Daemon(std::string_view yaml) { configure(yaml); }

Daemon::~Daemon() { kill_now(); }

void Daemon::spawn(const Launch& launch) {
  const char* binary = getenv("DISTRIBUTEXD");
  if (binary == nullptr) {
    fprintf(stderr, "test support: DISTRIBUTEXD must name the distributexd to test\n");
    abort();
  }
  kill_now();
  std::vector<std::string> arguments = {binary};
  if (launch.with_config) {
    arguments.insert(arguments.end(), {"-c", config_path()});
  }
  arguments.insert(arguments.end(), launch.args.begin(), launch.args.end());
  forget_log();
  addresses_.clear();
  exit_.reset();
  fflush(nullptr);
  pid_ = fork();
  if (pid_ < 0) {
    die("fork");
  }
  if (pid_ == 0) {
    become(arguments, dir_, launch);
  }
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) {
    die("pidfd_open");
  }
}

bool Daemon::start(const Launch& launch) {
  spawn(launch);
  const bool ready = wait_for_log("ready pools=").has_value();
  if (!ready) {
    fprintf(stderr, "distributexd does not become ready\n");
    return false;
  }
  note_addresses();
  return true;
}

bool Daemon::restart() { return start({.args = {"-l", "127.0.0.1:" + std::to_string(port_)}}); }

void Daemon::note_addresses() {
  constexpr std::string_view mark = "listening address=";
  port_ = 0;
  for (const std::string& line : log_lines(mark)) {
    std::string address = line.substr(line.find(mark) + mark.size());
    address.resize(std::min(address.size(), address.find(' ')));
    const size_t colon = address.rfind(':');
    if (port_ == 0 && !address.starts_with("unix:") && colon != std::string::npos) {
      port_ = static_cast<uint16_t>(atoi(address.c_str() + colon + 1));
    }
    addresses_.push_back(address);
  }
}

void Daemon::configure(std::string_view yaml) {
  const std::string fresh = config_path() + ".new";
  write_file(fresh, yaml);
  if (rename(fresh.c_str(), config_path().c_str()) != 0) {
    perror("configure");
  }
}

std::optional<std::string> Daemon::reload(std::string_view yaml) {
  configure(yaml);
  forget_log();
  send_signal(SIGHUP);
  return wait_for_log("reload");
}

bool Daemon::running() { return pid_ > 0 && !wait_exit(milliseconds{0}); }

void Daemon::send_signal(int signal) {
  if (pid_ <= 0 || exit_) {
    return;
  }
  if (signal == SIGSTOP) {
    return stop_process(pid_);
  }
  if (kill(pid_, signal) != 0) {
    die("kill");
  }
}

void Daemon::reap(int status) {
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  close(pidfd_);
  pidfd_ = -1;
}

std::optional<int> Daemon::wait_exit(milliseconds timeout) {
  if (pid_ <= 0 || exit_) {
    return exit_;
  }
  const Clock::time_point deadline = Clock::now() + timeout;
  int ready = 0;
  do {
    pollfd waits{pidfd_, POLLIN, 0};
    ready = poll(&waits, 1, static_cast<int>(left_until(deadline).count()));
  } while (ready < 0 && errno == EINTR);
  int status = 0;
  if (ready > 0 && waitpid(pid_, &status, 0) == pid_) {
    reap(status);
  }
  return exit_;
}

void Daemon::kill_now() {
  if (pid_ > 0 && !exit_) {
    send_signal(SIGKILL);
    wait_exit(std::chrono::hours{1});
  }
}

bool Daemon::stop() {
  bool good = true;
  if (pid_ > 0 && !exit_) {
    send_signal(SIGTERM);
    const std::optional<int> code = wait_exit();
    good = code == 0;
    if (!good) {
      fprintf(stderr, "distributexd after SIGTERM: exit %d\n", code.value_or(-1));
    }
  }
  const std::string log = read_whole_file(log_path());
  if (!good || is_sanitizer_report(log)) {
    fprintf(stderr, "the daemon's log ends with:\n%s\n",
            log.substr(log.size() - std::min<size_t>(log.size(), 6000)).c_str());
    return false;
  }
  return true;
}

std::optional<std::string> Daemon::wait_for_log(std::string_view text, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  inotify_add_watch(watch, dir_.path().c_str(), IN_MODIFY);
  std::optional<std::string> found;
  for (;;) {
    const bool ended = pid_ <= 0 || wait_exit(milliseconds{0}).has_value();
    const std::vector<std::string> lines = log_lines(text);
    if (!lines.empty()) {
      found = lines.front();
      break;
    }
    if (ended || Clock::now() >= deadline) {
      break;
    }
    pollfd waits[] = {{watch, POLLIN, 0}, {pidfd_, POLLIN, 0}};
    poll(waits, 2, static_cast<int>(std::min<long>(left_until(deadline).count(), 50)));
    char events[4096];
    while (read(watch, events, sizeof events) > 0) {
    }
  }
  close(watch);
  if (!found) {
    fprintf(stderr, "no log line with \"%.*s\" in:\n", static_cast<int>(text.size()), text.data());
    for (const std::string& line : log_lines()) {
      fprintf(stderr, "  %s\n", line.c_str());
    }
  }
  return found;
}

std::vector<std::string> Daemon::log_lines(std::string_view text) const {
  std::vector<std::string> lines;
  const std::string log = read_whole_file(log_path());
  size_t at = log_from_;
  for (;;) {
    const size_t end = at > log.size() ? std::string::npos : log.find('\n', at);
    if (end == std::string::npos) {
      return lines;
    }
    std::string line = log.substr(at, end - at);
    if (line.find(text) != std::string::npos) {
      lines.push_back(std::move(line));
    }
    at = end + 1;
  }
}

void Daemon::forget_log() { log_from_ = read_whole_file(log_path()).size(); }

long Daemon::rss_kib() const {
  const std::string status = proc_file(pid_, "status");
  const size_t at = status.find("VmRSS:");
  return at == std::string::npos ? -1 : atol(status.c_str() + at + 6);
}

long Daemon::open_files() const {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/" + std::to_string(pid_) + "/fd", error);
  return error ? -1 : std::distance(begin(entries), end(entries));
}

milliseconds Daemon::cpu_time() const {
  const std::string stat = proc_file(pid_, "stat");
  unsigned long user = 0;
  unsigned long system = 0;
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos ||
      sscanf(stat.c_str() + name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
             &user, &system) != 2) {
    return milliseconds{-1};
  }
  return milliseconds{(user + system) * 1000 / static_cast<unsigned long>(sysconf(_SC_CLK_TCK))};
}

}  // namespace distributex::test
