// SPDX-License-Identifier: MIT
// Reads the events of a trace, plays them and renders the effects; trace.h describes the
// language. A line that it does not understand is rendered differently, so that holds() is
// false.
#include "support/trace.h"

#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "support/access_model.h"
#include "support/effects.h"
#include "support/trace_words.h"

namespace distributex::test {

namespace {

using std::chrono::seconds;

constexpr const char* verbs[] = {"get", "wait", "release", "renew", "freeze", "thaw", "evict"};
constexpr const char* verdicts[] = {"granted", "held", "full",   "released", "not_held",
                                    "renewed", "lost", "failed", "done"};
constexpr const char* results[] = {"granted",  "held",    "busy",       "timeout", "released",
                                   "not_held", "renewed", "lost",       "invalid", "unavailable",
                                   "frozen",   "thawed",  "not_frozen", "evicted", "no_lease"};
constexpr const char* faults[] = {"",           "bad_request",  "host_not_listed",
                                  "not_found",  "no_such_path", "bad_method",
                                  "not_proven", "not_allowed"};

// The enumerator of this name in a table of all of them.
template <typename Enum, size_t n>
std::optional<Enum> named(const char* const (&names)[n], const std::string& name) {
  const auto* const at = std::find(std::begin(names), std::end(names), name);
  if (at == std::end(names)) {
    return std::nullopt;
  }
  return static_cast<Enum>(at - std::begin(names));
}

class Stage {
 public:
  void play_line(const std::string& line);
  [[nodiscard]] std::string take_text() { return std::move(text_); }

 private:
  bool play_event(Words words, const std::string& line);
  bool play_ticket(Ticket ticket, const Words& words);
  bool play_verdict(OpId op, const Words& words, const std::string& line);
  bool play_view(const Words& words);
  void configure(const Words& words);
  void set_access(const Words& words);
  static ModelClient client_of(const std::string& by);
  [[nodiscard]] Time at(const std::string& text) const { return start_ + length(text); }
  void show(const Answered& told);
  void show(const Acquire& q);
  void show(const Release& q);
  void show(const Renew& q);
  void show(const Order& q);
  void put(const std::string& text) { text_ += "  " + text + "\n"; }

  const Time start_{std::chrono::hours{1000}};
  Time now_ = start_;
  Engine engine_;
  std::map<Ticket, Verb> asked_;
  std::map<Ticket, ModelClient> clients_;
  std::string text_;
};

void Stage::play_line(const std::string& line) {
  if (line.starts_with("  ")) {
    return;
  }
  text_ += line + "\n";
  Words words = split(line, ' ');
  if (words.size() > 2 && words[0] == "at") {
    now_ = at(words[1]);
    words.erase(words.begin(), words.begin() + 2);
  }
  if (!words.empty() && !play_event(std::move(words), line)) {
    put("what does this mean?");
  }
  while (const auto effect = take_effect(engine_)) {
    std::visit([this](const auto& e) { show(e); }, *effect);
  }
}

bool Stage::play_event(Words words, const std::string& line) {
  const std::string first = words.front();
  if (first == "pools") {
    configure(words);
  } else if (first == "access") {
    set_access(words);
  } else if (first == "tick") {
    engine_.tick(now_);
  } else if (first == "drain") {
    engine_.drain(now_);
  } else if (first == "changed" && words.size() == 2) {
    engine_.changed(words[1], now_);
  } else if (first[0] == '#' && words.size() > 1) {
    return play_verdict(number(first.substr(1)), words, line);
  } else if (const Ticket ticket = number(first); ticket != 0 && words.size() > 1) {
    return play_ticket(ticket, words);
  } else {
    return play_view(words);
  }
  return true;
}

bool Stage::play_ticket(Ticket ticket, const Words& words) {
  if (words[1] == "arrived") {
    return engine_.delivered(ticket, now_), true;
  }
  if (words[1] == "gone") {
    return engine_.cancel(ticket, now_), true;
  }
  const auto verb = named<Verb>(verbs, words[1]);
  if (!verb || words.size() < (is_order(*verb) ? 3 : 4)) {
    return false;
  }
  Command request;
  request.verb = asked_[ticket] = *verb;
  request.pool = words[2];
  const std::string by = option(words, "by").value_or("");
  clients_[ticket] = client_of(is_order(*verb) ? "" : by);
  request.identity = clients_[ticket].identity();
  const std::vector<uint8_t> address = address_named(option(words, "from").value_or("127.0.0.1"));
  if (is_order(*verb)) {
    request.identity.address = address;
    request.by = by;
  } else {
    request.owner = owner_named(words[3]);
  }
  request.reason = option(words, "reason").value_or("");
  if (const auto lasts = option(words, "for")) {
    request.lasts = length(*lasts);
  }
  if (const auto token = option(words, "token")) {
    request.token = number(*token);
  }
  if (const auto expire = option(words, "expire")) {
    request.expire = seconds{number(*expire)};
  }
  if (const auto timeout = option(words, "timeout")) {
    request.timeout = *timeout == "max" ? Duration::max() : length(*timeout);
  }
  engine_.submit(ticket, std::move(request), now_);
  return true;
}

bool Stage::play_verdict(OpId op, const Words& words, const std::string& line) {
  const auto kind = named<Verdict::Kind>(verdicts, words[1]);
  if (!kind) {
    return false;
  }
  Verdict verdict;
  verdict.kind = *kind;
  if (const auto token = option(words, "token")) {
    verdict.token = number(*token);
  }
  if (const auto ends = option(words, "ends")) {
    verdict.ends = at(*ends);
  }
  if (const auto owner = option(words, "owner")) {
    verdict.owner = owner_named(*owner);
  }
  if (const auto retry = option(words, "retry")) {
    verdict.retry_at = at(*retry);
  }
  if (words[1] == "failed" && words.size() > 2) {
    verdict.reason = line.substr(line.find(words[2]));
  }
  engine_.decided(op, verdict, now_);
  return true;
}

bool Stage::play_view(const Words& words) {
  std::string view;
  if (words[0] == "waiting" && words.size() == 2) {
    engine_.each_waiter(words[1], [&](const Owner& owner, Time since) {
      view += shown(owner) + " since=" + shown(since - start_) + " ";
    });
    if (view.empty()) {
      view = "nobody ";
    }
  } else if (words[0] == "counts") {
    engine_.each_pool([&](const PoolSpec& pool, size_t waiting) {
      view += pool.name + "=" + std::to_string(waiting) + " ";
    });
  } else if (words[0] == "deadline") {
    const auto due = engine_.deadline();
    view = (due ? shown(*due - start_) : "none") + " ";
  } else if (words[0] == "unused") {
    while (const auto pool = engine_.take_idle()) {
      view += *pool + " ";
    }
    view += view.empty() ? "none " : "";
  } else if (words[0] == "forget" && words.size() == 2) {
    view = engine_.forget(words[1], now_) ? "yes " : "no ";
  } else if (words[0] == "made") {
    for (size_t i = 0; engine_.pool_at(i); ++i) {
      view += engine_.pool_at(i)->pattern.empty() ? "" : engine_.pool_at(i)->name + " ";
    }
    view += view.empty() ? "none " : "";
  } else if (words[0] == "idle") {
    view = engine_.idle() ? "yes " : "no ";
  } else {
    return false;
  }
  view.pop_back();
  put(view);
  return true;
}

// WHO[=NAME][/POOL[/HOST]]; a lone "open" takes the rules away.
void Stage::set_access(const Words& words) {
  std::vector<AccessRule> rules;
  for (size_t i = 1; i < words.size(); ++i) {
    const Words parts = split(words[i], '/');
    std::string text = parts[0];
    std::replace(text.begin(), text.end(), '=', ' ');
    const auto who = parse_who(text);
    if (!std::holds_alternative<Who>(who)) {
      continue;
    }
    AccessRule rule{.who = {std::get<Who>(who)}};
    if (parts.size() > 1 && !parts[1].empty()) {
      rule.pools = {parts[1]};
    }
    if (parts.size() > 2) {
      rule.hosts = {parts[2]};
    }
    rules.push_back(std::move(rule));
  }
  const bool open = words.size() == 2 && words[1] == "open";
  engine_.set_access(
      open ? Access{} : Access(std::move(rules), true),
      [this](Ticket ticket) { return clients_[ticket].identity(); }, now_);
}

// certificate:NAME, secret:NAME:HOSTS, or nothing proven.
ModelClient Stage::client_of(const std::string& by) {
  ModelClient client{.address = {192, 0, 2, 1}};
  const Words parts = split(by, ':');
  if (parts.size() == 2 && parts[0] == "certificate") {
    client.certified = true;
    client.names = {parts[1]};
  } else if (parts.size() == 3 && parts[0] == "secret") {
    client.secret = parts[1];
    client.secret_hosts = {parts[2]};
  }
  return client;
}

void Stage::configure(const Words& words) {
  std::vector<PoolSpec> pools;
  for (const std::string& word : words) {
    const Words parts = split(word, ':');
    if (parts.size() < 3) {
      continue;
    }
    PoolSpec pool{.name = parts[0], .expire = seconds{number(parts[2])}, .servers = {}};
    pool.maxlocks = static_cast<uint32_t>(number(parts[1]));
    if (parts.size() > 3) {
      pool.servers = split(parts[3], ',');
    }
    pools.push_back(std::move(pool));
  }
  const auto max = static_cast<uint32_t>(number(option(words, "max").value_or("100")));
  const auto made = static_cast<uint32_t>(number(option(words, "made").value_or("10000")));
  engine_.configure(std::move(pools), {max, made}, now_);
}

void Stage::show(const Answered& told) {
  const Answer& a = told.answer;
  std::string text = std::to_string(told.ticket) + " " + results[static_cast<int>(a.result)] + " " +
                     a.pool + (a.owner.host.empty() ? "" : " " + shown(a.owner));
  if (a.token != 0) {
    text += " token=" + std::to_string(a.token);
  }
  if (a.expires_in) {
    text += " left=" + shown(*a.expires_in);
  }
  if (told.since != now_) {
    text += " after=" + shown(now_ - told.since);
  }
  if (a.fault != Fault::none) {
    text += std::string(" ") + faults[static_cast<int>(a.fault)];
  }
  if (!a.error.empty()) {
    text += ": " + a.error;
  }
  if (told.verb != asked_[told.ticket]) {
    text += " under another verb";
  }
  put(text);
}

std::string shown_slots(uint32_t slots) {
  return slots == 1 ? "" : " slots=" + std::to_string(slots);
}

std::string shown_rest(std::optional<Token> token, std::optional<seconds> lease) {
  std::string text = token ? " token=" + std::to_string(*token) : "";
  if (lease) {
    text += " length=" + std::to_string(lease->count());
  }
  return text;
}

void Stage::show(const Acquire& q) {
  put("#" + std::to_string(q.op) + (q.find_only ? " find " : " acquire ") + q.pool + " " +
      shown(q.owner) + shown_slots(q.slots) + shown_rest({}, q.length));
}

void Stage::show(const Release& q) {
  put("#" + std::to_string(q.op) + " release " + q.pool + " " + shown(q.owner) +
      shown_slots(q.slots) + shown_rest(q.token, {}));
}

void Stage::show(const Renew& q) {
  put("#" + std::to_string(q.op) + " renew " + q.pool + " " + shown(q.owner) +
      shown_slots(q.slots) + shown_rest(q.token, q.length));
}

void Stage::show(const Order& q) {
  constexpr const char* kinds[] = {"freeze", "thaw", "evict"};
  std::string text = "#" + std::to_string(q.op) + " " + kinds[static_cast<size_t>(q.kind)] + " " +
                     q.pool + shown_slots(q.slots);
  text += q.token != 0 ? " token=" + std::to_string(q.token) : "";
  text += q.reason.empty() ? "" : " reason=" + q.reason;
  text += q.by.empty() ? "" : " by=" + q.by;
  text += q.lasts ? " for=" + shown(*q.lasts) : "";
  put(text);
}

}  // namespace

std::string play(std::string_view trace) {
  Stage stage;
  for (size_t start = 0; start < trace.size();) {
    const size_t end = std::min(trace.find('\n', start), trace.size());
    stage.play_line(std::string(trace.substr(start, end - start)));
    start = end + 1;
  }
  return stage.take_text();
}

bool holds(std::string_view trace) {
  const std::string went = play(trace);
  if (went == trace) {
    return true;
  }
  const auto differs = std::mismatch(went.begin(), went.end(), trace.begin(), trace.end());
  const auto line = 1 + std::count(went.begin(), differs.first, '\n');
  fprintf(stderr, "the trace goes another way from line %td on:\n%s\n", line, went.c_str());
  return false;
}

}  // namespace distributex::test
