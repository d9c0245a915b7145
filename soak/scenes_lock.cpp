// SPDX-License-Identifier: MIT
// Clients that behave well, and some that forget to release.
#include <vector>

#include "holder.h"
#include "scenes.h"

namespace distributex::soak {

namespace {

constexpr milliseconds work{20};

milliseconds some_time(Actor& actor, unsigned most) {
  return milliseconds(static_cast<int64_t>(50 + actor.dice.below(most)));
}

void work_and_release(Actor& actor, Holder& holder) {
  actor.pause(work);
  if (actor.dice.once_in(5)) {
    holder.renew();
  }
  if (actor.dice.once_in(8)) {
    holder.get();  // held: as when the first answer was lost
  }
  if (holder.holds()) {
    holder.release();
  }
}

}  // namespace

void get_and_release(Actor& actor) {
  Holder holder(actor, actor.any_pool());
  for (uint64_t rounds = 1 + actor.dice.below(4); rounds > 0; rounds--) {
    if (holder.get().has_lock()) {
      work_and_release(actor, holder);
    } else {
      actor.pause(work);
    }
  }
  holder.leave_nothing();
}

// A wait may be granted long after its question, so a renewal finds out when the lease ends.
void wait_and_release(Actor& actor) {
  Holder holder(actor, actor.any_pool());
  if (holder.wait(some_time(actor, 3000)).has_lock()) {
    if (!actor.dice.once_in(4)) {
      holder.renew();
    }
    work_and_release(actor, holder);
  }
  holder.leave_nothing();
}

void keep_by_renewing(Actor& actor) {
  const PoolRow& pool = actor.mortal_pool();
  Holder holder(actor, pool);
  if (!holder.wait(some_time(actor, 2000)).has_lock()) {
    return;
  }
  for (int renewals = 0; renewals < 6 && !actor.world.stopping; renewals++) {
    actor.pause(milliseconds(pool.expire * 500));
    if (holder.renew().result == "lost") {
      return;
    }
  }
  holder.release();
}

void forget(Actor& actor) {
  Holder holder(actor, actor.mortal_pool());
  holder.get();
}

void ask_twice_as_one(Actor& actor) {
  Holder one(actor, actor.mortal_pool());
  Holder other = one.twin();
  const milliseconds patience = some_time(actor, 2000);
  if (!one.start_wait(patience)) {
    return;
  }
  const bool both = other.start_wait(patience);
  const Said first = one.finish();
  const Said second = both ? other.finish() : Said{};
  const bool are_two = first.has_lock() && second.has_lock() && first.token != second.token;
  if (are_two && !actor.is_excused(first.asked)) {
    actor.world.findings.add("%s: %s got two leases", actor.service->name(),
                             one.parameters().c_str());
  }
  if (one.holds()) {
    one.release();
  } else if (other.holds()) {
    other.release();
  }
}

// Many wait at once for one lock; each gives it back as soon as it has it.
void stand_in_line(Actor& actor) {
  const PoolRow& pool = pool_rows()[0];
  Holder first(actor, pool);
  if (!first.wait(some_time(actor, 1000)).has_lock()) {
    return;
  }
  std::vector<Holder> line;
  std::vector<bool> waits;
  for (int i = 0; i < 60; i++) {
    line.emplace_back(actor, pool);
    waits.push_back(line.back().start_wait(milliseconds(1500)));
  }
  actor.pause(work);
  first.release();
  for (size_t i = 0; i < line.size(); i++) {
    if (waits[i] && line[i].finish().has_lock()) {
      line[i].release();
    }
  }
}

}  // namespace distributex::soak
