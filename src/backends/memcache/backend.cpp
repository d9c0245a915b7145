// SPDX-License-Identifier: MIT
// Questions on their way to the workers, and their results on the way back.
#include "backends/memcache/backend.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/clock.h"
#include "config/config.h"

namespace distributex {

using std::chrono::milliseconds;

MemcacheBackend::MemcacheBackend(const BackendSetup& setup, const MemcacheOptions& options)
    : sink_(setup.sink), timeout_(options.timeout), poll_(options.poll) {
  const auto hosts = parse_memcache_hosts(options.hosts, options.port);
  assert(std::holds_alternative<std::vector<MemcacheAddress>>(hosts));  // check_hosts() said so
  const MemcacheSettings settings{options.prefix, make_nonce().substr(0, 12),
                                  std::clamp(timeout_ / 4, milliseconds(50), milliseconds(500))};
  for (const MemcacheAddress& address : std::get<std::vector<MemcacheAddress>>(hosts)) {
    const size_t i = servers_.size();
    servers_.push_back(std::make_unique<MemcacheServer>(
        setup.base, address, settings, [this, i] { collect(i); }, steady_now()));
  }
  freezes_.emplace(servers_.size());
}

MemcachePool& MemcacheBackend::pool_of(const std::string& name) {
  const auto [it, is_new] = pools_.try_emplace(name);
  MemcachePool& pool = it->second;
  if (is_new) {
    pool.server = server_of(name, servers_.size());
    pool.ref.name = name;
    pool.poll = MemcachePoll(poll_, wall_us() ^ std::hash<std::string>{}(name));
    set_delays(pool);
  }
  return pool;
}

void MemcacheBackend::configure(const std::vector<PoolSpec>& pools) {
  specs_.configure(pools);
  for (auto& [name, pool] : pools_) {
    pool.configured = false;
    set_delays(pool);
  }
  for (const PoolSpec& spec : pools) {
    MemcachePool& pool = pool_of(spec.name);
    pool.configured = true;
    pool.slots = spec.maxlocks;
    pool.ref.width = std::max(pool.ref.width, spec.maxlocks);
  }
}

// --- questions ---

// Posts the expiry of the pool's due leases first, so that the question finds them ended.
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
        {ExpireLease{std::move(ending.lease), ending.nonce, ending.is_rest}, pool.ref,
         now + timeout_});
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
  if (const auto end = freezes_->first_end()) {
    first = std::min(first, *end);
  }
  return first == Time::max() ? std::nullopt : std::optional{first};
}

void MemcacheBackend::tick(Time now) {
  collect_all();
  end_overdue(now);
  expire(ends_.take_due(now), now);
  end_freezes(now);
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
    if (orders_.contains(op)) {
      abandon_order(op);
    }
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
  if (const auto open = orders_.find(done.op); open != orders_.end()) {
    return order_done(server, open->second, done, now);
  }
  const auto it = ops_.find(done.op);
  assert(it != ops_.end());
  MemcachePool& pool = *it->second;
  ops_.erase(it);
  while (!overdue_.empty() && !ops_.contains(overdue_.front().second) &&
         !orders_.contains(overdue_.front().second)) {
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

void MemcacheBackend::apply(size_t, LeaseEnded& ended, Time) {
  MemcachePool& pool = pool_of(ended.pool);
  pool.drop(ended.lease.token);
  pool.poll.reset();
  if (!ended.is_rest) {
    sink_.expired(ended.pool, ended.lease, 0);
    begin_rest(pool, ended.rest, steady_now());
  }
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

std::unique_ptr<Backend> make_memcache_backend(const BackendSetup& setup) {
  return std::make_unique<MemcacheBackend>(setup, setup.config.read<MemcacheOptions>());
}

}  // namespace distributex
