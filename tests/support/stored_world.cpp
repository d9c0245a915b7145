// SPDX-License-Identifier: MIT
// A backend of maps and numbers. Each change carries the number of the batch
// that gathers; the disk stores all of it, or refuses.
#include "support/stored_world.h"

#include <iterator>

#include "lock/names.h"
#include "support/effects.h"
#include "watch/events.h"

namespace distributex::test {

namespace {

constexpr const char* config_text =
    "audit: off\npools: [{name: p, expire: 100}, {name: s, expire: 100, maxlocks: 2}]\n";
constexpr const char* pools[] = {"p", "s"};
constexpr const char* hosts[] = {"a", "b", "c", "d"};
constexpr Verb verbs[] = {Verb::get, Verb::wait, Verb::release, Verb::renew};

Verdict lease(Verdict::Kind kind, Token token, Time ends, uint64_t number) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.token = token;
  verdict.ends = ends;
  verdict.stored = number;
  return verdict;
}

Verdict plain(Verdict::Kind kind, uint64_t number) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.stored = number;
  if (kind == Verdict::Kind::failed) {
    verdict.reason = "the disk is full";
  }
  return verdict;
}

}  // namespace

StoredWorld::StoredWorld(const Choices& choices)
    : settings(std::get<Settings>(parse_settings(config_text, "test"))),
      record(settings.record, 1),
      telling(engine, record,
              {.answer = [this](Ticket ticket, const Answer& answer) { hear(ticket, answer); },
               .origin = [](Ticket) { return Origin{"peer"}; }}),
      choices_(choices) {
  engine.configure(settings.service.pools, 1000, now);
}

void StoredWorld::hear(Ticket ticket, const Answer& answer) {
  if (!answered_.insert(ticket).second) {
    wrong_ = "a second answer";
  }
  if (left_.contains(ticket)) {
    wrong_ = "an answer to nobody";
  }
  if (answer.stored > stored_) {
    wrong_ = "told before it is stored";
  }
  if (answer.token && granted_with_.at(answer.token) > stored_) {
    wrong_ = "a lease is not stored";
  }
  if (answer.ended && ended_with_.at(answer.ended) > stored_) {
    wrong_ = "an end is not stored";
  }
  told_ += std::to_string(ticket) + " " + std::string(result_name(answer.result)) +
           (answer.token ? " " + std::to_string(answer.token) : "") + "; ";
  if (answer.result == Result::granted || answer.result == Result::held) {
    engine.delivered(ticket, now);
  }
}

Verdict StoredWorld::decide(const Acquire& question) {
  auto& pool = held_[question.pool];
  const auto it = pool.find(question.owner);
  if (it != pool.end() && (!in_trouble_ || it->second.stored <= stored_)) {
    return lease(Verdict::Kind::held, it->second.token, it->second.ends, it->second.stored);
  }
  if (in_trouble_) {
    return plain(Verdict::Kind::failed, 0);
  }
  if (question.find_only || pool.size() >= question.slots) {
    return plain(Verdict::Kind::full, 0);
  }
  changed_[question.pool] = gathering_;
  granted_with_[++last_token_] = gathering_;
  const Held& one = pool[question.owner] = {last_token_, now + *question.length, gathering_};
  return lease(Verdict::Kind::granted, one.token, one.ends, gathering_);
}

Verdict StoredWorld::decide(const Release& question) {
  auto& pool = held_[question.pool];
  const auto it = pool.find(question.owner);
  if (in_trouble_ && !question.undelivered) {
    return plain(Verdict::Kind::failed, 0);
  }
  if (it == pool.end() || (question.token && *question.token != it->second.token)) {
    return plain(Verdict::Kind::not_held, changed_[question.pool]);
  }
  Verdict verdict = plain(Verdict::Kind::released, gathering_);
  verdict.token = it->second.token;
  ended_with_[verdict.token] = changed_[question.pool] = gathering_;
  pool.erase(it);
  return verdict;
}

Verdict StoredWorld::decide(const Renew& question) {
  auto& pool = held_[question.pool];
  const auto it = pool.find(question.owner);
  if (in_trouble_) {
    return plain(Verdict::Kind::failed, 0);
  }
  if (it == pool.end()) {
    return plain(Verdict::Kind::lost, changed_[question.pool]);
  }
  it->second.stored = changed_[question.pool] = gathering_;
  return lease(Verdict::Kind::renewed, it->second.token, it->second.ends, gathering_);
}

template <typename Question>
void StoredWorld::ask(const Question& question) {
  const Verdict verdict = decide(question);
  telling.decided(question.op, verdict, now);
  engine.decided(question.op, verdict, now);
}

void StoredWorld::pump() {
  do {
    while (auto effect = take_effect(engine)) {
      if (auto* answered = std::get_if<Answered>(&*effect)) {
        telling.answered(std::move(*answered), now);
      } else if (auto* release = std::get_if<Release>(&*effect)) {
        if (release->undelivered) {
          telling.gives_back(*release);
        }
        ask(*release);
      } else if (auto* acquire = std::get_if<Acquire>(&*effect)) {
        ask(*acquire);
      } else {
        ask(std::get<Renew>(*effect));
      }
    }
  } while (telling.send_thanks());
}

void StoredWorld::submit(Ticket ticket, Verb verb, const char* pool, const char* host,
                         std::optional<std::chrono::seconds> expire) {
  Command command;
  command.verb = verb;
  command.pool = pool;
  command.owner = {host, ""};
  command.expire = expire;
  last_ticket_ = ticket;
  engine.submit(ticket, std::move(command), now);
  pump();
}

void StoredWorld::leave(Ticket ticket) {
  left_.insert(ticket);
  if (const auto left = engine.cancel(ticket, now)) {
    record.left(*left, {"peer"}, now);
  }
  telling.gone(ticket);
  pump();
}

void StoredWorld::store() {
  stored_ = gathering_++;
  in_trouble_ = false;
  telling.stored(stored_, now);
  for (const char* pool : pools) {
    engine.changed(pool, now);
  }
  pump();
}

void StoredWorld::refuse() {
  in_trouble_ = true;
  telling.unstored("the disk is full", now);
  pump();
}

void StoredWorld::expire(const char* pool, const char* host) {
  const auto node = held_[pool].extract(Owner{host, ""});
  if (node.empty()) {
    return;
  }
  ended_with_[node.mapped().token] = changed_[pool] = gathering_;
  telling.expired(pool,
                  {.owner = node.key(), .token = node.mapped().token, .since = {}, .ends = now},
                  gathering_, now);
  engine.changed(pool, now);
  pump();
}

std::string StoredWorld::heard() {
  std::string taken = std::exchange(told_, {});
  if (!taken.empty()) {
    taken.resize(taken.size() - 2);
  }
  return taken;
}

std::string StoredWorld::events() const {
  std::string text;
  record.events().each_after(0, [&](const LockEvent& event) {
    text += (text.empty() ? "" : " ") + std::string(what_name(event.what));
  });
  return text;
}

bool StoredWorld::is_held(const std::string& pool) const {
  const auto it = held_.find(pool);
  return it != held_.end() && !it->second.empty();
}

void StoredWorld::step() {
  const char* pool = pools[choices_.below(std::size(pools))];
  const char* host = hosts[choices_.below(std::size(hosts))];
  const uint64_t what = choices_.below(20);
  if (what < 12) {
    return submit(last_ticket_ + 1, verbs[choices_.below(std::size(verbs))], pool, host);
  }
  if (what < 14) {
    return store();
  }
  if (what == 14 && choices_.once_in(4)) {
    return refuse();
  }
  if (what == 15) {
    return expire(pool, host);
  }
  if (last_ticket_ == 0) {
    return;
  }
  const Ticket ticket = 1 + choices_.below(last_ticket_);
  if (!answered_.contains(ticket) && !left_.contains(ticket)) {
    leave(ticket);
  }
}

// Everybody is answered who has not left, and nothing is kept.
void StoredWorld::end() {
  store();
  engine.drain(now);
  pump();
  store();
  if (!telling.is_idle() || !engine.idle()) {
    wrong_ = "something is kept";
  }
  for (Ticket ticket = 1; ticket <= last_ticket_; ticket++) {
    if (answered_.contains(ticket) == left_.contains(ticket)) {
      wrong_ = "somebody was forgotten";
    }
  }
}

std::optional<std::string> StoredWorld::run(int steps) {
  for (int i = 0; i < steps && wrong_.empty() && choices_.any(); i++) {
    step();
  }
  if (wrong_.empty()) {
    end();
  }
  return wrong_.empty() ? std::nullopt : std::optional{wrong_};
}

}  // namespace distributex::test
