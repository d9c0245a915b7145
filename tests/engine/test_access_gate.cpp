// SPDX-License-Identifier: MIT
// The access rules at the engine's gates: who is refused before the pool is even
// looked for, and what becomes of waiters and holders when the rules change.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void who_may_not_lock_does_not_hear_whether_there_is_such_a_pool(void**) {
  assert_true(holds(R"(
pools p:1:60
access secret=ci/p
1 get p ci by=secret:ci:ci
  #1 acquire p ci length=60
2 get q ci by=secret:ci:ci
  2 invalid q ci not_allowed: the secret ci may not lock pool "q"
3 get q ci
  3 invalid q ci not_proven: to lock pool "q" a proof is needed: a secret in the header Authorization, or a certificate, that the rules allow to
4 get p web1 by=secret:ci:ci
  4 invalid p web1 not_allowed: the secret ci may speak for ci, not for "web1"
access secret
5 get q ci by=secret:ci:ci
  5 invalid q ci not_found: there is no pool "q" on this server
)"));
}

void each_verb_is_asked_for_the_right(void**) {
  assert_true(holds(R"(
pools p:1:60
access certificate
1 release p web1 token=7
  1 invalid p web1 not_proven: to lock pool "p" a proof is needed: a secret in the header Authorization, or a certificate, that the rules allow to
2 renew p web1 by=certificate:web2
  2 invalid p web1 not_allowed: the certificate proves web2, not "web1"
3 wait p web1 by=certificate:web2
  3 invalid p web1 not_allowed: the certificate proves web2, not "web1"
4 renew p web1 by=certificate:web1
  #1 renew p web1
)"));
}

void waiters_without_the_right_are_answered_when_the_rules_change(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
access secret
1 wait p a by=secret:a:a
  #1 acquire p a length=60
#1 granted token=1
  1 granted p a token=1
1 arrived
2 wait p b by=secret:b:b
  #2 acquire p b length=60
#2 full
3 wait p c by=secret:c:c
  #3 find p c length=60
#3 full
4 wait q b by=secret:b:b
  #4 acquire q b length=60
access secret=a secret=c
  2 invalid p b not_allowed: the secret b may not lock pool "p"
  4 invalid q b not_allowed: the secret b may not lock pool "q"
waiting p
  c since=0
#4 granted token=2
  #5 release q b token=2
5 renew p a token=1 by=secret:a:a
  #6 renew p a token=1
access secret=c
6 renew p a token=1 by=secret:a:a
  6 invalid p a not_allowed: the secret a may not lock pool "p"
access open
7 renew p a token=1
  #7 renew p a token=1
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_may_not_lock_does_not_hear_whether_there_is_such_a_pool),
      cmocka_unit_test(each_verb_is_asked_for_the_right),
      cmocka_unit_test(waiters_without_the_right_are_answered_when_the_rules_change),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
