// SPDX-License-Identifier: MIT
// What every backend does alike, asked through the one interface: each test
// runs over all of them. What one backend does beyond is in tests of its own.
#include "backends/backend.h"
#include "base/clock.h"
#include "support/backends.h"
#include "support/daemon.h"
#include "support/memcached.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Owner a{"a", ""}, b{"b", ""}, c{"c", ""};

void grants_a_free_lock_and_refuses_a_taken_one(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get(a);
  assert_text(name(granted), "granted");
  assert_true(granted.token >= 1 && granted.token <= max_token);
  const Verdict full = f.get(b);
  assert_text(name(full), "full");
  assert_true(full.retry_at.has_value());
}

void finds_the_lease_of_a_holder_and_leaves_its_time_alone(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get(a, 1, 100);
  const Verdict held = f.get(a, 1, 500);
  assert_text(name(held), "held");
  assert_true(held.token == granted.token);
  assert_true(*held.ends == *granted.ends);
}

void tells_the_ids_of_a_host_apart(void** state) {
  BackendBench& f = bench(state);
  assert_text(name(f.get({"a", "1"})), "granted");
  assert_text(name(f.get({"a", "2"})), "full");
  assert_text(name(f.get({"a", ""})), "full");
  assert_text(name(f.release({"a", ""})), "not_held");
  assert_text(name(f.release({"a", "1"})), "released");
}

void find_only_takes_no_lock(void** state) {
  BackendBench& f = bench(state);
  assert_text(name(f.find(a)), "full");
  assert_text(name(f.get(b)), "granted");
  assert_text(name(f.find(b)), "held");
  assert_text(name(f.find(a)), "full");
}

void a_release_frees_the_lock_once(void** state) {
  BackendBench& f = bench(state);
  (void)f.get(a);
  assert_text(name(f.release(a)), "released");
  assert_text(name(f.release(a)), "not_held");
  assert_text(name(f.get(b)), "granted");
}

void another_token_neither_releases_nor_renews(void** state) {
  BackendBench& f = bench(state);
  const Token token = f.get(a).token;
  assert_text(name(f.release(a, token + 1)), "not_held");
  assert_text(name(f.renew(a, token + 1)), "lost");
  assert_text(name(f.get(b)), "full");
  assert_text(name(f.renew(a, token)), "renewed");
  assert_text(name(f.release(a, token)), "released");
}

void tokens_rise_with_each_grant(void** state) {
  BackendBench& f = bench(state);
  Token last = 0;
  for (int i = 0; i < 20; i++) {
    const Verdict verdict = f.get(i % 2 == 0 ? a : b);
    assert_text(name(verdict), "granted");
    assert_true(verdict.token > last);
    last = verdict.token;
    (void)f.release(i % 2 == 0 ? a : b);
  }
}

void a_semaphore_has_as_many_holders_as_slots(void** state) {
  BackendBench& f = bench(state);
  for (const char* host : {"h1", "h2", "h3"}) {
    assert_text(name(f.get({host, ""}, 3)), "granted");
  }
  assert_text(name(f.get(a, 3)), "full");
  assert_text(name(f.get({"h2", ""}, 3)), "held");
  assert_text(name(f.release({"h2", ""}, {}, 3)), "released");
  assert_text(name(f.get(a, 3)), "granted");
  assert_text(name(f.get(b, 3)), "full");
}

void says_at_once_that_more_slots_are_free(void** state) {
  BackendBench& f = bench(state);
  const Verdict first = f.get(a, 3);
  assert_true(first.retry_at && *first.retry_at <= steady_now());
  (void)f.get(b, 3);
  const Verdict last = f.get(c, 3);
  assert_true(last.retry_at && *last.retry_at > steady_now());
}

void a_lease_ends_at_its_time_and_not_before(void** state) {
  BackendBench& f = bench(state);
  const Time asked = steady_now();
  const Verdict granted = f.get(a, 1, 1);
  assert_true(*granted.ends >= asked + seconds(1));
  assert_true(*granted.ends <= steady_now() + seconds(1));
  assert_true(f.until([&] { return f.expired().size() == 1; }));
  assert_true(steady_now() >= asked + seconds(1));
  assert_that(steady_now() - *granted.ends < milliseconds(1500), "late");
  assert_text(f.expired()[0].owner.host, "a");
  assert_true(f.expired()[0].token == granted.token);
  assert_true(f.until([&] { return f.changes() > 0; }));
  assert_text(name(f.renew(a, granted.token)), "lost");
  assert_text(name(f.get(b)), "granted");
}

void a_renewal_starts_the_time_anew(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get(a, 1, 50);
  const Verdict renewed = f.renew(a, granted.token);
  assert_text(name(renewed), "renewed");
  assert_true(renewed.token == granted.token);
  assert_true(*renewed.ends > *granted.ends && *renewed.ends <= steady_now() + seconds(50));
  const Verdict shorter = f.renew(a, granted.token, 20);
  assert_true(*shorter.ends <= steady_now() + seconds(20));
  const Verdict held = f.get(a);
  assert_true(*held.ends <= steady_now() + seconds(20));
}

void a_renewed_lease_outlives_its_first_end(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get(a, 1, 1);
  (void)f.renew(a, granted.token, 30);
  const Time later = *granted.ends + milliseconds(100);
  const OpId other = f.ask_get(b);
  assert_text(name(f.verdict_of(other)), "full");
  // Runs the loop until the time of the first end is past.
  while (steady_now() < later) {
    assert_text(name(f.get(b)), "full");
  }
  assert_int_equal(f.expired().size(), 0);
  assert_text(name(f.renew(a, granted.token)), "renewed");
}

void a_lease_without_length_never_ends(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get(a, 1, 0);
  assert_false(granted.ends.has_value());
  assert_false(f.renew(a, granted.token).ends.has_value());
  assert_false(f.get(a).ends.has_value());
  assert_text(name(f.get(b)), "full");
}

void a_lease_of_years_is_no_shorter(void** state) {
  BackendBench& f = bench(state);
  const int years = 3 * 365 * 86400;
  const Verdict granted = f.get(a, 1, years);
  assert_true(*granted.ends > steady_now() + seconds(years - 10));
  assert_text(name(f.get(b)), "full");
  assert_text(name(f.renew(a)), "renewed");
  assert_text(name(f.get(a)), "held");
}

void answers_every_question_once_and_in_order(void** state) {
  BackendBench& f = bench(state);
  std::vector<OpId> asked;
  for (int i = 0; i < 30; i++) {
    const Owner owner{"h" + std::to_string(i % 4), ""};
    asked.push_back(f.ask_get(owner));
    asked.push_back(f.ask_renew(owner));
    asked.push_back(f.ask_release(owner));
  }
  (void)f.verdict_of(asked.back());
  assert_true(f.order() == asked);
}

void any_name_is_a_pool_and_an_owner(void** state) {
  BackendBench& f = bench(state);
  const std::string names[] = {
      "with space", "ümläut", "a%20b", "a:b/c", std::string(255, 'x'), std::string(254, 'x') + "y",
      "\"quoted\"", "+plus"};
  for (const std::string& pool : names) {
    f.use_pool(pool);
    const Owner owner{pool, std::string(255, '+')};
    const Verdict granted = f.get(owner);
    assert_text(name(granted), "granted");
    assert_true(f.get(owner).token == granted.token);
    assert_text(name(f.get(a)), "full");
  }
}

void tells_who_holds_and_until_when(void** state) {
  BackendBench& f = bench(state);
  assert_text(f.holders(), "");
  const Verdict granted = f.get(b, 3, 40);
  (void)f.get(a, 3, 0);
  assert_text(f.holders(), "b a");
  const std::vector<Lease> leases = f.backend().leases("p");
  assert_true(leases[0].token == granted.token && *leases[0].ends == *granted.ends);
  assert_false(leases[1].ends.has_value());
  assert_true(leases[0].since <= steady_now() && leases[0].since > steady_now() - seconds(10));
  (void)f.release(b, {}, 3);
  assert_text(f.holders(), "a");
}

void a_lowered_maxlocks_takes_no_lock_away(void** state) {
  BackendBench& f = bench(state);
  for (const Owner& owner : {a, b, c}) {
    (void)f.get(owner, 3);
  }
  assert_text(name(f.get({"d", ""}, 1)), "full");
  assert_text(name(f.release(a)), "released");
  assert_text(name(f.get({"d", ""}, 1)), "full");
  assert_text(name(f.renew(c)), "renewed");
  assert_text(name(f.release(b)), "released");
  assert_text(name(f.release(c)), "released");
  assert_text(name(f.get({"d", ""}, 1)), "granted");
}

void is_soon_without_trouble(void** state) {
  BackendBench& f = bench(state);
  assert_true(f.until([&] { return !f.backend().trouble(); }));
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(grants_a_free_lock_and_refuses_a_taken_one),
      cmocka_unit_test(finds_the_lease_of_a_holder_and_leaves_its_time_alone),
      cmocka_unit_test(tells_the_ids_of_a_host_apart),
      cmocka_unit_test(find_only_takes_no_lock),
      cmocka_unit_test(a_release_frees_the_lock_once),
      cmocka_unit_test(another_token_neither_releases_nor_renews),
      cmocka_unit_test(tokens_rise_with_each_grant),
      cmocka_unit_test(a_semaphore_has_as_many_holders_as_slots),
      cmocka_unit_test(says_at_once_that_more_slots_are_free),
      cmocka_unit_test(a_lease_ends_at_its_time_and_not_before),
      cmocka_unit_test(a_renewal_starts_the_time_anew),
      cmocka_unit_test(a_renewed_lease_outlives_its_first_end),
      cmocka_unit_test(a_lease_without_length_never_ends),
      cmocka_unit_test(a_lease_of_years_is_no_shorter),
      cmocka_unit_test(answers_every_question_once_and_in_order),
      cmocka_unit_test(any_name_is_a_pool_and_an_owner),
      cmocka_unit_test(tells_who_holds_and_until_when),
      cmocka_unit_test(a_lowered_maxlocks_takes_no_lock_away),
      cmocka_unit_test(is_soon_without_trouble),
  };
  return run_over_backends(tests);
}
