// SPDX-License-Identifier: MIT
//
// The client's certificate and secret, and the CAs by which it trusts servers.
#pragma once

#include <optional>
#include <string>

namespace distributex::client {

struct Proofs {
  std::string cacert;       // a file: the CAs of servers; empty: the system's CAs
  std::string cert;         // a file: the certificate of this host; empty: none is shown
  std::string key;          // a file: the key of cert; empty: it is in the same file
  std::string secret_file;  // empty: there is none
  std::string secret;       // from the environment, or read from secret_file

  [[nodiscard]] bool has_secret() const { return !secret_file.empty() || !secret.empty(); }
};

// Whether the text can be a secret: nothing else must be sent to a server.
[[nodiscard]] bool is_sendable(const std::string& secret);

// Returns the first line of the file. If it is no secret, or every user of this host can read the
// file, returns nullopt and sets `error`.
[[nodiscard]] std::optional<std::string> read_secret(const std::string& file, std::string& error);

}  // namespace distributex::client
