// SPDX-License-Identifier: MIT
// The checks, each where its event comes. If clients of one name take and give back at the
// same time, they cannot trust their answers: the witness counts these, but does not believe
// them.
#include "support/witness.h"

#include <algorithm>

namespace distributex::test {

namespace {

// A pool that was reconfigured may give a renewal less than it asks for.
constexpr auto shortest_lease = std::chrono::seconds{1};

bool for_slot(Verb verb) { return verb == Verb::get || verb == Verb::wait; }

std::string name(Ticket ticket) { return "ticket " + std::to_string(ticket) + ": "; }
std::string name(Token token, const char* what) {
  return "token " + std::to_string(token) + ": " + what;
}

bool lives(const std::optional<Time>& ends, Time now) { return !ends || *ends > now; }

}  // namespace

void Witness::submits(Ticket ticket, const Command& request, Time now) {
  Open open{.ticket = ticket, .turn = ticket, .request = request, .gives_up = {}};
  if (request.verb == Verb::wait && request.timeout) {
    open.gives_up = now + *request.timeout;
  }
  if (request.verb == Verb::get) {
    open.gives_up = now;
  }
  const Who who{request.pool, request.owner};
  if (request.verb == Verb::wait && request.timeout != Duration::zero()) {
    if (const auto place = places_.extract(who); place && place.mapped().until > now) {
      open.place = place.mapped();
      open.turn = open.place->turn;
    }
  }
  if (for_slot(request.verb)) {
    if (unsettled_.contains(who)) {
      doubtful_.insert(ticket);
    }
  } else {
    doubts(who, request, now);
  }
  submitting_ = &open_.emplace_back(std::move(open));
}

// The holder gives up its lease, or may shorten it, from now on.
void Witness::doubts(const Who& who, const Command& request, Time now) {
  for (const Open& open : open_) {
    if (Who{open.request.pool, open.request.owner} == who) {
      doubtful_.insert(open.ticket);
    }
  }
  for (const Grant& grant : on_their_way_) {
    if (Who{grant.pool, grant.owner} == who) {
      doubtful_.insert(grant.ticket);
    }
  }
  if (request.verb == Verb::release) {
    believed_.remove_if([&](const Grant& g) { return Who{g.pool, g.owner} == who; });
  }
  for (Grant& grant : believed_) {
    if (Who{grant.pool, grant.owner} == who && request.expire) {
      grant.ends = std::min(grant.ends.value_or(Time::max()), now + shortest_lease);
    }
  }
}

// It may come back to its place within ten seconds; the engine may have forgotten.
void Witness::remembers(const Open& left, Time now) {
  if (left.request.verb != Verb::wait || left.request.timeout == Duration::zero()) {
    return;
  }
  Place place{left.turn, now + std::chrono::seconds{10}};
  const Who who{left.request.pool, left.request.owner};
  if (const auto it = places_.find(who); it != places_.end() && it->second.until > now) {
    place.turn = std::min(place.turn, it->second.turn);
  }
  places_[who] = place;
}

void Witness::goes(Ticket ticket, Time now) {
  for (const Open& open : open_) {
    if (open.ticket == ticket) {
      remembers(open, now);
    }
  }
  open_.remove_if([=](const Open& open) { return open.ticket == ticket; });
  for (const Grant& grant : on_their_way_) {
    if (grant.ticket != ticket) {
      continue;
    }
    Heard& heard = heard_[grant.token];
    if (--heard.open == 0 && heard.got == 0) {
      unheard_.emplace(grant.token, Who{grant.pool, grant.owner});
    }
  }
  on_their_way_.remove_if([=](const Grant& grant) { return grant.ticket == ticket; });
}

void Witness::gets(Ticket ticket, Time now) {
  const auto it = std::find_if(on_their_way_.begin(), on_their_way_.end(),
                               [=](const Grant& grant) { return grant.ticket == ticket; });
  --heard_[it->token].open;
  ++heard_[it->token].got;
  if (!doubtful_.contains(ticket) && lives(it->ends, now)) {
    believed_.push_back(*it);
  }
  on_their_way_.erase(it);
}

void Witness::told(const Answered& answered, Time now) {
  const auto it = std::find_if(open_.begin(), open_.end(),
                               [&](const Open& open) { return open.ticket == answered.ticket; });
  const std::string ticket = name(answered.ticket);
  if (it == open_.end()) {
    return wrong(ticket + "answered though nobody waits");
  }
  const Open asked = *it;
  open_.erase(it);
  submitting_ = nullptr;
  const Answer& answer = answered.answer;
  if (answer.pool != asked.request.pool || answer.owner != asked.request.owner ||
      answered.verb != asked.request.verb) {
    wrong(ticket + "the answer of another");
  }
  const bool slot = for_slot(asked.request.verb);
  switch (answer.result) {
    case Result::granted:
      granted(asked, answer.token, now);
      [[fallthrough]];
    case Result::held:
      if (!slot) {
        wrong(ticket + "a lease for a release or renewal");
      }
      return told_of_lease(asked, answer, now);
    case Result::busy:
      if (asked.request.verb != Verb::get) {
        wrong(ticket + "busy, but no get");
      }
      return;
    case Result::timeout:
      if (asked.request.verb != Verb::wait || !asked.gives_up || *asked.gives_up > now) {
        wrong(ticket + "timed out too early");
      }
      return remembers(asked, now);
    case Result::renewed:
      return renewed({asked.request.pool, asked.request.owner}, answer, now);
    case Result::released:
    case Result::not_held:
    case Result::lost:
      if (slot) {
        wrong(ticket + "the answer of another verb");
      }
      return;
    case Result::frozen:
    case Result::thawed:
    case Result::not_frozen:
    case Result::evicted:
    case Result::no_lease:
      return wrong(ticket + "the answer to an order");
    case Result::invalid:
    case Result::unavailable:  // at the door, perhaps, where no place is used up
      if (asked.place) {
        places_.emplace(Who{asked.request.pool, asked.request.owner}, *asked.place);
      }
      return;
  }
}

void Witness::granted(const Open& asked, Token token, Time now) {
  const Who who{asked.request.pool, asked.request.owner};
  if (!granted_.insert(token).second) {
    wrong(name(token, "granted twice"));
  }
  for (const Open& open : open_) {
    if (for_slot(open.request.verb) && open.request.pool == who.first &&
        open.request.owner != who.second && open.ticket < asked.turn) {
      wrong(name(asked.ticket) + "overtakes " + std::to_string(open.ticket));
    }
  }
  if (other_holders(who, now) >= slots_[token]) {
    wrong(name(token, "a holder too many"));
  }
}

void Witness::told_of_lease(const Open& asked, const Answer& answer, Time now) {
  if (given_back_.contains(answer.token)) {
    wrong(name(answer.token, "told, but given back"));
  }
  ++heard_[answer.token].open;
  just_told_.insert({answer.pool, answer.owner});
  places_.erase({answer.pool, answer.owner});
  unheard_.erase(answer.token);
  Grant grant{asked.ticket, answer.pool, answer.owner, answer.token, {}};
  if (answer.expires_in) {
    grant.ends = now + *answer.expires_in;
  }
  on_their_way_.push_back(grant);
}

void Witness::renewed(const Who& who, const Answer& answer, Time now) {
  if (unsettled_.contains(who)) {
    return;
  }
  for (Grant& grant : believed_) {
    if (Who{grant.pool, grant.owner} == who && grant.token == answer.token) {
      grant.ends = answer.expires_in ? std::optional{now + *answer.expires_in} : std::nullopt;
    }
  }
}

// Owners who believe to hold now, or soon will.
size_t Witness::other_holders(const Who& who, Time now) const {
  std::set<Owner> owners;
  for (const std::list<Grant>* list : {&believed_, &on_their_way_}) {
    for (const Grant& grant : *list) {
      if (grant.pool == who.first && grant.owner != who.second && lives(grant.ends, now) &&
          !doubtful_.contains(grant.ticket)) {
        owners.insert(grant.owner);
      }
    }
  }
  return owners.size();
}

void Witness::asks(const Acquire& question) {
  if (!acquires_.emplace(question.pool, std::pair{question.op, question}).second) {
    wrong(question.pool + ": two acquires in flight");
  }
}

// The first release while one is submitted is the client's own.
void Witness::asks(const Release& question) {
  if (submitting_ && submitting_->request.verb == Verb::release) {
    const Who who{question.pool, question.owner};
    if (submitting_->request.token != question.token) {
      wrong("released by another token");
    }
    unsettled_.insert(who);
    settles_.emplace(question.op, who);
    submitting_ = nullptr;
    return;
  }
  if (!question.token) {
    return wrong("the engine gives back without a token");
  }
  const Token token = *question.token;
  const Heard& heard = heard_[token];
  if (!given_back_.insert(token).second) {
    wrong(name(token, "given back twice"));
  }
  if (heard.open + heard.got != 0) {
    wrong(name(token, "taken from who was told of it"));
  }
  unheard_.erase(token);
  returning_.emplace(question.op, token);
}

void Witness::asks(const Renew& question) {
  const Who who{question.pool, question.owner};
  unsettled_.insert(who);
  settles_.emplace(question.op, who);
}

void Witness::hears(OpId op, const Verdict& verdict) {
  for (const auto& [pool, acquire] : acquires_) {
    if (acquire.first != op) {
      continue;
    }
    if (verdict.kind == Verdict::Kind::granted) {
      slots_[verdict.token] = acquire.second.slots;
    }
    acquires_.erase(pool);
    return;
  }
  if (const auto it = settles_.find(op); it != settles_.end()) {
    unsettled_.erase(unsettled_.find(it->second));
    settles_.erase(it);
  }
  // A lease that could not be given back is its holder's until it ends.
  if (const auto it = returning_.find(op); it != returning_.end()) {
    if (verdict.kind == Verdict::Kind::failed) {
      given_back_.erase(it->second);
      ++heard_[it->second].got;
    }
    returning_.erase(it);
  }
}

void Witness::configured(const std::vector<PoolSpec>& pools) {
  for (const Open& open : open_) {
    const auto has_name = [&](const PoolSpec& p) { return p.name == open.request.pool; };
    if (for_slot(open.request.verb) && std::none_of(pools.begin(), pools.end(), has_name)) {
      wrong(name(open.ticket) + "waits for a pool that is gone");
    }
  }
}

void Witness::look_at(const Engine& engine, Time now) {
  submitting_ = nullptr;
  believed_.remove_if([now](const Grant& grant) { return !lives(grant.ends, now); });
  for (const Open& open : open_) {
    if (for_slot(open.request.verb) &&
        just_told_.contains({open.request.pool, open.request.owner})) {
      wrong(name(open.ticket) + "waits though its holder was told");
    }
  }
  just_told_.clear();
  for (const auto& [token, who] : unheard_) {
    const auto asked = acquires_.find(who.first);
    if (asked == acquires_.end() || asked->second.second.owner != who.second) {
      wrong(name(token, "nobody got it, and it is not given back"));
    }
  }
  std::map<std::string, size_t> waiting;
  for (const Open& open : open_) {
    if (for_slot(open.request.verb)) {
      ++waiting[open.request.pool];
    }
  }
  engine.each_pool([&](const PoolSpec& pool, size_t count) {
    if (waiting[pool.name] != count) {
      wrong(pool.name + ": another number of waiters");
    }
  });
}

void Witness::look_after_tick(Time now) {
  std::set<std::string> late;
  for (const Open& open : open_) {
    if (open.gives_up && *open.gives_up <= now && open.request.verb == Verb::wait &&
        open.request.timeout != Duration::zero()) {
      if (!acquires_.contains(open.request.pool) || !late.insert(open.request.pool).second) {
        wrong(name(open.ticket) + "waits too long");
      }
    }
  }
}

bool Witness::was_heard_of(Token token) const {
  const auto it = heard_.find(token);
  return it != heard_.end() && it->second.got != 0;
}

}  // namespace distributex::test
