// SPDX-License-Identifier: MIT
// A line of the file is a name of up to 36 characters and a figure; # begins a remark.
#include "sim/costs.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace distributex::sim {

namespace {

constexpr size_t name_width = 36;

constexpr const char* wanted[] = {
    "pair: instructions",
    "pair apart: instructions",
    "TLS pair apart: instructions",
    "hand-over: instructions",
    "renewal: instructions",
    "pair: system calls",
    "pair apart: system calls",
    "TLS pair apart: system calls",
    "hand-over: system calls",
    "renewal: system calls",
    "sqlite pair: syncs",
    "sqlite renewal: syncs",
    "etcd pair: raft entries",
    "etcd renewal: raft entries",
    "lease in memory: KiB",
    "waiter: KiB",
    "TLS waiter: KiB",
};

}  // namespace

std::optional<std::string> Costs::read(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return path + " cannot be read";
  }
  for (std::string line; std::getline(file, line);) {
    if (line.size() <= name_width || line.front() == '#') {
      continue;
    }
    const size_t end = line.find_last_not_of(' ', name_width - 1);
    rows_[line.substr(0, end + 1)] = strtod(line.c_str() + name_width, nullptr);
  }
  for (const char* row : wanted) {
    if (!rows_.contains(row)) {
      return path + " has no row \"" + row + "\"; make bench-cost counts it";
    }
  }
  return std::nullopt;
}

// A wait that was parked and the release that ended another's lock cost what a hand-over
// does; what was refused, and a sign of life, half of a pair.
Need need_of(const Course& outcome, const Costs& costs) {
  const Book& book = outcome.book;
  const double seconds = outcome.standing.seconds;
  const auto each = [&](const char* what) {
    const std::string unit = what;
    const auto count = [](uint64_t number) { return static_cast<double>(number); };
    const double waited = count(std::min(book.looked, book.granted));
    const double others = count(book.asked + book.looked - book.granted);
    return (waited * costs.of("hand-over" + unit) +
            (count(book.granted) - waited + others / 2) * costs.of("pair" + unit) +
            count(book.renewed) * costs.of("renewal" + unit)) /
           seconds;
  };
  Need need;
  need.requests = static_cast<double>(book.requests()) / seconds;
  // What a pair costs more when each of its requests has a connection of its own.
  const auto connection = [&](const std::string& pair, const std::string& unit) {
    return (costs.of(pair + unit) - costs.of("pair" + unit)) / 2;
  };
  const double work = each(": instructions");
  const double calls = each(": system calls");
  need.instructions = work + need.requests * connection("pair apart", ": instructions");
  need.tls_instructions = work + need.requests * connection("TLS pair apart", ": instructions");
  need.calls = calls + need.requests * connection("pair apart", ": system calls");
  need.tls_calls = calls + need.requests * connection("TLS pair apart", ": system calls");
  const auto parked = static_cast<double>(outcome.standing.most_parked);
  const double leases =
      static_cast<double>(outcome.standing.most_held) * costs.of("lease in memory: KiB");
  need.sockets = parked;
  need.memory_mib = (leases + parked * costs.of("waiter: KiB")) / 1024;
  need.tls_memory_mib = (leases + parked * costs.of("TLS waiter: KiB")) / 1024;
  const double grants = static_cast<double>(book.granted) / seconds;
  const double renewals = static_cast<double>(book.renewed) / seconds;
  need.syncs =
      grants * costs.of("sqlite pair: syncs") + renewals * costs.of("sqlite renewal: syncs");
  need.raft_entries = grants * costs.of("etcd pair: raft entries") +
                      renewals * costs.of("etcd renewal: raft entries");
  return need;
}

}  // namespace distributex::sim
