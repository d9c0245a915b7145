// SPDX-License-Identifier: MIT
// Half an hour in the life of four lock services: random clients, random
// faults, and calms in between. Settings come from the environment: SOAK_MINS,
// SOAK_SEED, SOAK_CLIENTS, SOAK_RATE; DISTRIBUTEXD and DISTRIBUTEX name the
// programs. Exit 0: nothing was wrong; 1: something was; 130: interrupted.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "calm.h"
#include "cast.h"
#include "faults.h"
#include "figures.h"
#include "stalls.h"

namespace distributex::soak {

namespace {

using std::chrono::seconds;

constexpr auto look_around_every = milliseconds(100);  // for faults, ends, Ctrl-C
constexpr auto settle_every = seconds(10);
constexpr auto unsettled = seconds(90);    // longer than any scene
constexpr double most_between_calms = 10;  // minutes

volatile sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

double number_from(const char* name, double otherwise) {
  const char* text = getenv(name);
  return text && *text ? strtod(text, nullptr) : otherwise;
}

Settings read_settings() {
  Settings settings;
  const char* seed = getenv("SOAK_SEED");
  settings.seed = seed && *seed ? strtoull(seed, nullptr, 10) : std::random_device()();
  settings.minutes = number_from("SOAK_MINS", settings.minutes);
  settings.rate = std::max(1.0, number_from("SOAK_RATE", settings.rate));
  settings.clients = static_cast<size_t>(
      std::max(1.0, number_from("SOAK_CLIENTS", static_cast<double>(settings.clients))));
  return settings;
}

// Something that is due again and again.
class Beat {
 public:
  explicit Beat(Clock::duration every) : every_(every), next_(Clock::now() + every) {}
  bool is_due() {
    if (Clock::now() < next_) {
      return false;
    }
    next_ = Clock::now() + every_;
    return true;
  }

 private:
  Clock::duration every_;
  Time next_;
};

bool is_trouble(const std::string& line) {
  constexpr std::string_view marks[] = {"AddressSanitizer", "ThreadSanitizer",
                                        "runtime error:", "[err]", "Z error "};
  if (line.find("reload refused: ") != line.npos) {
    return false;
  }
  return std::any_of(std::begin(marks), std::end(marks),
                     [&](std::string_view mark) { return line.find(mark) != line.npos; });
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t end = 0; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    lines.emplace_back(text.substr(0, end));
  }
  return lines;
}

class Soak {
 public:
  explicit Soak(const Settings& settings) : world_{.settings = settings}, start_(Clock::now()) {}
  [[nodiscard]] int run();

 private:
  bool start();
  void live(Faults& faults, Calms& calms);
  void report_minute(const Faults& faults);
  bool all_alive();
  void rotate_logs();
  void settle();
  void end_services();
  [[nodiscard]] int report(const Stalls& stalls);
  [[nodiscard]] double minutes() const {
    return std::chrono::duration<double, std::ratio<60>>(Clock::now() - start_).count();
  }

  World world_;
  Time start_;
  uint64_t requests_before_ = 0;
};

bool Soak::start() {
  for (const Kind kind : {Kind::steady, Kind::restarted, Kind::stored, Kind::shared}) {
    world_.services.push_back(std::make_unique<Service>(kind));
    if (!world_.services.back()->start()) {
      return false;
    }
  }
  return true;
}

bool Soak::all_alive() {
  bool alive = true;
  for (const auto& service : world_.services) {
    for (size_t i = 0; i < service->size(); i++) {
      Daemon& daemon = service->daemon(i);
      if (daemon.running()) {
        continue;
      }
      alive = false;
      world_.findings.add("%s: the daemon has ended by itself; its log ends so:", service->name());
      const std::vector<std::string> lines = daemon.log_lines();
      for (size_t at = lines.size() - std::min<size_t>(lines.size(), 60); at < lines.size(); at++) {
        say("  %s", lines[at].c_str());
      }
    }
  }
  return alive;
}

// Read, and emptied as logrotate's copytruncate does it: an hour's would be large.
void Soak::rotate_logs() {
  for (const auto& service : world_.services) {
    for (size_t i = 0; i < service->size(); i++) {
      Daemon& daemon = service->daemon(i);
      for (const std::string& line : lines_of(test::read_whole_file(daemon.dir().file("log")))) {
        if (is_trouble(line)) {
          world_.findings.add("%s: log: %s", service->name(), line.c_str());
        }
        const bool is_known = line.find("fleetlock=unsafe") != line.npos;
        if (line.find("Z warning ") != line.npos && !is_known) {
          say("%s: %s", service->name(), line.c_str());
        }
      }
      if (truncate(daemon.dir().file("log").c_str(), 0) == 0) {
        daemon.forget_log();
      }
    }
  }
}

void Soak::settle() {
  for (const auto& service : world_.services) {
    const std::string wrong = service->ledger().settle(Clock::now() - unsettled);
    if (!wrong.empty()) {
      world_.findings.add("%s: %s", service->name(), wrong.c_str());
    }
  }
}

void Soak::report_minute(const Faults& faults) {
  const Counters& counters = world_.counters;
  std::string text;
  for (const auto& service : world_.services) {
    for (size_t i = 0; i < service->size(); i++) {
      const Figures now = look_at(service->daemon(i));
      char one[160];
      snprintf(one, sizeof one, "; %s rss=%ldK fds=%ld held=%.0f parked=%.0f streams=%.0f",
               service->name(), now.rss_kib, now.files, now.held, now.waiting, now.streams);
      text += one;
    }
  }
  const uint64_t requests = counters.requests;
  say("%.0f min: requests=%llu (%llu/min) grants=%llu unavailable=%llu unanswered=%llu "
      "faults=%llu wrong=%zu%s",
      minutes(), static_cast<unsigned long long>(requests),
      static_cast<unsigned long long>(requests - requests_before_),
      static_cast<unsigned long long>(counters.grants),
      static_cast<unsigned long long>(counters.unavailable),
      static_cast<unsigned long long>(counters.unanswered),
      static_cast<unsigned long long>(faults.count()), world_.findings.count(), text.c_str());
  requests_before_ = requests;
}

// The first sixth of the time is for warming up; then comes the first calm, with which the
// others are compared.
void Soak::live(Faults& faults, Calms& calms) {
  const auto length = std::chrono::duration<double, std::ratio<60>>(world_.settings.minutes);
  const auto between =
      std::clamp(length / 6, decltype(length)(1), decltype(length)(most_between_calms));
  Beat calm(std::chrono::duration_cast<Clock::duration>(between));
  Beat minute(seconds(60));
  Beat settling(settle_every);
  Beat rotation(seconds(5));
  while (!interrupted && Clock::now() < start_ + length) {
    std::this_thread::sleep_for(look_around_every);
    if (!all_alive()) {
      return;
    }
    if (rotation.is_due()) {
      rotate_logs();
    }
    faults.strike_when_due();
    if (settling.is_due()) {
      settle();
    }
    if (minute.is_due()) {
      report_minute(faults);
    }
    if (calm.is_due()) {
      calms.have_one();
    }
  }
}

// After Ctrl-C, ends the servers first: without servers the clients end soon.
void Soak::end_services() {
  if (interrupted) {
    world_.findings.mute();
  }
  for (const auto& service : world_.services) {
    if (interrupted) {
      for (size_t i = 0; i < service->size(); i++) {
        service->daemon(i).kill_now();
      }
    } else if (!service->stop()) {
      world_.findings.add("%s: it did not stop well", service->name());
    }
  }
}

int Soak::report(const Stalls& stalls) {
  const Counters& counters = world_.counters;
  const size_t wrong = world_.findings.count();
  printf(
      "requests %llu, grants %llu; unavailable %llu and unanswered %llu in times of trouble; "
      "%u stalls of this machine, the longest of %ld ms\n",
      static_cast<unsigned long long>(counters.requests),
      static_cast<unsigned long long>(counters.grants),
      static_cast<unsigned long long>(counters.unavailable),
      static_cast<unsigned long long>(counters.unanswered), stalls.count(),
      static_cast<long>(stalls.longest().count()));
  say("soak: %s after %.1f minutes, SOAK_SEED=%llu: %s", interrupted ? "interrupted" : "done",
      minutes(), static_cast<unsigned long long>(world_.settings.seed),
      wrong == 0 ? "nothing was wrong" : (std::to_string(wrong) + " times WRONG").c_str());
  if (wrong > 0) {
    return 1;
  }
  return interrupted ? 130 : 0;
}

int Soak::run() {
  const Settings& settings = world_.settings;
  say("soak: %.1f minutes, SOAK_SEED=%llu, %zu clients, %.0f requests a second at most",
      settings.minutes, static_cast<unsigned long long>(settings.seed), settings.clients,
      settings.rate);
  if (!start()) {
    say("soak: the services do not start");
    return 1;
  }
  const Stalls stalls(world_);
  Faults faults(world_);
  Cast cast(world_);
  Calms calms(world_, cast, faults);
  live(faults, calms);
  if (!interrupted && all_alive()) {
    calms.have_one();
  }
  if (interrupted) {
    end_services();
  }
  cast.stop();
  if (!interrupted) {
    end_services();
  }
  calms.print_table();
  printf("scenes: %s\nfaults: %s\n", cast.scenes_played().c_str(), faults.told().c_str());
  return report(stalls);
}

}  // namespace

}  // namespace distributex::soak

int main() {
  struct sigaction action {};
  action.sa_handler = distributex::soak::on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return distributex::soak::Soak(distributex::soak::read_settings()).run();
}
