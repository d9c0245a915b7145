// SPDX-License-Identifier: MIT
// The TLS context of all connections of an address with tls:, made from files as a
// whole or not at all. Each context has ticket keys of its own, so a session of
// an earlier one cannot be resumed and a new CRL counts for everybody from the
// moment at which a new context takes the place of the old one.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/openssl.h"

namespace distributex {

struct TlsFiles {
  std::vector<std::string> certificates;  // PEM: the server's, then its intermediates
  std::vector<std::string> keys;          // PEM: of each of them
  std::string client_ca;                  // PEM; empty: clients are not asked for certificates
  std::string crl;                        // PEM: of each CA of a client's chain; empty: none
  [[nodiscard]] bool any() const { return !certificates.empty(); }
  bool operator==(const TlsFiles&) const = default;
};

struct TlsContext {
  SslContext context;
  std::time_t certificate_ends = 0;     // of the one that ends first
  std::optional<std::time_t> crl_ends;  // the same
  std::vector<std::string> warnings;    // what is weak or about to fail, a sentence each
};

// Reads the files with the rights of the process as it is now. On failure one
// sentence that begins with the file.
[[nodiscard]] std::variant<TlsContext, std::string> make_tls_context(const TlsFiles& files,
                                                                     std::time_t now);

}  // namespace distributex
