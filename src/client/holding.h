// SPDX-License-Identifier: MIT
//
// The words for a lock that is being asked for or held: who we are to the servers, what was
// obtained, and how the requests about it are spelled. Everything that talks to a server shares
// these; nothing is sent here.
#pragma once

#include "client/api.h"
#include "client/lease.h"
#include "client/options.h"

#include <cstdint>
#include <optional>
#include <string>

namespace distributex::client {

struct Identity {
  std::string host;  // the FQDN
  std::string id;    // unique to the run
};

[[nodiscard]] Identity make_identity(const std::string& wanted_id);

struct Holding {
  std::size_t server = 0;  // the one that granted it
  std::optional<std::uint64_t> token;
  std::optional<Lease>
      lease;  // nothing: the original server, which has no leases that could be renewed
};

// What is asked, about which lock.
class Requests {
 public:
  Requests(const Options& options, const Identity& identity)
      : options_(options), identity_(identity) {}

  // `patience` for wait: how long the server is to keep the request; nothing: until there is a
  // lock.
  [[nodiscard]] Query get(std::size_t server) const;
  [[nodiscard]] Query wait(std::size_t server, std::optional<Span> patience) const;
  [[nodiscard]] Query renew(const Holding& holding, Span limit) const;
  [[nodiscard]] Query release(std::size_t server, std::optional<std::uint64_t> token,
                              Span limit) const;
  [[nodiscard]] Query status(std::size_t server) const;

 private:
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> who() const;

  const Options& options_;
  const Identity& identity_;
};

// "12.3 s"
[[nodiscard]] std::string seconds_text(Span span);

}  // namespace distributex::client
