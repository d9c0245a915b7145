// SPDX-License-Identifier: MIT
//
// What the client shows of who it is, and which servers it believes.
#pragma once

#include <optional>
#include <string>

namespace distributex::client {

struct Proofs {
  std::string cacert;       // a file: whose certificates servers must have; empty: the system's CAs
  std::string cert;         // a file: the certificate of this host; empty: none is shown
  std::string key;          // a file: its key; empty: it is in the same file
  std::string secret_file;  // empty: there is none
  std::string secret;       // given by itself, from the environment

  [[nodiscard]] bool has_secret() const { return !secret_file.empty() || !secret.empty(); }
};

// Whether a text can be a secret at all: something else must not be sent to a server.
[[nodiscard]] bool is_sendable(const std::string& secret);

// The first line of a file that others on this host cannot read. Nullopt when it is no good, and
// then `error` says why.
[[nodiscard]] std::optional<std::string> read_secret(const std::string& file, std::string& error);

}  // namespace distributex::client
