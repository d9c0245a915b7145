// SPDX-License-Identifier: MIT
// A real etcd cluster behind EtcdWire: which endpoint is asked, when the next
// one is, the token of the user, how many questions are in flight, and what the
// members say of their health. Says changes of these in the log.
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
  std::string prefix{};  // of all keys, for reasons
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
  // What the endpoint has said of itself, at most some 10 s ago.
  [[nodiscard]] const std::optional<EtcdHealth>& health() const { return health_; }
  // Whether it said that its database is full.
  [[nodiscard]] bool is_full() const;

 private:
  struct Question {
    std::string body;
    Time until;
    Replied replied;
    size_t attempts = 0;
    size_t logins = 0;
    std::string url{};    // of the endpoint asked
    std::string token{};  // that was sent along
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
  std::optional<Time> refused_at_;  // the user
  std::optional<Time> login_said_;  // when the log said so last
  std::string up_;                  // the endpoint that answered last; empty: none does
  std::string complaint_;           // of the endpoint, as the log has it

  Questions waiting_;
  Questions asked_;

  std::string watch_key_;
  std::string watch_end_;
  Heard heard_;
  bool wants_watch_ = false;  // as soon as there is a token
  uint64_t watch_ = 0;        // the stream; 0: none
  std::string watch_url_;

  std::optional<EtcdHealth> health_;
  EtcdTraffic traffic_;
  bool is_looking_ = false;
  Event look_;
  Event pause_;    // pending after a login that failed: no other before
  EtcdHttp http_;  // last: its end calls nobody
};

}  // namespace distributex
