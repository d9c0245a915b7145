// SPDX-License-Identifier: MIT
// News that wait are kept by the number that must be stored first, and within one number in
// the order in which they happened: a grant is recorded before its end.
#include "daemon/telling.h"

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

constexpr const char* too_late = "the lease ended before it was stored";

// The answer that a client gets instead.
Answer refusal_of(const Answer& answer, const std::string& why) {
  Answer refusal;
  refusal.result = Result::unavailable;
  refusal.pool = answer.pool;
  refusal.owner = answer.owner;
  refusal.error = why;
  return refusal;
}

}  // namespace

void Telling::answered(Answered&& answered, Time now) {
  if (answered.answer.stored <= stored_) {
    return send(std::move(answered), now);
  }
  const uint64_t stored = answered.answer.stored;
  keep(stored, std::move(answered), now);
}

void Telling::expired(const std::string& pool, const Lease& lease, uint64_t stored, Time now) {
  if (stored > stored_) {
    return keep(stored, Expired{pool, lease}, now);
  }
  record_.expired(pool, lease);
}

void Telling::happened(const Happening& happening, uint64_t stored, Time now) {
  if (stored > stored_) {
    return keep(stored, happening, now);
  }
  record_.happened(happening);
}

// Records that an untold grant was given back. If the verdict is not_held, the lease had
// ended by time, which was recorded then.
void Telling::decided(OpId op, const Verdict& verdict, Time now) {
  if (returns_.empty()) {
    return;
  }
  const auto node = returns_.extract(op);
  if (node.empty()) {
    return;
  }
  const Release& release = node.mapped();
  if (verdict.kind == Verdict::Kind::not_held) {
    secrets_.erase(release.token.value_or(0));
  } else if (verdict.stored > stored_) {
    keep(verdict.stored, release, now);
  } else if (!is_secret(release)) {
    record_.undelivered(release);
  }
}

void Telling::keep(uint64_t stored, News news, Time now) {
  std::deque<Kept>& waiting = kept_[stored];
  waiting.push_back(
      {.news = std::move(news), .since = now, .is_gone = false, .peer = {}, .by = {}});
  if (const auto* answered = std::get_if<Answered>(&waiting.back().news)) {
    tickets_.emplace(answered->ticket, &waiting.back());
  }
}

void Telling::send(Answered&& answered, Time now) {
  record_.answered(answered, door_.origin(answered.ticket), now);
  if (answered.answer.result == Result::released) {
    thanks_.push_back(std::move(answered));
  } else {
    door_.answer(answered.ticket, answered.answer);
  }
}

void Telling::gone(Ticket ticket) {
  const auto kept = tickets_.find(ticket);
  if (kept == tickets_.end()) {
    return;
  }
  kept->second->is_gone = true;
  const Origin origin = door_.origin(ticket);
  kept->second->peer = origin.peer;
  kept->second->by = origin.by;
  tickets_.erase(kept);
}

void Telling::stored(uint64_t stored, Time now) {
  stored_ = std::max(stored_, stored);
  while (!kept_.empty() && kept_.begin()->first <= stored_) {
    auto ready = kept_.extract(kept_.begin());
    for (Kept& kept : ready.mapped()) {
      tell(kept, now);
    }
  }
}

void Telling::tell(Kept& kept, Time now) {
  if (is_secret(kept.news)) {
    return;
  }
  std::visit([&](auto& news) { tell_now(kept, news, now); }, kept.news);
}

void Telling::tell_now(Kept& kept, Answered& answered, Time now) {
  Answer& answer = answered.answer;
  if (answer.expires_in) {
    *answer.expires_in -= now - kept.since;
    if (*answer.expires_in <= Duration::zero()) {
      return refuse(kept, answered, too_late, now);
    }
  }
  if (kept.is_gone) {
    return record_.answered(answered, Origin{kept.peer, kept.by}, now);
  }
  tickets_.erase(answered.ticket);
  send(std::move(answered), now);
}

void Telling::tell_now(Kept&, Release& release, Time) { record_.undelivered(release); }

void Telling::tell_now(Kept&, Expired& expired, Time) {
  record_.expired(expired.pool, expired.lease);
}

void Telling::tell_now(Kept&, Happening& happening, Time) { record_.happened(happening); }

// Whether this is the end of a grant that no client was told of. Forgets the grant if so.
bool Telling::is_secret(const News& news) {
  if (secrets_.empty()) {
    return false;
  }
  if (const auto* release = std::get_if<Release>(&news)) {
    return release->token && secrets_.erase(*release->token) != 0;
  }
  if (const auto* expired = std::get_if<Expired>(&news)) {
    return secrets_.erase(expired->lease.token) != 0;
  }
  return false;
}

// cancel() makes the engine give the lease back, unless another request was told of it.
void Telling::refuse(Kept& kept, Answered& answered, const std::string& why, Time now) {
  tickets_.erase(answered.ticket);
  if (answered.answer.result == Result::granted) {
    secrets_.insert(answered.answer.token);
  }
  if (kept.is_gone) {
    return;
  }
  engine_.cancel(answered.ticket, now);
  answered.answer = refusal_of(answered.answer, why);
  record_.answered(answered, door_.origin(answered.ticket), now);
  door_.answer(answered.ticket, answered.answer);
}

void Telling::unstored(const std::string& why, Time now) {
  for (auto& [stored, waiting] : std::exchange(kept_, {})) {
    for (Kept& kept : waiting) {
      if (auto* answered = std::get_if<Answered>(&kept.news)) {
        refuse(kept, *answered, why, now);
      } else if (!is_secret(kept.news)) {
        kept_[stored].push_back(std::move(kept));
      }
    }
  }
}

bool Telling::send_thanks() {
  if (thanks_.empty()) {
    return false;
  }
  thanks_.swap(thanked_);
  for (const Answered& thanked : thanked_) {
    door_.answer(thanked.ticket, thanked.answer);
  }
  thanked_.clear();
  return true;
}

}  // namespace distributex
