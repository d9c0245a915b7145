// SPDX-License-Identifier: MIT
// How long a holder may count on its lease: the lease begins at the grant, which is after
// the question, so the holder counts from the question, as the protocol advises. If the
// server ends the lease sooner, that is a fault.
#include "holder.h"

#include <stdlib.h>

#include <algorithm>

#include "support/status.h"

namespace distributex::soak {

namespace {

struct ResultRow {
  std::string_view result;
  std::string_view word;
  int text_status;
  int json_status;
};

// Well before the server's idle_timeout.
constexpr std::chrono::seconds stale_after{3};

constexpr ResultRow results[] = {
    {"granted", "YES", 200, 200},    {"held", "YES", 200, 200},    {"busy", "NO", 200, 409},
    {"timeout", "NO", 200, 409},     {"released", "OK", 200, 200}, {"not-held", "OK", 200, 409},
    {"renewed", "OK", 200, 200},     {"lost", "NO", 200, 409},     {"invalid", "INVALID", 200, 0},
    {"unavailable", "NO", 503, 503},
};

bool is_status(const Response& response, const ResultRow& row, bool json) {
  if (row.result != "invalid") {
    return response.status == (json ? row.json_status : row.text_status);
  }
  const int status = response.status;
  return status == 404 || status == 405 || (json ? status == 400 || status == 403 : status == 200);
}

}  // namespace

Style any_style(Choices& dice) {
  return {.json = dice.once_in(3),
          .form = dice.once_in(4),
          .old = dice.once_in(8),
          .close = dice.once_in(6)};
}

std::string request_text(std::string_view verb, std::string_view parameters, const Style& style) {
  std::string text = style.form ? "POST /" : "GET /";
  text.append(verb);
  if (!style.form) {
    text.append("/?").append(parameters);
  }
  text += style.old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: soak\r\n";
  if (style.json) {
    text += "Accept: application/json\r\n";
  }
  if (style.close) {
    text += "Connection: close\r\n";
  }
  if (style.form) {
    text += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
            std::to_string(parameters.size()) + "\r\n";
  }
  text += "\r\n";
  if (style.form) {
    text.append(parameters);
  }
  return text;
}

std::string fault_of(const Response& response, bool json) {
  const std::string result = response.header("Distributex-Result");
  const auto* row = std::find_if(std::begin(results), std::end(results),
                                 [&](const ResultRow& one) { return one.result == result; });
  const std::string seen = "status " + std::to_string(response.status) + " result \"" + result +
                           "\" body \"" + response.body + "\"";
  if (row == std::end(results) || !is_status(response, *row, json)) {
    return seen;
  }
  const bool has_token = !response.header("Distributex-Token").empty();
  if (has_token != (row->word == "YES" || result == "renewed")) {
    return seen + ", and its token";
  }
  if (!json) {
    return response.body == row->word ? "" : seen;
  }
  const test::Json body = test::parse_json(response.body);
  return body && test::json_text(body.get(), "result") == result ? "" : seen;
}

Said said_in(const Response& response, Time asked) {
  Said said{.result = response.header("Distributex-Result"), .asked = asked};
  said.answered = Clock::now();
  said.token = strtoull(response.header("Distributex-Token").c_str(), nullptr, 10);
  if (const std::string left = response.header("Distributex-Expires"); !left.empty()) {
    said.left = milliseconds(static_cast<int64_t>(strtod(left.c_str(), nullptr) * 1000));
  }
  return said;
}

// Names are unique: by host where there is no id, else by id.
Holder::Holder(Actor& actor, const PoolRow& pool) : actor_(&actor), pool_(&pool) {
  static std::atomic<uint64_t> count = 0;
  const std::string number = std::to_string(++count);
  constexpr std::string_view before[] = {"run-", "job%207%20of%20", "%C3%BC%2F%22-"};
  if (pool.listed) {
    name_ = actor.dice.once_in(2) ? "alpha&id=n" : "beta&id=n";
  } else if (actor.dice.once_in(2)) {
    name_ = "h" + std::to_string(actor.number) + "&id=";
    name_ += before[actor.dice.below(std::size(before))];
  } else {
    name_ = "host-";
  }
  name_ += number;
  parameters_ = "pool=" + std::string(pool.name) + "&host=" + name_;
}

Holder Holder::twin() const {
  Holder other(*actor_, *pool_);
  other.name_ = name_;
  other.parameters_ = parameters_;
  return other;
}

bool Holder::send(std::string_view verb, std::string_view more) {
  Choices& dice = actor_->dice;
  style_ = any_style(dice);
  verb_ = verb;
  asked_ = Clock::now();
  const bool is_stale = asked_ > used_ + stale_after;
  if (!connection_.connected() || is_stale || dice.once_in(4)) {
    opened_ = asked_;
    connection_ = Connection(actor_->any_port());
  }
  if (first_asked_ == Time{}) {
    first_asked_ = asked_;
  }
  actor_->count_request();
  return connection_.connected() &&
         connection_.send(request_text(verb, parameters_ + std::string(more), style_));
}

void Holder::no_answer() {
  connection_.close();
  in_doubt_ = true;
  ++actor_->world.counters.unanswered;
  if (actor_->is_excused(opened_)) {
    return;
  }
  actor_->world.findings.add("%s: %s %s got no answer", actor_->service->name(), verb_.c_str(),
                             parameters_.c_str());
}

Said Holder::read_answer() {
  const std::optional<Response> response =
      connection_.connected() ? connection_.response() : std::nullopt;
  if (!response) {
    no_answer();
    return {.asked = asked_};
  }
  used_ = Clock::now();
  if (style_.close || style_.old) {
    connection_.close();
  }
  Said said = said_in(*response, asked_);
  World& world = actor_->world;
  std::string fault = fault_of(*response, style_.json);
  if (said.result == "invalid" && !pool_->comes_and_goes) {
    fault = "invalid: " + response->body;
  }
  if (said.result == "unavailable") {
    ++world.counters.unavailable;
    in_doubt_ = true;
    if (!actor_->is_excused(asked_)) {
      fault = "unavailable: " + response->header("Distributex-Error");
    }
  }
  if (!fault.empty()) {
    world.findings.add("%s: %s %s: %s", actor_->service->name(), verb_.c_str(), parameters_.c_str(),
                       fault.c_str());
  }
  if (said.has_lock()) {
    note(said);
  }
  return said;
}

Said Holder::ask(std::string_view verb, std::string_view more) {
  if (send(verb, more)) {
    return read_answer();
  }
  no_answer();
  return {.asked = asked_};
}

bool Holder::start_wait(milliseconds timeout) {
  const std::string seconds = std::to_string(static_cast<double>(timeout.count()) / 1000);
  if (send("wait", "&timeout=" + seconds)) {
    return true;
  }
  no_answer();
  return false;
}

Said Holder::wait(milliseconds timeout) { return start_wait(timeout) ? finish() : Said{}; }

// "held" may tell of a lease that any earlier question got whose answer failed, so the lease
// counts from the first of them.
void Holder::note(const Said& said) {
  if (said.result == "granted") {
    ++actor_->world.counters.grants;
  }
  const Time asked = said.result == "held" ? first_asked_ : said.asked;
  sure_until_.reset();
  if (said.left) {
    sure_until_ = said.asked + *said.left;
  }
  token_ = said.token;
  actor_->service->ledger().told(pool_->name, name_, said.token, asked, said.answered, sure_until_);
}

Said Holder::renew() {
  Said said = ask("renew", "&token=" + std::to_string(token_));
  if (said.result == "renewed") {
    note(said);
  }
  if (said.result == "lost") {
    check_loss(said);
  }
  return said;
}

Said Holder::release() {
  actor_->service->ledger().let_go(pool_->name, token_);
  Said said = ask("release", "&token=" + std::to_string(token_));
  if (said.result == "not-held") {
    check_loss(said);
  }
  token_ = 0;
  first_asked_ = {};
  return said;
}

void Holder::leave_nothing() {
  if (pool_->expire != 0) {
    return;
  }
  for (int tries = 0; in_doubt_ && tries < 20 && !actor_->world.stopping; tries++) {
    in_doubt_ = false;
    ask("release", "");
    if (in_doubt_) {
      actor_->pause(milliseconds(500));
    }
  }
}

void Holder::check_loss(const Said& said) {
  const bool is_sure = !sure_until_ || said.answered < *sure_until_;
  if (is_sure && !actor_->is_excused(first_asked_)) {
    actor_->world.findings.add("%s: %s's lease %llu ended early", actor_->service->name(),
                               parameters_.c_str(), static_cast<unsigned long long>(token_));
  }
}

}  // namespace distributex::soak
