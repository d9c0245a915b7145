// SPDX-License-Identifier: MIT
// The simulation against what must hold of any queue: Little's law, slots that are never
// exceeded, and the same figures for the same seed.
#include <math.h>
#include <stdlib.h>

#include <numeric>

#include "sim/nodes.h"
#include "sim/puppet.h"
#include "sim/table.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::sim;

namespace {

constexpr PuppetLoad carried{
    .hosts = 1800, .pools = 4, .slots = 50, .lease = 90, .settle = 3600, .measure = 20000};
constexpr NodesLoad updates{.nodes = 1000, .slots = 10, .spread = 3600};

double sum(const std::vector<float>& waits) {
  return std::accumulate(waits.begin(), waits.end(), 0.0);
}

bool near(double a, double b, double part) { return fabs(a - b) <= part * fabs(b); }

// Little's law for queues: waiters by the engine's own count, rate and waits by the clients'.
void waiters_are_their_rate_times_their_wait(void**) {
  const Course outcome = run_puppet(carried);
  const double rate = static_cast<double>(outcome.book.granted) / outcome.standing.seconds;
  const double wait = sum(outcome.book.waits) / static_cast<double>(outcome.book.waits.size());
  assert_that(outcome.standing.parked > 1, "only %.3f wait", outcome.standing.parked);
  assert_that(near(outcome.standing.parked, rate * wait, 0.01), "%.3f wait, not %.3f",
              outcome.standing.parked, rate * wait);
}

// The same for slots: leases held are the grants a second times the length of a run.
void leases_are_their_rate_times_their_length(void**) {
  const Course outcome = run_puppet(carried);
  const double rate = static_cast<double>(outcome.book.granted) / outcome.standing.seconds;
  assert_that(near(outcome.standing.held, rate * carried.run, 0.02), "%.3f held, not %.3f",
              outcome.standing.held, rate * carried.run);
  assert_that(near(outcome.standing.held, outcome.needed, 0.02), "%.3f held, not %.3f",
              outcome.standing.held, outcome.needed);
}

// All waits begin and end within the run, so both sums must be equal.
void every_second_of_every_node_is_counted_once(void**) {
  const Course outcome = run_nodes(updates);
  const double area = outcome.standing.parked * outcome.standing.seconds;
  assert_that(outcome.book.parked > 100000, "%.0f s", outcome.book.parked);
  assert_that(near(area, outcome.book.parked, 1e-6), "%.3f s parked, not %.3f s", area,
              outcome.book.parked);
  assert_int_equal(outcome.book.granted, updates.nodes);
  assert_int_equal(outcome.book.asked, outcome.book.granted + outcome.book.gone);
}

// Also under a load that the slots cannot carry: then all are taken, and never more.
void slots_are_never_exceeded(void**) {
  PuppetLoad heavy = carried;
  heavy.hosts = 3000;
  for (const PuppetLoad& load : {carried, heavy}) {
    const Course outcome = run_puppet(load);
    assert_int_equal(outcome.standing.most_held_in_pool, load.slots);
    assert_true(outcome.standing.most_held <= size_t{load.slots} * load.pools);
    assert_int_equal(outcome.book.odd, 0);
  }
  const Course nodes = run_nodes(updates);
  assert_int_equal(nodes.standing.most_held, updates.slots);
  assert_int_equal(nodes.book.odd, 0);
}

// Under a load beyond the slots as many runs end as the slots allow, and a full queue refuses.
void what_cannot_be_carried_waits(void**) {
  PuppetLoad heavy{.hosts = 4000, .slots = 50, .lease = 300, .settle = 15000, .measure = 10000};
  const Course all = run_puppet(heavy);
  const double pace = heavy.slots / heavy.run;
  assert_that(near(static_cast<double>(all.book.granted) / all.standing.seconds, pace, 0.02),
              "%.3f a second", static_cast<double>(all.book.granted) / all.standing.seconds);
  assert_true(all.standing.parked > 3000 - 50);
  heavy.max_waiting = 100;
  heavy.settle = 1900;
  heavy.measure = 300;
  const Course bounded = run_puppet(heavy);
  assert_int_equal(bounded.standing.most_parked, heavy.max_waiting);
  assert_true(bounded.book.refused > 100 * bounded.book.granted);
}

std::string table(uint64_t seed, const Costs& costs) {
  PuppetLoad hosts = carried;
  hosts.measure = 4000;
  NodesLoad nodes = updates;
  hosts.seed = nodes.seed = seed;
  return table_of({{"A", hosts.slots, run_puppet(hosts)}, {"H", nodes.slots, run_nodes(nodes)}},
                  costs, {});
}

void same_seed_gives_same_table(void**) {
  Costs costs;
  const char* top = getenv("TOP");
  const auto trouble = costs.read(std::string(top ? top : ".") + "/bench/cost.txt");
  assert_that(!trouble, "%s", trouble.value_or("").c_str());
  const std::string once = table(7, costs);
  assert_text(table(7, costs), once);
  assert_that(table(8, costs) != once, "another seed gives the same:\n%s", once.c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(waiters_are_their_rate_times_their_wait),
      cmocka_unit_test(leases_are_their_rate_times_their_length),
      cmocka_unit_test(every_second_of_every_node_is_counted_once),
      cmocka_unit_test(slots_are_never_exceeded),
      cmocka_unit_test(what_cannot_be_carried_waits),
      cmocka_unit_test(same_seed_gives_same_table),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
