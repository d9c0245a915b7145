// SPDX-License-Identifier: MIT
// The configuration, the steps, and what is looked at after them.
#include "http_run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "fuzz.h"
#include "support/metrics.h"

namespace distributex::fuzz {

namespace {

constexpr size_t batches_kept = 40;
constexpr size_t checks_between_logs = 100;

// Times are short, so that leases and waits end in the run; sizes are small, so that each
// limit is reached.
constexpr std::string_view yaml = R"(max_connections: 200
max_waiting: 40
request_timeout: 1
idle_timeout: 1
max_header_size: 4096
max_body_size: 2048
events: 10000
pools:
  - {name: mutex, expire: 1}
  - {name: sem, expire: 1, maxlocks: 3}
  - {name: brief, expire: 1}
  - {name: listed, expire: 2, servers: [alpha, beta]}
  - {name: guarded, expire: 0}
)";

const std::map<std::string, size_t> slots = {
    {"mutex", 1}, {"sem", 3}, {"brief", 1}, {"listed", 1}, {"guarded", 1}};

// The number of open files without a client: the least that is seen for a while.
long files_at_rest(const test::Daemon& daemon) {
  long least = daemon.open_files();
  for (int i = 0; i < 30; i++) {
    poll(nullptr, 0, 10);
    least = std::min(least, daemon.open_files());
  }
  return least;
}

bool is_report(std::string_view line) {
  return line.find("Sanitizer") != line.npos || line.find("runtime error:") != line.npos;
}

}  // namespace

HttpRun::HttpRun() : daemon_(yaml) {}

// Starts the daemon. A small quarantine of freed memory lets growth show.
bool HttpRun::start(uint64_t secret) {
  test::Launch launch;
  launch.environment = {"ASAN_OPTIONS=quarantine_size_mb=8:detect_stack_use_after_return=1"};
  if (!daemon_.start(launch)) {
    return false;
  }
  oracle_ = std::make_unique<HttpOracle>(daemon_.port(), slots, secret);
  if (!oracle_->take_guard()) {
    return false;
  }
  files_ = files_at_rest(daemon_);
  rss_kib_ = daemon_.rss_kib();
  return true;
}

std::string HttpRun::play(const Steps& steps) {
  recent_.push_back(steps);
  if (recent_.size() > batches_kept) {
    recent_.pop_front();
  }
  for (const Step& step : steps) {
    if (std::string fault = do_step(step); !fault.empty()) {
      return fault;
    }
  }
  return "";
}

std::string HttpRun::do_step(const Step& step) {
  const auto client = clients_.find(step.connection);
  const bool known = client != clients_.end();
  switch (step.kind) {
    case Step::Kind::open:
      clients_[step.connection].connection = test::Connection(daemon_.port());
      return "";
    case Step::Kind::send:
      // The client does not send the bytes that the kernel does not take at once.
      if (known && client->second.connection.connected()) {
        (void)client->second.connection.send_some(step.bytes);
      }
      return "";
    case Step::Kind::pause:
      poll(nullptr, 0, static_cast<int>(step.connection));
      return "";
    case Step::Kind::half:
      if (known && client->second.connection.connected()) {
        client->second.connection.half_close();
      }
      return "";
    case Step::Kind::reset:
      return leave(step.connection, true);
    case Step::Kind::close:
      return leave(step.connection, false);
    case Step::Kind::check:
      return check();
  }
  return "";
}

std::string HttpRun::leave(unsigned number, bool with_reset) {
  const auto client = clients_.find(number);
  if (client == clients_.end()) {
    return "";
  }
  std::string fault = read_from(client->second);
  if (with_reset && client->second.connection.connected()) {
    client->second.connection.reset();
  }
  clients_.erase(client);
  return fault;
}

std::string HttpRun::read_from(Client& client) {
  if (!client.connection.connected()) {
    return "";
  }
  (void)client.connection.wait_end(test::milliseconds(0));
  HttpAnswers answers = read_answers(client.connection.unread());
  for (; client.read < answers.whole.size(); client.read++) {
    oracle_->told(answers.whole[client.read]);
    ++statuses_[answers.whole[client.read].status];
  }
  return std::move(answers.fault);
}

std::string HttpRun::check() {
  if (!daemon_.running()) {
    return "the daemon has ended";
  }
  if (test::word(daemon_.port(), "/livez") != "ok\n") {
    return "/livez does not answer";
  }
  for (auto& [number, client] : clients_) {
    if (std::string fault = read_from(client); !fault.empty()) {
      return fault;
    }
  }
  if (std::string fault = oracle_->verdict(); !fault.empty()) {
    return fault;
  }
  return ++checks_ % checks_between_logs == 0 ? check_log() : "";
}

// Checks that the log is printable, for only the daemon writes it, and empties it.
std::string HttpRun::check_log() {
  std::string fault;
  for (const std::string& line : daemon_.log_lines()) {
    if (!is_printable(line) || is_report(line)) {
      fault = "the log says: " + line;
    }
  }
  if (!fault.empty()) {
    return fault;
  }
  if (truncate(daemon_.dir().file("log").c_str(), 0) == 0) {
    daemon_.forget_log();
  }
  return "";
}

std::string HttpRun::finish() {
  clients_.clear();
  test::Samples samples;
  const auto is_quiet = [&] {
    samples = test::samples_of(daemon_.port());
    double held = 0;
    for (const auto& [name, value] : samples) {
      if (name.starts_with("distributex_pool_held{")) {
        held += value;
      }
    }
    return held == 1 && samples["distributex_connections"] == 1 &&
           samples["distributex_waiting_requests"] == 0 &&
           samples["distributex_event_streams"] == 0;
  };
  if (!test::eventually(is_quiet)) {
    std::string left;
    for (const auto& [name, value] : samples) {
      if (value != 0 &&
          (name.find("_held") != name.npos || name.find("waiting") != name.npos ||
           name == "distributex_connections" || name == "distributex_event_streams")) {
        left += " " + name + " " + std::to_string(value);
      }
    }
    return "left over:" + left;
  }
  const auto same_files = [&] { return daemon_.open_files() == files_; };
  if (!test::eventually(same_files)) {
    return "descriptors are left over";
  }
  if (std::string fault = oracle_->verdict(); !fault.empty()) {
    return fault;
  }
  if (!oracle_->release_guard()) {
    return "the guard cannot give its lock back";
  }
  if (std::string fault = check_log(); !fault.empty()) {
    return fault;
  }
  return daemon_.stop() ? "" : "the daemon does not stop as it should (a leak?)";
}

std::string HttpRun::recent() const {
  std::string text;
  for (const Steps& steps : recent_) {
    text += text_of(steps);
  }
  return text;
}

std::string HttpRun::log_end() const {
  std::string text;
  const std::vector<std::string> lines = daemon_.log_lines();
  for (size_t at = lines.size() - std::min<size_t>(lines.size(), 80); at < lines.size(); at++) {
    text += lines[at] + "\n";
  }
  return text;
}

std::string HttpRun::figures() const {
  size_t answers = 0;
  std::string by_status;
  for (const auto& [status, count] : statuses_) {
    answers += count;
    by_status +=
        (by_status.empty() ? "" : ", ") + std::to_string(status) + ": " + std::to_string(count);
  }
  return std::to_string(answers) + " answers (" + by_status + "), " +
         std::to_string(oracle_->grants()) + " grants, rss " + std::to_string(rss_kib_) + " -> " +
         std::to_string(daemon_.rss_kib()) + " KiB, descriptors " + std::to_string(files_) +
         " -> " + std::to_string(daemon_.open_files());
}

}  // namespace distributex::fuzz
