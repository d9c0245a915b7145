// SPDX-License-Identifier: MIT
// Leases in memcached, shared by any number of servers and kept while they
// come and go. This is the loop's side: questions become jobs of the worker
// whose memcached has the pool, results become verdicts, in order. A question
// without a result in time has failed; what comes of it later is given back by
// the worker. Nothing here blocks, and nothing here calls memcached.
#include <algorithm>
#include <cassert>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include "backends/makers.h"
#include "backends/memcache/ends.h"
#include "backends/memcache/options.h"
#include "backends/memcache/pool.h"
#include "backends/memcache/server.h"
#include "base/clock.h"
#include "config/config.h"

namespace distributex {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds fresh_enough{300};   // a survey is used again for so long
constexpr milliseconds survey_limit{1500};  // then what is known is shown
// How much of a call's time may be added to a lease, and still memcached, which
// may count a second less than the two that we add, is not early.
constexpr milliseconds late_answer{900};

class MemcacheBackend final : public Backend {
 public:
  MemcacheBackend(const BackendSetup& setup, const MemcacheOptions& options);

  void acquire(const Acquire& question, Time now) override { post(question, now); }
  void release(const Release& question, Time now) override { post(question, now); }
  void renew(const Renew& question, Time now) override { post(question, now); }
  void configure(const std::vector<PoolSpec>& pools) override;
  [[nodiscard]] std::optional<Time> deadline() const override;
  void tick(Time now) override;
  [[nodiscard]] std::optional<std::string> trouble() const override;
  void survey(std::function<void()> ready, Time now) override;
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const override;
  [[nodiscard]] size_t held(std::string_view pool) const override;

 private:
  MemcachePool& pool_of(const std::string& name);
  MemcacheServer& server_of_pool(const MemcachePool& pool) { return *servers_[pool.server]; }
  template <typename Question>
  void post(const Question& question, Time now);
  void expire(std::vector<EndingLease> due, Time now);

  void collect(size_t server);
  void collect_all();
  void apply(size_t server, OpDone& done, Time now);
  void apply(size_t server, LeaseEnded& ended, Time now);
  void apply(size_t server, PoolFreed& freed, Time now);
  void apply(size_t server, PoolsSeen& seen, Time now);
  void apply(size_t server, LinkUp& up, Time now) { servers_[server]->note(up, now); }
  void apply(size_t server, LinkDown& down, Time now) { servers_[server]->note(down, now); }
  void apply(size_t server, LinkAlive&, Time now) { servers_[server]->note_alive(now); }

  [[nodiscard]] Verdict verdict_of(MemcachePool& pool, const SlotAnswer& answer, Time now);
  static void refuse_ended(Verdict& verdict, Time now);
  void start_lease(MemcachePool& pool, const SlotAnswer& answer, Verdict& verdict, Time now);
  [[nodiscard]] Time retry_at(MemcachePool& pool, Time now);
  [[nodiscard]] Lease lease_of(const MemcachePool& pool, const SlotLease& slot, Time now) const;
  void end_overdue(Time now);
  void end_survey();

  BackendSink sink_;
  milliseconds timeout_;
  milliseconds poll_;
  std::vector<std::unique_ptr<MemcacheServer>> servers_;
  std::map<std::string, MemcachePool, std::less<>> pools_;
  MemcacheEnds ends_;

  std::unordered_map<OpId, MemcachePool*> ops_;  // without a verdict
  std::deque<std::pair<Time, OpId>> overdue_;    // in order; some are done already

  uint64_t survey_ = 0;     // the one under way or the last
  size_t survey_open_ = 0;  // servers that have not answered it
  Time survey_ends_{};
  std::optional<Time> surveyed_;  // when the last whole one began
  Time survey_began_{};
  std::vector<std::function<void()>> waiting_;
};

MemcacheBackend::MemcacheBackend(const BackendSetup& setup, const MemcacheOptions& options)
    : sink_(setup.sink), timeout_(options.timeout), poll_(options.poll) {
  const auto hosts = parse_memcache_hosts(options.hosts, options.port);
  assert(std::holds_alternative<std::vector<MemcacheAddress>>(hosts));  // its row has checked it
  const MemcacheSettings settings{options.prefix, make_nonce().substr(0, 12),
                                  std::clamp(timeout_ / 4, milliseconds(50), milliseconds(500))};
  for (const MemcacheAddress& address : std::get<std::vector<MemcacheAddress>>(hosts)) {
    const size_t i = servers_.size();
    servers_.push_back(std::make_unique<MemcacheServer>(
        setup.base, address, settings, [this, i] { collect(i); }, steady_now()));
  }
}

MemcachePool& MemcacheBackend::pool_of(const std::string& name) {
  const auto [it, is_new] = pools_.try_emplace(name);
  MemcachePool& pool = it->second;
  if (is_new) {
    pool.server = server_of(name, servers_.size());
    pool.ref.name = name;
    pool.poll = MemcachePoll(poll_, wall_us() ^ std::hash<std::string>{}(name));
  }
  return pool;
}

void MemcacheBackend::configure(const std::vector<PoolSpec>& pools) {
  for (auto& [name, pool] : pools_) {
    pool.configured = false;
  }
  for (const PoolSpec& spec : pools) {
    MemcachePool& pool = pool_of(spec.name);
    pool.configured = true;
    pool.slots = spec.maxlocks;
    pool.ref.width = std::max(pool.ref.width, spec.maxlocks);
  }
}

// --- questions ---

// Leases whose end has come go first: the question shall find them ended.
template <typename Question>
void MemcacheBackend::post(const Question& question, Time now) {
  expire(ends_.take_due(question.pool, now), now);
  MemcachePool& pool = pool_of(question.pool);
  pool.slots = question.slots;
  pool.ref.width = std::max(pool.ref.width, question.slots);
  ops_.emplace(question.op, &pool);
  overdue_.emplace_back(now + timeout_, question.op);
  server_of_pool(pool).worker().post({question, pool.ref, now + timeout_});
}

void MemcacheBackend::expire(std::vector<EndingLease> due, Time now) {
  for (EndingLease& ending : due) {
    MemcachePool& pool = pool_of(ending.pool);
    server_of_pool(pool).worker().post(
        {ExpireLease{std::move(ending.lease), ending.nonce}, pool.ref, now + timeout_});
  }
}

std::optional<Time> MemcacheBackend::deadline() const {
  Time first = Time::max();
  for (const auto& server : servers_) {
    first = std::min(first, server->silent_at());
  }
  if (!overdue_.empty()) {
    first = std::min(first, overdue_.front().first);
  }
  if (const auto end = ends_.first()) {
    first = std::min(first, *end);
  }
  if (survey_open_ != 0) {
    first = std::min(first, survey_ends_);
  }
  return first == Time::max() ? std::nullopt : std::optional{first};
}

void MemcacheBackend::tick(Time now) {
  collect_all();
  end_overdue(now);
  expire(ends_.take_due(now), now);
  for (const auto& server : servers_) {
    server->watch(now);
  }
  if (survey_open_ != 0 && now >= survey_ends_) {
    end_survey();
  }
}

void MemcacheBackend::end_overdue(Time now) {
  while (!overdue_.empty() && overdue_.front().first <= now) {
    const OpId op = overdue_.front().second;
    const auto it = ops_.find(op);
    if (it != ops_.end()) {
      MemcacheServer& server = server_of_pool(*it->second);
      if (!server.worker().abandon(op)) {
        collect(it->second->server);
        continue;
      }
      ops_.erase(it);
      overdue_.pop_front();
      Verdict verdict;
      verdict.reason = server.sentence("no answer in time");
      sink_.decided(op, verdict);
      continue;
    }
    overdue_.pop_front();
  }
}

// --- results ---

void MemcacheBackend::collect_all() {
  for (size_t i = 0; i < servers_.size(); i++) {
    collect(i);
  }
}

void MemcacheBackend::collect(size_t server) {
  std::vector<MemcacheResult> results = servers_[server]->worker().take();
  for (MemcacheResult& result : results) {
    std::visit([&](auto& each) { apply(server, each, steady_now()); }, result);
  }
}

void MemcacheBackend::apply(size_t server, OpDone& done, Time now) {
  const auto it = ops_.find(done.op);
  assert(it != ops_.end());
  MemcachePool& pool = *it->second;
  ops_.erase(it);
  while (!overdue_.empty() && !ops_.contains(overdue_.front().second)) {
    overdue_.pop_front();
  }
  if (done.answer.kind != Verdict::Kind::failed) {
    servers_[server]->note_alive(now);
  }
  Verdict verdict = verdict_of(pool, done.answer, now);
  if (verdict.kind == Verdict::Kind::failed) {
    verdict.reason = servers_[server]->sentence(done.reason);
  }
  sink_.decided(done.op, verdict);
}

Verdict MemcacheBackend::verdict_of(MemcachePool& pool, const SlotAnswer& answer, Time now) {
  Verdict verdict;
  verdict.kind = answer.kind;
  verdict.token = answer.lease.token;
  switch (answer.kind) {
    case Verdict::Kind::granted:
      pool.see(answer.seen);
      start_lease(pool, answer, verdict, now);
      pool.poll.reset();
      verdict.retry_at = answer.more_free ? now : retry_at(pool, now);
      break;
    case Verdict::Kind::held:
      pool.see(answer.seen);
      verdict.ends = lease_of(pool, answer.lease, now).ends;
      break;
    case Verdict::Kind::full:
      pool.see(answer.seen);
      pool.full = true;
      verdict.retry_at = retry_at(pool, now);
      break;
    case Verdict::Kind::renewed:
      ends_.drop(answer.nonce_before);
      pool.replace(answer.nonce_before, answer.lease);
      start_lease(pool, answer, verdict, now);
      break;
    case Verdict::Kind::released:
      verdict.since = lease_of(pool, answer.lease, now).since;
      ends_.drop(answer.lease.nonce);
      pool.drop(answer.lease.nonce);
      pool.poll.reset();
      break;
    case Verdict::Kind::not_held:
    case Verdict::Kind::lost:
    case Verdict::Kind::failed:
      break;
  }
  refuse_ended(verdict, now);
  return verdict;
}

// Where this process has stood still, a lease may have ended before its holder
// could hear of it, and be another's by now. What is left of it is removed as
// at any lease's end.
void MemcacheBackend::refuse_ended(Verdict& verdict, Time now) {
  if (!verdict.ends || *verdict.ends > now) {
    return;
  }
  if (verdict.kind == Verdict::Kind::renewed) {
    verdict.kind = Verdict::Kind::lost;
  }
  if (verdict.kind != Verdict::Kind::granted) {
    return;
  }
  verdict.kind = Verdict::Kind::full;
  verdict.retry_at = now;
}

// A lease's time starts when the answer is here, not when it was sent for; but
// memcached counts from somewhere between the two.
void MemcacheBackend::start_lease(MemcachePool& pool, const SlotAnswer& answer, Verdict& verdict,
                                  Time now) {
  if (answer.lease.length.count() == 0) {
    return;
  }
  verdict.ends = std::min(now, answer.started + late_answer) + answer.lease.length;
  Lease lease = lease_of(pool, answer.lease, now);
  lease.ends = verdict.ends;
  ends_.put({pool.ref.name, std::move(lease), answer.lease.nonce});
}

// The pool's next look: after the pause, or at the first end that is known.
Time MemcacheBackend::retry_at(MemcachePool& pool, Time now) {
  Time at = now + pool.poll.next(pool.seen());
  for (const SlotLease& slot : pool.seen()) {
    const auto ends = slot.is_claim() ? std::nullopt : lease_of(pool, slot, now).ends;
    if (ends && *ends > now) {
      at = std::min(at, *ends);
    }
  }
  return at;
}

// When a lease ends is known exactly where it was granted; elsewhere it is told
// by the clock of day.
Lease MemcacheBackend::lease_of(const MemcachePool& pool, const SlotLease& slot, Time now) const {
  const auto shared =
      static_cast<int64_t>(wall_us()) + servers_[pool.server]->clock_apart() * 1'000'000;
  const auto age_of = [&](uint64_t since) {
    return microseconds(std::max<int64_t>(0, shared - static_cast<int64_t>(since)));
  };
  Lease lease{
      .owner = slot.owner, .token = slot.token, .since = now - age_of(slot.granted_us), .ends = {}};
  if (const EndingLease* own = ends_.find(slot.nonce)) {
    lease.ends = own->lease.ends;
  } else if (slot.length.count() != 0) {
    lease.ends = now - age_of(slot.started_us) + slot.length;
  }
  return lease;
}

void MemcacheBackend::apply(size_t, LeaseEnded& ended, Time) {
  MemcachePool& pool = pool_of(ended.pool);
  pool.drop(ended.lease.token);
  pool.poll.reset();
  sink_.expired(ended.pool, ended.lease, 0);
  sink_.changed(ended.pool);
}

void MemcacheBackend::apply(size_t, PoolFreed& freed, Time) {
  pool_of(freed.pool).poll.reset();
  sink_.changed(freed.pool);
}

std::optional<std::string> MemcacheBackend::trouble() const {
  for (const auto& server : servers_) {
    if (!server->trouble()) {
      return std::nullopt;  // some locks can be granted
    }
  }
  return servers_.front()->trouble();
}

// --- the survey ---

void MemcacheBackend::survey(std::function<void()> ready, Time now) {
  if (surveyed_ && now - *surveyed_ < fresh_enough) {
    return ready();
  }
  waiting_.push_back(std::move(ready));
  if (survey_open_ != 0) {
    return;
  }
  std::vector<SurveyPools> parts(servers_.size());
  for (const auto& [name, pool] : pools_) {
    if (pool.configured) {
      parts[pool.server].pools.push_back(pool.ref);
    }
  }
  survey_++;
  survey_began_ = now;
  survey_ends_ = now + survey_limit;
  for (size_t i = 0; i < servers_.size(); i++) {
    if (parts[i].pools.empty()) {
      continue;
    }
    parts[i].survey = survey_;
    survey_open_++;
    servers_[i]->worker().post({std::move(parts[i]), {}, survey_ends_});
  }
  if (survey_open_ == 0) {
    end_survey();
  }
}

void MemcacheBackend::apply(size_t server, PoolsSeen& seen, Time now) {
  for (size_t i = 0; i < seen.seen.size(); i++) {
    MemcachePool& pool = pool_of(seen.pools[i].name);
    pool.see(std::move(seen.seen[i]));
    if (pool.full && pool.seen().size() < pool.slots) {
      pool.full = false;
      pool.poll.reset();
      sink_.changed(pool.ref.name);
    }
  }
  if (!seen.seen.empty()) {
    servers_[server]->note_alive(now);
  }
  if (!seen.last || seen.survey != survey_ || survey_open_ == 0) {
    return;
  }
  if (--survey_open_ == 0) {
    surveyed_ = survey_began_;
    end_survey();
  }
}

void MemcacheBackend::end_survey() {
  survey_open_ = 0;
  for (const auto& ready : std::exchange(waiting_, {})) {
    ready();
  }
}

std::vector<Lease> MemcacheBackend::leases(std::string_view name, size_t most) const {
  std::vector<Lease> all;
  const auto it = pools_.find(name);
  if (it == pools_.end()) {
    return all;
  }
  const MemcachePool& pool = it->second;
  const Time now = steady_now();
  for (size_t i = pool.claims(); i < pool.seen().size() && all.size() < most; i++) {
    all.push_back(lease_of(pool, pool.seen()[i], now));
  }
  return all;
}

size_t MemcacheBackend::held(std::string_view name) const {
  const auto it = pools_.find(name);
  return it == pools_.end() ? 0 : it->second.seen().size() - it->second.claims();
}

}  // namespace

std::unique_ptr<Backend> make_memcache_backend(const BackendSetup& setup) {
  return std::make_unique<MemcacheBackend>(setup, setup.config.read<MemcacheOptions>());
}

}  // namespace distributex
