// SPDX-License-Identifier: MIT
// The thread's side of a worker: does jobs in order; between jobs it pings memcached, reads
// the freezes, and removes what failed calls left behind.
#include "backends/memcache/room.h"

#include <algorithm>
#include <utility>

#include "backends/rests.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds ping_every{1000};
constexpr milliseconds ping_every_when_down{400};
constexpr milliseconds freezes_every{400};  // so all servers see a freeze within a second
constexpr milliseconds chore_limit{1000};
constexpr size_t keys_of_a_survey_step = 500;
// How often a job of many reads reports that memcached answers.
constexpr milliseconds news_every{300};

}  // namespace

void* MemcacheWorker::Room::run(void* room) noexcept {
  static_cast<Room*>(room)->work();
  return nullptr;
}

void MemcacheWorker::Room::work() {
  for (bool stopping = false; !stopping;) {
    auto job = next_job(stopping);
    if (stopping) {
      break;
    }
    if (job) {
      do_job(*job);
    }
    if (steady_now() >= next_ping_) {
      do_ping();
    }
    if (!down_ && steady_now() >= next_freezes_) {
      link_.set_deadline(steady_now() + chore_limit);
      (void)read_freezes();
    }
    if (steady_now() >= next_chores_) {
      do_chores();
    }
  }
  const std::lock_guard guard(lock_);
  ended_ = true;
  changed_.notify_all();
}

// Waits for a job; returns nullopt if a ping or a read of the freezes is due first.
std::optional<MemcacheJob> MemcacheWorker::Room::next_job(bool& stopping) {
  std::unique_lock guard(lock_);
  running_ = 0;
  const Time due = down_ ? next_ping_ : std::min(next_ping_, next_freezes_);
  changed_.wait_until(guard, due, [this] { return stopping_ || !jobs_.empty(); });
  stopping = stopping_;
  while (!jobs_.empty()) {
    MemcacheJob job = std::move(jobs_.front());
    jobs_.pop_front();
    const OpId op = op_of(job);
    if (abandoned_.erase(op) != 0) {
      open_.erase(op);
      keep_if_undelivered(job);
      continue;
    }
    running_ = op;
    return job;
  }
  return std::nullopt;
}

void MemcacheWorker::Room::do_job(MemcacheJob& job) {
  const Time now = steady_now();
  if (down_ || now >= job.deadline) {
    return std::visit([&](const auto& what) { refuse(what, job); }, job.what);
  }
  link_.set_deadline(job.deadline);
  last_news_ = now;
  slots_.use(job.pool);
  std::visit([&](auto& what) { perform(what, job); }, job.what);
}

// While memcached is down, jobs are refused and only pings ask it: else each job would wait
// for its time limit.
void MemcacheWorker::Room::refuse(const Acquire& question, const MemcacheJob&) {
  refuse_op(question.op);
}

void MemcacheWorker::Room::refuse(const Release& question, const MemcacheJob& job) {
  refuse_op(question.op);
  keep_if_undelivered(job);
}

void MemcacheWorker::Room::refuse(const Renew& question, const MemcacheJob&) {
  refuse_op(question.op);
}

void MemcacheWorker::Room::refuse(const SurveyPools& what, const MemcacheJob&) {
  report(PoolsSeen{what.survey, {}, {}, true});
}

// If the release of an untold grant is not done now, the leftovers repeat it later.
void MemcacheWorker::Room::keep_if_undelivered(const MemcacheJob& job) {
  const auto* release = std::get_if<Release>(&job.what);
  if (release && release->undelivered) {
    leftovers_.keep({job.pool, {}, *release});
  }
}

void MemcacheWorker::Room::perform(const Acquire& question, const MemcacheJob& job) {
  if (steady_now() >= next_freezes_ && !read_freezes()) {
    return refuse_op(question.op);
  }
  const std::string nonce = make_nonce();
  Acquire asked = question;
  asked.find_only = asked.find_only || freezes_.freezes(question.pool, steady_now());
  const SlotAnswer answer = slots_.acquire(asked, job.pool.width, nonce);
  const bool heard = finish(question.op, answer);
  auto leftover = leftover_of(answer, heard, job.pool, nonce);
  if (!leftover) {
    return;
  }
  link_.set_deadline(steady_now() + chore_limit);
  // After a failure memcached is out of reach, so do not look at once.
  if (answer.kind == Verdict::Kind::failed) {
    leftovers_.keep(*std::move(leftover));
  } else {
    leftovers_.settle(*std::move(leftover));
  }
}

void MemcacheWorker::Room::perform(const Release& question, const MemcacheJob& job) {
  const SlotAnswer answer = slots_.release(question, job.pool.width);
  if (answer.kind == Verdict::Kind::released && question.outcome != Outcome::unknown) {
    count_run(job.pool, answer.lease.owner, question.outcome == Outcome::failed,
              how_it_failed(question.status));
  }
  (void)finish(question.op, answer);
  if (answer.kind == Verdict::Kind::failed) {
    keep_if_undelivered(job);
  }
}

void MemcacheWorker::Room::perform(const Renew& question, const MemcacheJob& job) {
  (void)finish(question.op, slots_.renew(question, job.pool.width));
}

void MemcacheWorker::Room::perform(const Order& order, const MemcacheJob& job) {
  switch (order.kind) {
    case Order::Kind::freeze:
    case Order::Kind::thaw:
      return rule(order, job);
    case Order::Kind::evict: {
      const SlotAnswer answer = slots_.evict(job.pool, order.token);
      if (answer.kind == Verdict::Kind::done) {
        count_run(job.pool, answer.lease.owner, true, "evicted");
      }
      return (void)finish(order.op, answer);
    }
  }
}

void MemcacheWorker::Room::rule(const Order& order, const MemcacheJob& job) {
  SlotAnswer answer;
  const bool counts_anew = std::all_of(
      job.thawed.begin(), job.thawed.end(),
      [this](const std::string& pool) { return freezes_.count_run(pool, false).has_value(); });
  answer.kind = counts_anew ? freezes_.perform(order, steady_now()) : Verdict::Kind::failed;
  tell_freezes();  // before finish(), so that the loop knows the freezes when the order ends
  if (answer.kind == Verdict::Kind::full) {
    answer.kind = Verdict::Kind::failed;
    return (void)finish(order.op, answer, Rulings::too_many_freezes);
  }
  (void)finish(order.op, answer);
}

// Counts a run; freezes the pool, before any further job, if too many runs have failed.
void MemcacheWorker::Room::count_run(const PoolRef& pool, const Owner& owner, bool failed,
                                     const std::string& how) {
  if (pool.freeze_after == 0) {
    return;
  }
  const auto runs = freezes_.count_run(pool.name, failed);
  if (!runs || *runs < pool.freeze_after) {
    return;
  }
  const Freeze freeze = freeze_after(pool.name, *runs, owner, how, steady_now());
  Order order{.op = 0, .kind = Order::Kind::freeze, .pool = pool.name};
  order.reason = freeze.reason;
  order.by = freeze.by;
  (void)freezes_.perform(order, steady_now());
  (void)freezes_.count_run(pool.name, false);
  tell_freezes();
}

// Returns false if memcached did not answer: then no lock may be granted either.
bool MemcacheWorker::Room::read_freezes() {
  const Time now = steady_now();
  const bool read = freezes_.read(now);
  if (read) {
    next_freezes_ = now + freezes_every;
    tell_freezes();
  }
  note_link();
  return read;
}

void MemcacheWorker::Room::tell_freezes() {
  if (freezes_.take_change()) {
    report(FreezesSeen{freezes_.all()});
  }
}

void MemcacheWorker::Room::perform(const ExpireLease& what, const MemcacheJob& job) {
  std::optional<SlotLease> rest;
  const auto undone = slots_.expire(job.pool, what.nonce, what.is_rest ? nullptr : &rest);
  if (undone == MemcacheSlots::Undone::gone) {
    if (!what.is_rest) {
      count_run(job.pool, what.lease.owner, true, "its lock ended by time");
    }
    report(LeaseEnded{job.pool.name, what.lease, what.is_rest, std::move(rest)});
  }
  note_link();
}

// Does one step of the survey and posts the rest to the end of the queue, so that a survey
// does not hold up other jobs.
void MemcacheWorker::Room::perform(SurveyPools& what, const MemcacheJob& job) {
  PoolsSeen part;
  part.survey = what.survey;
  for (size_t keys = 0; what.next < what.pools.size() && keys < keys_of_a_survey_step;) {
    keys += what.pools[what.next].width;
    part.pools.push_back(what.pools[what.next++]);
  }
  auto seen = slots_.survey(part.pools);
  part.last = !seen || what.next == what.pools.size();
  if (seen) {
    part.seen = std::move(*seen);
  } else {
    part.pools.clear();
  }
  const bool last = part.last;
  report(std::move(part));
  if (!last) {
    post({std::move(what), {}, job.deadline});
  }
  note_link();
}

// Pings even while there are jobs: not every job tells the loop that memcached answers.
void MemcacheWorker::Room::do_ping() {
  next_ping_ = steady_now() + ping_every;
  link_.set_deadline(steady_now() + chore_limit);
  const bool answers = link_.ping();
  note_link();
  if (answers) {
    report(LinkAlive{});
  }
}

void MemcacheWorker::Room::do_chores() {
  next_chores_ = steady_now() + ping_every;
  if (down_ || leftovers_.empty()) {
    return;
  }
  link_.set_deadline(steady_now() + chore_limit);
  leftovers_.settle_all([this] { return link_.is_connected(); });
  note_link();
}

void MemcacheWorker::Room::note_link() {
  if (auto facts = link_.take_facts(); facts && link_.is_connected()) {
    report(LinkUp{std::move(*facts)});
  }
  down_ = !link_.is_connected();
  if (!down_) {
    return;
  }
  report(LinkDown{link_.reason()});
  next_ping_ = steady_now() + ping_every_when_down;
}

// Reports that memcached answers while a job is not done yet.
void MemcacheWorker::Room::note_progress() {
  const Time now = steady_now();
  if (now < last_news_ + news_every) {
    return;
  }
  last_news_ = now;
  report(LinkAlive{});
}

void MemcacheWorker::Room::wake() { waker_.wake(); }

void MemcacheWorker::Room::report(MemcacheResult result) {
  {
    const std::lock_guard guard(lock_);
    results_.push_back(std::move(result));
  }
  wake();
}

bool MemcacheWorker::Room::finish(OpId op, SlotAnswer answer) {
  note_link();  // before the result, so that the loop knows of the trouble first
  return finish(op, std::move(answer), link_.reason());
}

// Returns false if the loop has abandoned the operation. `reason` is used if it failed.
bool MemcacheWorker::Room::finish(OpId op, SlotAnswer answer, const std::string& reason) {
  {
    const std::lock_guard guard(lock_);
    open_.erase(op);
    if (abandoned_.erase(op) != 0) {
      return false;
    }
    results_.emplace_back(OpDone{op, std::move(answer), reason});
  }
  wake();
  return true;
}

}  // namespace distributex
