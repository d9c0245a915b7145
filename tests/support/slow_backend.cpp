// SPDX-License-Identifier: MIT
// One pool: a list of questions, a list of verdicts, a list of leases.
#include "support/slow_backend.h"

#include <algorithm>

namespace distributex::test {

namespace {

constexpr const char* stranger = "stranger";

SlowBackend::Known* find(std::vector<SlowBackend::Known>& leases, const Owner& owner,
                         std::optional<Token> token) {
  for (SlowBackend::Known& known : leases) {
    if (known.lease.owner == owner && (!token || *token == known.lease.token)) {
      return &known;
    }
  }
  return nullptr;
}

}  // namespace

void SlowBackend::put(const Question& question) {
  std::visit([&](const auto& q) { pools_.at(q.pool).questions.push_back(question); }, question);
}

void SlowBackend::look(const std::string& name, bool fails, Time now) {
  Pool& pool = pools_.at(name);
  if (pool.questions.empty()) {
    return;
  }
  const Question question = pool.questions.front();
  pool.questions.pop_front();
  if (pool.style == Style::ends) {
    end_due(pool, now);
  }
  std::visit(
      [&](const auto& q) {
        Verdict verdict;
        verdict.reason = "out of reach";
        if (!fails) {
          verdict = decide(pool, q, now);
        }
        pool.verdicts.emplace_back(q.op, verdict);
      },
      question);
}

Verdict SlowBackend::decide(Pool& pool, const Acquire& question, Time now) {
  Verdict verdict;
  if (const Known* known = find(pool.leases, question.owner, {})) {
    verdict.kind = Verdict::Kind::held;
    verdict.token = known->lease.token;
    verdict.ends = known->lease.ends;
    return verdict;
  }
  verdict.kind = Verdict::Kind::full;
  if (!question.find_only && pool.leases.size() < question.slots) {
    Known known{
        .lease = {.owner = question.owner, .token = ++last_token_, .since = now, .ends = {}},
        .length = question.length};
    if (known.length) {
      known.lease.ends = now + *known.length;
    }
    verdict.kind = Verdict::Kind::granted;
    verdict.token = known.lease.token;
    verdict.ends = known.lease.ends;
    pool.leases.push_back(known);
  }
  verdict.retry_at = ask_again_at(pool, now);
  if (verdict.kind == Verdict::Kind::granted && pool.leases.size() < question.slots) {
    verdict.retry_at = now;
  }
  return verdict;
}

std::optional<Time> SlowBackend::ask_again_at(const Pool& pool, Time now) {
  std::optional<Time> first;
  if (pool.style == Style::polls) {
    first = now + poll_interval;
  }
  if (pool.style == Style::ends) {
    for (const Known& known : pool.leases) {
      if (known.lease.ends && (!first || *known.lease.ends < *first)) {
        first = known.lease.ends;
      }
    }
  }
  return first;
}

Verdict SlowBackend::decide(Pool& pool, const Release& question, Time) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::not_held;
  if (const Known* known = find(pool.leases, question.owner, question.token)) {
    verdict.kind = Verdict::Kind::released;
    std::erase_if(pool.leases, [known](const Known& k) { return &k == known; });
  }
  return verdict;
}

Verdict SlowBackend::decide(Pool& pool, const Renew& question, Time now) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::lost;
  if (Known* known = find(pool.leases, question.owner, question.token)) {
    if (question.length && known->length) {
      known->length = question.length;
    }
    if (known->length) {
      known->lease.ends = now + *known->length;
    }
    verdict.kind = Verdict::Kind::renewed;
    verdict.token = known->lease.token;
    verdict.ends = known->lease.ends;
  }
  return verdict;
}

std::optional<std::pair<OpId, Verdict>> SlowBackend::take_verdict(const std::string& name) {
  Pool& pool = pools_.at(name);
  if (pool.verdicts.empty()) {
    return std::nullopt;
  }
  const auto verdict = pool.verdicts.front();
  pool.verdicts.pop_front();
  return verdict;
}

bool SlowBackend::is_busy(const std::string& name) const {
  const Pool& pool = pools_.at(name);
  return !pool.questions.empty() || !pool.verdicts.empty();
}

void SlowBackend::end_due(Pool& pool, Time now) {
  std::erase_if(pool.leases,
                [now](const Known& k) { return k.lease.ends && *k.lease.ends <= now; });
}

std::vector<std::string> SlowBackend::tick(Time now) {
  std::vector<std::string> changed;
  for (auto& [name, pool] : pools_) {
    const size_t before = pool.leases.size();
    end_due(pool, now);
    if (pool.leases.size() < before && pool.style == Style::watches) {
      changed.push_back(name);
    }
  }
  return changed;
}

void SlowBackend::stranger_comes(const std::string& name, uint32_t slots, Time now) {
  Pool& pool = pools_.at(name);
  const Owner owner{stranger, {}};
  if (pool.style == Style::ends || pool.leases.size() >= slots || find(pool.leases, owner, {})) {
    return;
  }
  pool.leases.push_back(Known{
      .lease = {.owner = owner, .token = ++last_token_, .since = now, .ends = {}}, .length = {}});
}

bool SlowBackend::stranger_leaves(const std::string& name) {
  Pool& pool = pools_.at(name);
  const size_t left =
      std::erase_if(pool.leases, [](const Known& k) { return k.lease.owner.host == stranger; });
  return left != 0 && pool.style == Style::watches;
}

const std::vector<SlowBackend::Known>& SlowBackend::leases(const std::string& pool) const {
  return pools_.at(pool).leases;
}

}  // namespace distributex::test
