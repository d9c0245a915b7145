// SPDX-License-Identifier: MIT
// If a member did not carry out a question, the client asks the next endpoint at once, and
// each endpoint at most once. If the outcome is unknown, the client does not ask again: the
// caller must first find out whether the transaction was carried out.
#include "backends/etcd/client.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "backends/etcd/codec.h"
#include "base/clock.h"
#include "base/log.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t in_flight_max = 64;
constexpr milliseconds login_limit{1500};
constexpr timeval login_pause{0, 200'000};  // after a login that failed
constexpr seconds refusal_lasts{1};         // no login follows a refusal for so long
constexpr seconds said_again{60};
constexpr const char* user_refused = "user or password refused";

// Returns the file's first line; nullopt if the file cannot be read.
std::optional<std::string> read_password(const std::string& file) {
  const Fd fd{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) {
    return std::nullopt;
  }
  std::string text(4096, '\0');
  const ssize_t got = read(fd.get(), text.data(), text.size());
  if (got < 0) {
    return std::nullopt;
  }
  text.resize(static_cast<size_t>(got));
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

EtcdClient::EtcdClient(event_base* base, EtcdAccess access)
    : access_(std::move(access)),
      endpoints_(access_.urls),
      look_(evtimer_new(base, on_look, this)),
      pause_(evtimer_new(base, on_pause_over, this)),
      http_(base, access_.tls) {
  look_at_health();
}

std::vector<std::string> EtcdClient::headers() const {
  // With hasleader a member that has lost the other members answers "no leader" instead of
  // waiting for them.
  std::vector<std::string> list{"Content-Type: application/json", "Grpc-Metadata-hasleader: true"};
  if (!token_.empty()) {
    list.push_back("Authorization: " + token_);
  }
  return list;
}

// --- questions ---

void EtcdClient::ask(EtcdTxn txn, Duration limit, Replied replied) {
  waiting_.push_back(
      {.body = encode_txn(txn), .until = steady_now() + limit, .replied = std::move(replied)});
  pump();
}

void EtcdClient::pump() {
  if (needs_login()) {
    return log_in();
  }
  while (!waiting_.empty() && asked_.size() < in_flight_max) {
    asked_.splice(asked_.end(), waiting_, waiting_.begin());
    send(std::prev(asked_.end()));
  }
}

void EtcdClient::send(Questions::iterator question) {
  question->sent = steady_now();
  question->url = endpoints_.current();
  question->token = token_;
  question->attempts++;
  const auto left = std::chrono::floor<milliseconds>(question->until - question->sent);
  http_.post(question->url + etcd_txn_path, headers(), question->body, left,
             [this, question](const EtcdHttpAnswer& answer) { answered(question, answer); });
}

void EtcdClient::answered(Questions::iterator question, const EtcdHttpAnswer& answer) {
  const std::string words = answer.status == 0 ? answer.reason : decode_refusal(answer.body);
  EtcdReply done;
  done.outcome = outcome_of(answer.status, words, answer.sent);
  done.sent = question->sent;
  if (done.outcome == EtcdOutcome::answered) {
    if (auto decoded = decode_answer(answer.body)) {
      note_up(question->url);
      done.answer = std::move(*decoded);
      return reply(question, std::move(done));
    }
    done.outcome = EtcdOutcome::unknown;
    done.reason = "its answer cannot be read";
  } else {
    done.reason =
        answer.status == 0 ? answer.reason : explained(outcome_reason(answer.status, words));
  }
  // Some builds of etcd close the connection where a token is not valid.
  const bool is_token_gone = done.outcome == EtcdOutcome::log_in || answer.closed;
  if (is_token_gone && question->token == token_) {
    token_.clear();
  }
  if (done.outcome == EtcdOutcome::not_done || done.outcome == EtcdOutcome::unknown) {
    leave(question->url, done.reason);
  }
  if (goes_on(question, done.outcome)) {
    return pump();
  }
  if (done.outcome == EtcdOutcome::log_in) {
    done.outcome = EtcdOutcome::refused;
    if (access_.user.empty()) {
      done.reason += ": set etcduser and etcdpasswordfile";
    }
  }
  reply(question, std::move(done));
}

// etcd says "permission denied" without naming the keys, so the role is described here.
std::string EtcdClient::explained(const std::string& reason) const {
  if (reason.find("permission denied") == std::string::npos) {
    return reason;
  }
  return "permission denied: etcduser " + access_.user +
         " needs a role that may read and write all keys that begin with " + access_.prefix;
}

// Returns true if the question may be asked again, and puts it at the head of waiting_.
bool EtcdClient::goes_on(Questions::iterator question, EtcdOutcome outcome) {
  const bool again =
      outcome == EtcdOutcome::not_done
          ? question->attempts < endpoints_.count()
          : outcome == EtcdOutcome::log_in && !access_.user.empty() && question->logins++ < 2;
  if (!again || question->until - steady_now() < milliseconds(1)) {
    return false;
  }
  if (outcome == EtcdOutcome::log_in) {
    question->attempts--;
  }
  waiting_.splice(waiting_.begin(), asked_, question);
  return true;
}

void EtcdClient::reply(Questions::iterator question, EtcdReply done) {
  switch (done.outcome) {
    case EtcdOutcome::answered:
      traffic_.answered++;
      traffic_.took(steady_now() - done.sent);
      break;
    case EtcdOutcome::unknown:
      traffic_.unknown++;
      break;
    case EtcdOutcome::refused:
      look_soon();
      traffic_.not_done++;
      break;
    case EtcdOutcome::not_done:
    case EtcdOutcome::log_in:
      traffic_.not_done++;
      break;
  }
  const Replied replied = std::move(question->replied);
  asked_.erase(question);
  replied(done, steady_now());
  pump();
}

// Fails the questions in waiting_ whose time is over at `until`.
void EtcdClient::fail_waiting(EtcdOutcome outcome, const std::string& reason, Time until) {
  Questions over;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto next = std::next(it);
    if (it->until <= until) {
      over.splice(over.end(), waiting_, it);
    }
    it = next;
  }
  while (!over.empty()) {
    asked_.splice(asked_.end(), over, over.begin());
    reply(std::prev(asked_.end()), {.outcome = outcome, .reason = reason});
  }
}

// --- the user ---

void EtcdClient::log_in() {
  if (is_logging_in_ || evtimer_pending(pause_.get(), nullptr)) {
    return;
  }
  if (waiting_.empty() && !wants_watch_) {
    return;
  }
  is_logging_in_ = true;
  traffic_.logins++;
  const auto password = read_password(access_.password_file);
  const std::string url = endpoints_.current();
  http_.post(url + etcd_login_path, {"Content-Type: application/json"},
             encode_login(access_.user, password.value_or("")), login_limit,
             [this, url](const EtcdHttpAnswer& answer) { logged_in(url, answer); });
}

void EtcdClient::logged_in(const std::string& url, const EtcdHttpAnswer& answer) {
  is_logging_in_ = false;
  if (const auto token = answer.status == 200 ? decode_token(answer.body) : std::nullopt) {
    token_ = *token;
    refused_at_.reset();
    if (wants_watch_) {
      open_watch();
    }
    return pump();
  }
  const std::string words = answer.status == 0 ? answer.reason : decode_refusal(answer.body);
  evtimer_add(pause_.get(), &login_pause);
  if (outcome_of(answer.status, words, true) == EtcdOutcome::refused) {
    return login_refused(words);
  }
  leave(url, words);
  fail_waiting(EtcdOutcome::not_done, words, steady_now());
  if (std::exchange(wants_watch_, false)) {
    watch_ended(words);
  }
}

void EtcdClient::login_refused(const std::string& words) {
  const Time now = steady_now();
  refused_at_ = now;
  if (!login_said_ || now - *login_said_ > said_again) {
    login_said_ = now;
    log_line(Level::error, "etcd: user %s refused: %s", access_.user.c_str(), words.c_str());
  }
  fail_waiting(EtcdOutcome::refused, user_refused, Time::max());
  if (std::exchange(wants_watch_, false)) {
    watch_ended(user_refused);
  }
}

void EtcdClient::on_pause_over(int, short, void* self) noexcept {
  static_cast<EtcdClient*>(self)->pause_over();
}

// Within a second of a refusal, questions fail without another login: a login costs etcd a
// tenth of a second of processor time.
void EtcdClient::pause_over() {
  const bool is_refused = refused_at_ && steady_now() - *refused_at_ < refusal_lasts;
  if (!is_refused) {
    return pump();
  }
  fail_waiting(EtcdOutcome::refused, user_refused, Time::max());
  evtimer_add(pause_.get(), &login_pause);
}

// --- the watch ---

void EtcdClient::watch(const std::string& key, const std::string& range_end, Heard heard) {
  http_.cancel(watch_);
  watch_key_ = key;
  watch_end_ = range_end;
  heard_ = std::move(heard);
  wants_watch_ = true;
  if (needs_login()) {
    return log_in();
  }
  open_watch();
}

void EtcdClient::open_watch() {
  wants_watch_ = false;
  watch_url_ = endpoints_.current();
  watch_ = http_.stream(
      watch_url_ + etcd_watch_path, headers(), encode_watch(watch_key_, watch_end_),
      [this](std::string_view line) { heard_line(line); },
      [this](const EtcdHttpAnswer& answer) {
        const std::string words = answer.status == 0 ? answer.reason : decode_refusal(answer.body);
        watch_ended(answer.status == 200 || words.empty() ? "the stream ended" : words);
      });
}

void EtcdClient::heard_line(std::string_view line) {
  const auto news = decode_news(line);
  if (!news) {
    return watch_ended("its message cannot be read");
  }
  if (news->ended) {
    return watch_ended(news->reason);
  }
  const Heard heard = heard_;
  heard(*news, steady_now());
}

void EtcdClient::watch_ended(const std::string& reason) {
  http_.cancel(watch_);
  watch_ = 0;
  const EtcdOutcome outcome = outcome_of(503, reason, true);
  if (outcome == EtcdOutcome::log_in) {
    token_.clear();
  }
  if (outcome != EtcdOutcome::log_in && outcome != EtcdOutcome::refused) {
    leave(watch_url_, reason);
  }
  const Heard heard = heard_;
  EtcdNews end;
  end.ended = true;
  end.reason = explained(reason);
  heard(end, steady_now());
}

// --- endpoints ---

void EtcdClient::move_on(const std::string& reason) { leave(endpoints_.current(), reason); }

void EtcdClient::leave(const std::string& url, const std::string& reason) {
  if (!endpoints_.leave(url)) {
    return;
  }
  traffic_.moves++;
  if (up_.empty()) {
    return;
  }
  up_.clear();
  log_line(Level::warning, "etcd: lost endpoint=%s next=%s: %s", url.c_str(),
           endpoints_.current().c_str(), reason.c_str());
}

void EtcdClient::note_up(const std::string& url) {
  if (up_ == url || url != endpoints_.current()) {
    return;
  }
  up_ = url;
  log_line(Level::info, "etcd: connected endpoint=%s", url.c_str());
  log_flush();
}

}  // namespace distributex
