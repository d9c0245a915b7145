// SPDX-License-Identifier: MIT
// The TLS context of the connections of addresses with tls:, made from files as a whole or
// not at all. Each context has its own ticket keys, so a session of an earlier context
// cannot be resumed: a new CRL counts for every connection that begins after its context
// was set.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/openssl.h"

namespace distributex {

struct TlsFiles {
  std::vector<std::string> certificates;  // PEM: a server certificate, then its intermediates
  std::vector<std::string> keys;          // PEM: the key of each file of certificates
  std::string client_ca;                  // PEM; empty: clients are not asked for certificates
  std::string crl;                        // PEM: of each CA of a client's chain; empty: none
  [[nodiscard]] bool any() const { return !certificates.empty(); }
  bool operator==(const TlsFiles&) const = default;
};

struct TlsContext {
  SslContext context;
  std::time_t certificate_ends = 0;     // of the server's certificate that ends first
  std::optional<std::time_t> crl_ends;  // of the CRL that ends first; nullopt: no CRL
  std::vector<std::string> warnings;    // what is weak or about to fail, a sentence each
};

// Reads the files with the current rights of the process. On failure returns one sentence
// that begins with the name of the file.
[[nodiscard]] std::variant<TlsContext, std::string> make_tls_context(const TlsFiles& files,
                                                                     std::time_t now);

}  // namespace distributex
