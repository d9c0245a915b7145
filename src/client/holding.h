// SPDX-License-Identifier: MIT
//
// A lock that was obtained, and the requests about a lock. All files that talk to a server use
// these; nothing is sent here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/api.h"
#include "client/identity.h"
#include "client/lease.h"
#include "client/options.h"

namespace distributex::client {

// How the run under the lock ended, for the server to count.
struct RunEnd {
  bool is_success = false;
  int status = 0;  // 0 to 255
};

// The end of a run whose command could not be started: a failure, whatever --outcome-of says.
constexpr RunEnd cannot_run(int status) { return {.is_success = false, .status = status}; }

struct Holding {
  std::size_t server = 0;  // the server that granted it, or answered last
  std::optional<std::uint64_t> token;
  std::optional<Lease> lease;   // nullopt: the original server, where leases cannot be renewed
  std::optional<RunEnd> run{};  // nullopt: not ended, or somebody told it to stop
};

// Makes the requests of one run.
class Requests {
 public:
  Requests(const Options& options, const Identity& identity)
      : options_(options), identity_(identity) {}

  // `connect_limit`: for the name look-up and the connection.
  [[nodiscard]] Query get(std::size_t server, Span connect_limit, Span limit) const;
  // `patience`: how long the server shall keep the request; nullopt: until there is a lock.
  [[nodiscard]] Query wait(std::size_t server, Span connect_limit,
                           std::optional<Span> patience) const;
  [[nodiscard]] Query renew(const Holding& holding, Span limit) const;
  // `server`: the one that the holding names, or another one.
  [[nodiscard]] Query release(std::size_t server, const Holding& holding, Span limit) const;
  [[nodiscard]] Query status(std::size_t server) const;
  // Any answer shows that a server lives; the original server answers it, too.
  [[nodiscard]] Query sign_of_life(std::size_t server, Span limit) const;

 private:
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> who() const;

  const Options& options_;
  const Identity& identity_;
};

// "12.3 s"
[[nodiscard]] std::string seconds_text(Span span);

}  // namespace distributex::client
