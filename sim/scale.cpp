// SPDX-License-Identifier: MIT
// How far one server goes: fleets that doc/scale.txt tells of, as a table. Words on the
// command line: cost=FILE, rows=LETTERS (only these), seed=N, part=N (each large fleet is
// divided by that and its counts are multiplied again), and what one processor does in a
// second: instructions=MILLIONS, calls=THOUSANDS.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sim/nodes.h"
#include "sim/puppet.h"
#include "sim/table.h"

namespace distributex::sim {

namespace {

struct Wish {
  std::string cost = "bench/cost.txt";
  Machine machine;
  uint64_t seed = 1;
  uint32_t part = 1;
  std::string rows = "ABCDEFGHIJK";

  [[nodiscard]] bool has(const char* letter) const { return rows.find(letter) != rows.npos; }
};

struct PuppetRow {
  const char* letter;
  const char* what;
  PuppetLoad load;
};

struct NodesRow {
  const char* letter;
  const char* what;
  NodesLoad load;
};

constexpr uint32_t large = 100'000;  // hosts; smaller fleets are simulated as they are
constexpr uint32_t million = 1'000'000;
constexpr double cycle = 400e3;  // a little more than a million runs of three minutes in 500 slots

constexpr PuppetRow puppet_rows[] = {
    {"A",
     "4,500 hosts, one pool of 500 slots, runs of 3 minutes: what 500 slots carry",
     {.hosts = 4500, .settle = 7200, .measure = 36000}},
    {"B",
     "10^6 hosts in 222 pools of 500 slots each: carried, with leases of 30 s",
     {.hosts = million, .pools = 222, .settle = 2400, .measure = 600}},
    {"C",
     "the same with --lease=300",
     {.hosts = million, .pools = 222, .lease = 300, .settle = 2400, .measure = 1800}},
    {"D",
     "10^6 hosts, one pool, the lock held for 0.8 s: what 500 slots carry of a million",
     {.hosts = million, .run = 0.8, .settle = 1800, .measure = 1800}},
    {"E",
     "10^6 hosts, one pool, runs of 3 minutes, --lease=300, all wait: not carried",
     {.hosts = million, .lease = 300, .settle = cycle, .measure = cycle}},
    {"F",
     "the same with -w 1500: whoever has waited for 25 minutes leaves the run out",
     {.hosts = million, .lease = 300, .patience = 1500, .settle = 3600, .measure = 3600}},
    {"G",
     "as E, but max_waiting as it is by default: 50,000",
     {.hosts = million, .lease = 300, .max_waiting = 50000, .settle = 1900, .measure = 60}},
};

constexpr NodesRow nodes_rows[] = {
    {"H",
     "10^5 nodes, 500 slots, reboots of 5 minutes, updates found within six hours",
     {.nodes = 100000}},
    {"I", "the same with 2,000 slots: carried", {.nodes = 100000, .slots = 2000}},
    {"J", "as H with 50 slots", {.nodes = 100000, .slots = 50}},
    {"K", "as H with fleetlock_wait: 0: nodes poll", {.nodes = 100000, .wait = 0}},
};

bool set(Wish& wish, std::string_view name, const char* value) {
  if (name == "cost") {
    return wish.cost = value, true;
  }
  if (name == "rows") {
    return wish.rows = value, true;
  }
  const double number = strtod(value, nullptr);
  if (name == "seed") {
    return wish.seed = static_cast<uint64_t>(number), true;
  }
  if (name == "part" && number >= 1 && number <= 1000) {
    return wish.part = static_cast<uint32_t>(number), true;
  }
  if (name == "instructions" && number > 0) {
    return wish.machine.instructions = number * 1e6, true;
  }
  if (name == "calls" && number > 0) {
    return wish.machine.calls = number * 1e3, true;
  }
  return false;
}

// A part of the clients wants the same part of the pools, or of the one pool's slots.
PuppetLoad part_of(PuppetLoad load, uint32_t part) {
  load.hosts /= part;
  if (load.pools >= part) {
    load.pools /= part;
  } else {
    load.slots = std::max<uint32_t>(load.slots / part, 1);
    load.max_waiting = std::max<uint32_t>(load.max_waiting / part, 1);
  }
  return load;
}

NodesLoad part_of(NodesLoad load, uint32_t part) {
  load.nodes /= part;
  load.slots = std::max<uint32_t>(load.slots / part, 1);
  return load;
}

// What a part has come to, as so many of them: all counts, no time.
Course times(Course course, uint32_t parts) {
  course.needed *= parts;
  course.standing.parked *= parts;
  course.standing.held *= parts;
  course.standing.most_parked *= parts;
  course.standing.most_held *= parts;
  course.book.parked *= parts;
  for (uint64_t* count :
       {&course.book.asked, &course.book.renewed, &course.book.released, &course.book.looked,
        &course.book.granted, &course.book.gone, &course.book.refused}) {
    *count *= parts;
  }
  return course;
}

uint32_t size_of(const PuppetLoad& load) { return load.hosts; }
uint32_t size_of(const NodesLoad& load) { return load.nodes; }
Course run(const PuppetLoad& load) { return run_puppet(load); }
Course run(const NodesLoad& load) { return run_nodes(load); }

template <typename Rows>
std::vector<Column> columns_of(const Rows& rows, const Wish& wish) {
  std::vector<Column> columns;
  for (const auto& row : rows) {
    if (!wish.has(row.letter)) {
      continue;
    }
    const uint32_t part = size_of(row.load) < large ? 1 : wish.part;
    auto load = part_of(row.load, part);
    load.seed = wish.seed;
    printf("%s  %s\n", row.letter, row.what);
    fflush(stdout);
    columns.push_back({row.letter, load.slots, times(run(load), part)});
  }
  return columns;
}

// More leases than slots, or a lock that was lost, would be a bug of the engine, the
// backend or the simulation.
bool is_sound(const std::vector<Column>& columns) {
  return std::all_of(columns.begin(), columns.end(), [](const Column& column) {
    return column.outcome.standing.most_held_in_pool <= column.slots &&
           column.outcome.book.odd == 0;
  });
}

int run(const Wish& wish) {
  Costs costs;
  if (const auto trouble = costs.read(wish.cost)) {
    fprintf(stderr, "scale: %s\n", trouble->c_str());
    return EXIT_FAILURE;
  }
  printf("One processor: %.0f million instructions and %.0f thousand system calls a second.\n\n",
         wish.machine.instructions / 1e6, wish.machine.calls / 1e3);
  if (wish.part > 1) {
    printf(
        "Simulated is one part of %u of each large fleet; its counts are multiplied by that.\n\n",
        wish.part);
  }
  const std::vector<Column> hosts = columns_of(puppet_rows, wish);
  if (!hosts.empty()) {
    printf("\n%s\n", table_of(hosts, costs, wish.machine).c_str());
  }
  const std::vector<Column> nodes = columns_of(nodes_rows, wish);
  if (!nodes.empty()) {
    printf("\n%s", table_of(nodes, costs, wish.machine).c_str());
  }
  if (!is_sound(hosts) || !is_sound(nodes)) {
    fputs("scale: a pool had more leases than slots, or a client heard what it should not\n",
          stderr);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace

}  // namespace distributex::sim

int main(int argc, char** argv) {
  distributex::sim::Wish wish;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const size_t sign = word.find('=');
    if (sign == word.npos ||
        !distributex::sim::set(wish, word.substr(0, sign), argv[i] + sign + 1)) {
      fputs(
          "usage: scale [cost=FILE] [seed=N] [part=N] [rows=LETTERS] [instructions=MILLIONS] "
          "[calls=THOUSANDS]\n",
          stderr);
      return EXIT_FAILURE;
    }
  }
  return distributex::sim::run(wish);
}
