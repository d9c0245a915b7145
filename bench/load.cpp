// SPDX-License-Identifier: MIT
// The command line: takes NAME=VALUE words that say what to measure, prints one line of
// JSON.
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <string_view>

namespace bench {

namespace {

struct Workload {
  std::string_view name;
  void (*run)(const Task& task, Line& line);
};

// The first three run the same function; the words pools and leases make the difference.
constexpr Workload workloads[] = {
    {"pairs", pairs},   {"pools", pairs}, {"leases", pairs},    {"renewals", renewals},
    {"fill", fill},     {"stay", stay},   {"handoff", handoff}, {"wake", wake},
    {"parked", parked}, {"holds", holds}, {"expire", expire},
};

constexpr const char* usage =
    "usage: load workload=pairs|pools|leases|renewals|fill|stay|handoff|wake|parked|holds|expire "
    "server=NAME "
    "port=N "
    "pid=N\n"
    "            [clients=N] [pools=N] [leases=N] [secs=N | ops=N] [round=N] [tls=1] [apart=1]\n"
    "            [peer=redis|postgresql|etcd]\n";

bool set(Task& task, std::string_view name, const char* value) {
  const auto number = strtoul(value, nullptr, 10);
  if (name == "server") {
    return task.server = value, true;
  }
  if (name == "workload") {
    return task.workload = value, true;
  }
  if (name == "peer") {
    return task.peer = value, true;
  }
  if (name == "port") {
    return task.address.port = static_cast<uint16_t>(number), true;
  }
  if (name == "pid") {
    return task.pid = static_cast<pid_t>(number), true;
  }
  if (name == "clients") {
    return task.clients = number, number > 0;
  }
  if (name == "pools") {
    return task.pools = number, true;
  }
  if (name == "leases") {
    return task.leases = number, true;
  }
  if (name == "tls") {
    return task.address.tls = number != 0, true;
  }
  if (name == "apart") {
    return task.apart = number != 0, true;
  }
  if (name == "ops") {
    return task.ops = number, true;
  }
  if (name == "secs") {
    return task.seconds = strtod(value, nullptr), true;
  }
  if (name == "round") {
    return task.round = static_cast<unsigned>(number), true;
  }
  return false;
}

void raise_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return;
  }
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int run(const Task& task) {
  for (const Workload& workload : workloads) {
    if (workload.name != task.workload) {
      continue;
    }
    Line line;
    line.add("workload", task.workload);
    line.add("server", task.server);
    line.add("round", task.round, 0);
    line.add("clients", static_cast<double>(task.clients), 0);
    line.add("pools", static_cast<double>(task.pools), 0);
    line.add("leases", static_cast<double>(task.leases), 0);
    (task.peer.empty() ? workload.run : peer_load)(task, line);
    line.print();
    return EXIT_SUCCESS;
  }
  fputs(usage, stderr);
  return EXIT_FAILURE;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  bench::Task task;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const size_t sign = word.find('=');
    if (sign == word.npos || !bench::set(task, word.substr(0, sign), argv[i] + sign + 1)) {
      fputs(bench::usage, stderr);
      return EXIT_FAILURE;
    }
  }
  bench::raise_limit();
  return bench::run(task);
}
