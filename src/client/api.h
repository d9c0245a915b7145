// SPDX-License-Identifier: MIT
//
// The client's side of HTTP, on libcurl's multi interface: begin requests, wait for them together
// with other descriptors, collect the answers. It knows no lock words: client/reply says what an
// answer means. One object, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/clock.h"
#include "client/proofs.h"
#include "client/reply.h"
#include "client/secure.h"
#include "client/server.h"

namespace distributex::client {

struct Query {
  Server server;
  std::string target;  // path and query, encoded
  // For the name look-up and the connection.
  Span connect_limit = std::chrono::seconds(5);
  // For the whole request; nullopt: no limit.
  std::optional<Span> limit = std::chrono::seconds(10);
  bool post = false;  // with an empty body; the parameters are in the target
  // Use the address found before, if any: the lock must not be lost because a name service fails.
  bool known_address = false;
};

class Api {
 public:
  using Ticket = std::uint64_t;
  struct Answer {
    Ticket ticket;
    RawAnswer raw;
  };

  // proxy: empty: none, even if the environment names one.
  Api(std::string proxy, Proofs proofs);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Starts a request; the ticket is never 0.
  [[nodiscard]] Ticket begin(const Query& query);
  // Forgets a request; its connection is closed, so the server notices. Unknown tickets are
  // ignored.
  void drop(Ticket ticket);
  // Waits until a request makes progress or one of `descriptors` is readable.
  void wait(std::span<const int> descriptors);
  // Returns each answer once; nullopt: no further one has come.
  [[nodiscard]] std::optional<Answer> next();

 private:
  struct Call;
  void collect();
  void finish(void* easy, int code);
  void begin_afresh(Call& call);

  struct CleanUp {
    void operator()(void* multi) const noexcept;
  };
  std::unique_ptr<void, CleanUp> multi_;
  std::string proxy_;
  Secure secure_;
  Ticket last_ticket_ = 0;
  std::vector<std::unique_ptr<Call>> calls_;
};

}  // namespace distributex::client
