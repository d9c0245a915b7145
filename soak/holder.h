// SPDX-License-Identifier: MIT
// One holder in one pool: it asks in all forms that HTTP allows, checks each answer
// against the tables of doc/protocol.txt, and tells the ledger what it may count on. A name
// is used for one scene only.
#pragma once

#include <stdint.h>

#include <optional>
#include <string>
#include <string_view>

#include "cast.h"
#include "support/http.h"

namespace distributex::soak {

using test::Connection;
using test::Response;

struct Style {
  bool json = false;
  bool form = false;   // POST
  bool old = false;    // HTTP/1.0
  bool close = false;  // the connection, after the answer
};

[[nodiscard]] Style any_style(Choices& dice);
[[nodiscard]] std::string request_text(std::string_view verb, std::string_view parameters,
                                       const Style& style);
// "" when it is an answer to a verb as it should be, else what is wrong.
[[nodiscard]] std::string fault_of(const Response& response, bool json);

// An answer, as far as a client can use it; without a result there was none.
struct Said {
  std::string result{};
  uint64_t token = 0;
  std::optional<milliseconds> left{};
  Time asked{};
  Time answered{};

  [[nodiscard]] bool has_lock() const { return result == "granted" || result == "held"; }
};

[[nodiscard]] Said said_in(const Response& response, Time asked);

class Holder {
 public:
  Holder(Actor& actor, const PoolRow& pool);

  Said get() { return ask("get", ""); }
  Said wait(milliseconds timeout);
  // Both wait() in two steps: several can wait at a time.
  [[nodiscard]] bool start_wait(milliseconds timeout);
  Said finish() { return read_answer(); }
  Said renew();
  Said release();

  // After trouble: gives back a lock that it may hold, if that lock would last for ever.
  void leave_nothing();

  // A second holder of the same name, over another connection.
  [[nodiscard]] Holder twin() const;

  [[nodiscard]] bool holds() const { return token_ != 0; }
  // As the ledger knows it.
  [[nodiscard]] const std::string& name() const { return name_; }
  // "pool=...&host=...": who asks for what.
  [[nodiscard]] const std::string& parameters() const { return parameters_; }

 private:
  void note(const Said& said);
  [[nodiscard]] bool send(std::string_view verb, std::string_view more);
  Said read_answer();
  Said ask(std::string_view verb, std::string_view more);
  void no_answer();
  void check_loss(const Said& said);

  Actor* actor_;
  const PoolRow* pool_;
  std::string name_;
  std::string parameters_;
  Connection connection_;
  Style style_;
  std::string verb_;
  Time opened_{};  // the connection
  Time used_{};
  Time asked_{};
  Time first_asked_{};
  uint64_t token_ = 0;
  bool in_doubt_ = false;           // a request had no answer, or no useful one
  std::optional<Time> sure_until_;  // nullopt: for ever, while it holds
};

}  // namespace distributex::soak
