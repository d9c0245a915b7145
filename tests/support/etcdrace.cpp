// SPDX-License-Identifier: MIT
// Each owner asks one thing at a time, of any server; a patient one waits in the
// server's line, whose first is asked for as the engine does it.
#include "support/etcdrace.h"

#include <map>
#include <memory>
#include <set>

#include "backends/etcd/core.h"
#include "support/etcdendings.h"
#include "support/etcdoperators.h"

namespace distributex::test {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Verdict::Kind;
using Question = EtcdRaceQuestion;
using Server = EtcdRaceServer;

class Race {
 public:
  Race(const EtcdRace& setting, uint64_t seed)
      : setting_(setting), dice_(seed), endings_(setting.slots, raced_rest) {
    history_.slots("p", setting.slots);
    for (size_t i = 0; i < setting.servers; i++) {
      servers_.push_back(make_server());
    }
  }

  std::string run() {
    for (int i = 0; i < setting_.steps; i++) {
      step();
    }
    settle();
    if (!operators_.wrong().empty()) {
      return operators_.wrong();
    }
    const std::string wrong =
        setting_.orders ? endings_.wrong_in(etcd_) + history_.verdict() : history_.verdict();
    return wrong.empty() ? leftovers_of(etcd_, servers_) : wrong;
  }
  [[nodiscard]] size_t grants() const { return history_.grants("p"); }
  [[nodiscard]] size_t freezes() const { return operators_.freezes(); }

 private:
  std::unique_ptr<Server> make_server() {
    auto server = std::make_unique<Server>();
    Server* self = server.get();
    server->wire = std::make_unique<FakeWire>(etcd_, now_);
    EtcdSettings settings;
    settings.server = "s" + std::to_string(names_++);
    settings.random = [this] { return dice_.below(uint64_t{1} << 62); };
    settings.wall_us = [this] {
      return 1'000'000'000 + static_cast<uint64_t>(now_.time_since_epoch() / microseconds(1)) +
             wall_++;
    };
    BackendSink sink;
    sink.decided = [this, self](OpId op, const Verdict& v) { decided(*self, op, v); };
    sink.changed = [self](const std::string&) { self->ask_again = Time::min(); };
    sink.expired = [](const std::string&, const Lease&, uint64_t) {};
    sink.happened = [](const Happening&, uint64_t) {};
    server->core = std::make_unique<EtcdCore>(*server->wire, settings, 1, sink, [](Time) {});
    server->core->configure({raced_pool(setting_.slots, setting_.orders)});
    return server;
  }

  // --- what may happen ---

  void step() {
    now_ += microseconds(1 + dice_.below(dice_.once_in(20) ? 300'000 : 3000));
    Server& server = *servers_[dice_.below(servers_.size())];
    if (setting_.deaths && misfortune(server)) {
      return;
    }
    if (server.stands_until > now_) {
      return;
    }
    if (server.core->deadline().value_or(now_) <= now_) {
      server.core->tick(now_);
    }
    if (setting_.orders && dice_.once_in(60)) {
      return order(server);
    }
    switch (dice_.below(8)) {
      case 0:
      case 1:
        return ask(server);
      case 2:
      case 3:
        return (void)server.wire->tell();
      default:
        return traffic(server);
    }
  }

  bool is_faulty() { return dice_.below(100) < setting_.fault_percent; }

  void traffic(Server& server) {
    if (is_faulty() && dice_.once_in(4)) {
      (void)server.wire->arrive_late(dice_.below(100));
    }
    if (is_faulty() && dice_.once_in(20)) {
      return server.wire->end_watch();
    }
    if (server.wire->open() == 0) {
      return ask_again(server);
    }
    const size_t i = dice_.below(server.wire->open());
    if (server.wire->is_overdue(i)) {
      return server.wire->lose(i);
    }
    if (!is_faulty()) {
      return server.wire->answer(i);
    }
    switch (dice_.below(4)) {
      case 0:
        return server.wire->lose(i);
      case 1:
        return server.wire->carry_out(i);  // its answer is late or lost, or it comes twice
      case 2:
        return server.wire->refuse(i);
      default:
        server.wire->carry_out(i);
        return server.wire->lose(i);
    }
  }

  // True when the server is no more.
  bool misfortune(Server& server) {
    if (dice_.once_in(400)) {
      server.stands_until = now_ + milliseconds(dice_.below(8000));
    }
    if (setting_.wipes && dice_.once_in(1500)) {
      const Time from = now_;
      etcd_.wipe();
      operators_.forget();
      for (const auto& each : servers_) {
        each->wire->cut();
      }
      history_.lost_all(from, now_ + seconds(1));
    }
    if (!dice_.once_in(600)) {
      return false;
    }
    die(server);
    return true;
  }

  // Requests that the server has sent may still arrive.
  void die(Server& server) {
    for (const auto& [op, question] : server.questions) {
      busy_.erase(question.host);
      operators_.lost(question);
    }
    if (server.wire->open() != 0 && dice_.once_in(2)) {
      server.wire->carry_out(0);
    }
    const auto it = std::find_if(servers_.begin(), servers_.end(),
                                 [&](const auto& each) { return each.get() == &server; });
    for (const auto& [host, since] : server.waiting) {
      busy_.erase(host);
    }
    *it = make_server();
  }

  // --- owners: each asks one thing at a time ---

  void ask(Server& server) {
    const std::string host = "o" + std::to_string(dice_.below(setting_.owners));
    if (busy_.contains(host)) {
      return;
    }
    busy_.insert(host);
    switch (dice_.below(6)) {
      case 0:
      case 1:
        return acquire(server, host, false, now_);
      case 2:
        server.waiting.emplace(host, now_);
        return ask_again_now(server);
      case 3:
      case 4:
        return release(server, host);
      default:
        return renew(server, host);
    }
  }

  void acquire(Server& server, const std::string& host, bool is_patient, Time since) {
    attempts_[host].insert(now_);
    const OpId op = ++ops_;
    server.questions[op] = {Question::What::acquire, host, now_, is_patient};
    std::optional<Time> next;
    for (const auto& [other, at] : server.waiting) {
      if (other != host && (!next || at < *next)) {
        next = at;
      }
    }
    server.core->acquire({.op = op,
                          .pool = "p",
                          .owner = {host, ""},
                          .slots = setting_.slots,
                          .length = seconds(1 + dice_.below(8)),
                          .patient = is_patient,
                          .since = since,
                          .next_since = next},
                         now_);
  }

  // The engine asks for the first of its line, one at a time.
  void ask_again(Server& server) {
    if (server.ask_again && *server.ask_again <= now_) {
      ask_again_now(server);
    }
  }
  void ask_again_now(Server& server) {
    for (const auto& [op, question] : server.questions) {
      if (question.is_patient) {
        return;
      }
    }
    const auto first =
        std::min_element(server.waiting.begin(), server.waiting.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    server.ask_again.reset();
    if (first != server.waiting.end()) {
      acquire(server, first->first, true, first->second);
    }
  }

  void release(Server& server, const std::string& host) {
    for (const auto& [token, who] : history_.tokens("p")) {
      if (who == host) {
        history_.let_go("p", token, now_);
      }
    }
    const OpId op = ++ops_;
    server.questions[op] = {Question::What::release, host, now_};
    server.core->release({.op = op,
                          .pool = "p",
                          .owner = {host, ""},
                          .token = {},
                          .slots = setting_.slots,
                          .outcome = Outcome::failed},
                         now_);
  }

  void renew(Server& server, const std::string& host) {
    const OpId op = ++ops_;
    server.questions[op] = {Question::What::renew, host, now_};
    server.core->renew({.op = op, .pool = "p", .owner = {host, ""}, .token = {}, .length = {}},
                       now_);
  }

  void order(Server& server) {
    if (operators_.is_busy()) {
      return;
    }
    Question question{Question::What::freeze, "", now_};
    question.revision = etcd_.revision();
    const Order order = operators_.next(question, dice_, history_, ++ops_);
    server.questions[order.op] = question;
    server.core->order(order, now_);
  }

  void decided(Server& server, OpId op, const Verdict& verdict) {
    const Question question = server.questions.at(op);
    server.questions.erase(op);
    switch (question.what) {
      case Question::What::acquire:
        return acquired(server, question, verdict);
      case Question::What::renew:
        if (verdict.kind == Kind::renewed) {
          told(question, verdict);
        }
        break;
      case Question::What::release:
      case Question::What::take_back:
        break;
      case Question::What::freeze:
      case Question::What::thaw:
      case Question::What::evict:
        return operators_.answered(question, verdict, etcd_);
    }
    if (question.what != Question::What::take_back) {
      busy_.erase(question.host);
    }
  }

  void acquired(Server& server, const Question& question, const Verdict& verdict) {
    if (verdict.kind == Kind::granted) {
      operators_.granted(question.host, now_);
    }
    if (question.is_patient && verdict.kind == Kind::full) {
      server.ask_again =
          std::min(server.ask_again.value_or(Time::max()), verdict.retry_at.value_or(Time::max()));
      return;
    }
    if (question.is_patient) {
      server.waiting.erase(question.host);
      server.ask_again = Time::min();
      if (server.waiting.empty()) {
        server.core->idle("p", now_);
      }
    }
    busy_.erase(question.host);
    if (verdict.kind == Kind::granted && dice_.once_in(6)) {
      return take_back(server, question, verdict);
    }
    if (verdict.kind == Kind::granted || verdict.kind == Kind::held) {
      told(question, verdict);
    }
    // A failed attempt may have been granted all the same.
    auto& attempts = attempts_[question.host];
    if (verdict.kind != Kind::failed) {
      attempts.erase(attempts.find(question.asked));
    }
  }

  void told(const Question& question, const Verdict& verdict) {
    const auto& attempts = attempts_[question.host];
    const Time since =
        attempts.empty() ? question.asked : std::min(question.asked, *attempts.begin());
    const Time asked = verdict.kind == Kind::granted ? question.asked : since;
    history_.told("p", question.host, verdict.token, asked, now_, verdict.ends);
    endings_.told(verdict.token, verdict.ends);
  }

  // Its client has gone: the grant is given back, unless it was told elsewhere.
  void take_back(Server& server, const Question& question, const Verdict& verdict) {
    const OpId op = ++ops_;
    server.questions[op] = {Question::What::take_back, question.host, now_};
    server.core->release({.op = op,
                          .pool = "p",
                          .owner = {question.host, ""},
                          .token = verdict.token,
                          .slots = setting_.slots,
                          .undelivered = true},
                         now_);
  }

  // --- the end ---

  // No more faults and nobody asks: all leases end by themselves.
  void settle() {
    setting_.fault_percent = 0;
    for (const auto& server : servers_) {
      server->stands_until = {};
      server->waiting.clear();
      while (server->wire->arrive_late(0)) {
      }
    }
    const Time end = now_ + seconds(25);
    while (now_ < end) {
      now_ += milliseconds(5);
      for (const auto& server : servers_) {
        if (server->core->deadline().value_or(now_) <= now_) {
          server->core->tick(now_);
        }
        while (server->wire->open() != 0) {
          server->wire->answer(0);
        }
        while (server->wire->tell()) {
        }
        server->core->idle("p", now_);
      }
    }
  }

  EtcdRace setting_;
  Choices dice_;
  FakeEtcd etcd_{};
  Time now_ = Time{} + hours(1);
  History history_;
  EtcdEndings endings_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::set<std::string> busy_{};  // owners that wait for an answer
  std::map<std::string, std::multiset<Time>> attempts_{};
  EtcdOperators operators_{};
  OpId ops_ = 0;
  int names_ = 0;
  uint64_t wall_ = 0;
};

}  // namespace

EtcdRaceEnd run_etcd_race(const EtcdRace& setting, uint64_t seed) {
  Race one(setting, seed);
  EtcdRaceEnd end{.wrong = one.run()};
  end.grants = one.grants();
  end.freezes = one.freezes();
  return end;
}

}  // namespace distributex::test
