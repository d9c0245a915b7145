// SPDX-License-Identifier: MIT
// A real etcd cluster behind EtcdWire: chooses the endpoint, moves on to the next one,
// keeps the user's token, bounds the questions in flight, and asks members for their
// health. Logs changes of endpoint, login and health.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/etcd/endpoints.h"
#include "backends/etcd/figures.h"
#include "backends/etcd/http.h"
#include "backends/etcd/wire.h"

namespace distributex {

struct EtcdAccess {
  std::vector<std::string> urls;
  EtcdTls tls;
  std::string user;  // empty: etcd asks for none
  std::string password_file;
  std::string prefix{};  // of all keys; named in "permission denied"
};

class EtcdClient final : public EtcdWire {
 public:
  EtcdClient(event_base* base, EtcdAccess access);

  void ask(EtcdTxn txn, Duration limit, Replied replied) override;
  void watch(const std::string& key, const std::string& range_end, Heard heard) override;
  void move_on(const std::string& reason) override;

  [[nodiscard]] const std::string& endpoint() const { return endpoints_.current(); }
  [[nodiscard]] size_t endpoints() const { return endpoints_.count(); }
  [[nodiscard]] const EtcdTraffic& traffic() const { return traffic_; }
  // What the current endpoint said of its health, about 10 s ago at most.
  [[nodiscard]] const std::optional<EtcdHealth>& health() const { return health_; }
  // Whether that endpoint said that its database is full.
  [[nodiscard]] bool is_full() const;

 private:
  struct Question {
    std::string body;
    Time until;
    Replied replied;
    size_t attempts = 0;
    size_t logins = 0;
    std::string url{};    // of the endpoint that was asked
    std::string token{};  // the token that was sent
    Time sent{};
  };
  using Questions = std::list<Question>;

  static void on_look(int, short, void* self) noexcept;
  static void on_pause_over(int, short, void* self) noexcept;
  void pump();
  void send(Questions::iterator question);
  void answered(Questions::iterator question, const EtcdHttpAnswer& answer);
  [[nodiscard]] std::string explained(const std::string& reason) const;
  [[nodiscard]] bool goes_on(Questions::iterator question, EtcdOutcome outcome);
  void reply(Questions::iterator question, EtcdReply reply);
  void fail_waiting(EtcdOutcome outcome, const std::string& reason, Time until);

  [[nodiscard]] bool needs_login() const { return !access_.user.empty() && token_.empty(); }
  void log_in();
  void logged_in(const std::string& url, const EtcdHttpAnswer& answer);
  void login_refused(const std::string& words);
  void pause_over();

  void open_watch();
  void heard_line(std::string_view line);
  void watch_ended(const std::string& reason);

  // client_health.cpp
  void look_at_health();
  void look_soon();
  void note_health(const EtcdHttpAnswer& answer);

  void note_up(const std::string& url);
  void leave(const std::string& url, const std::string& reason);
  [[nodiscard]] std::vector<std::string> headers() const;

  EtcdAccess access_;
  EtcdEndpoints endpoints_;
  std::string token_;
  bool is_logging_in_ = false;
  std::optional<Time> refused_at_;  // when etcd last refused the user; nullopt: logged in since
  std::optional<Time> login_said_;  // when the log last told of a refusal
  std::string up_;                  // the endpoint logged as connected; empty: none
  std::string complaint_;           // the trouble logged last; empty: none

  Questions waiting_;
  Questions asked_;

  std::string watch_key_;
  std::string watch_end_;
  Heard heard_;
  bool wants_watch_ = false;  // open the watch as soon as there is a token
  uint64_t watch_ = 0;        // the id of the stream; 0: none
  std::string watch_url_;

  std::optional<EtcdHealth> health_;
  EtcdTraffic traffic_;
  bool is_looking_ = false;
  Event look_;
  Event pause_;    // pending after a failed login: no login before it fires
  EtcdHttp http_;  // the last member: its destructor calls no callback
};

}  // namespace distributex
