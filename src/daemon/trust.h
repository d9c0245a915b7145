// SPDX-License-Identifier: MIT
// Makes what http and the engine need from the options about encryption, proofs and rights:
// a TLS context, the secrets, the access rules. make_trust() makes all of it or fails; the
// start, each reload and -t call it. It reads the files with the rights that the process
// has then.
#pragma once

#include <ctime>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/access.h"
#include "http/secrets.h"
#include "http/tls_context.h"
#include "lock/words.h"

namespace distributex {

// One rule as the file has it.
struct AccessRow {
  std::vector<std::string> who;
  std::string may;
  std::vector<std::string> pools;
  std::vector<std::string> hosts;
  std::vector<std::string> from;
};

struct TrustOptions {
  std::vector<std::string> tls_certificate;
  std::vector<std::string> tls_key;
  std::string tls_client_ca;
  std::string tls_crl;
  std::string secrets;
  bool secrets_in_clear = false;
  std::vector<AccessRow> access;
};

struct TrustSetup {
  TlsContext tls;  // without a context if there is no certificate
  Secrets secrets;
  bool secrets_in_clear = false;
  Access access;
  std::vector<std::string> warnings;  // what is weak, a sentence each
};

// On failure returns one sentence that says what is wrong and what would be right.
[[nodiscard]] std::variant<TrustSetup, std::string> make_trust(const TrustOptions& options,
                                                               std::span<const std::string> listen,
                                                               std::span<const PoolSpec> pools,
                                                               std::time_t now);

// Who may do what to each pool, as lines for people.
[[nodiscard]] std::string explain_access(const Access& access, std::span<const PoolSpec> pools);

// "certificate:web1.example.com" or "secret:ci", for events; empty if nothing was proven.
[[nodiscard]] std::string by_text(const Identity& identity);

// Return what is wrong with a text of a rule; empty if nothing is.
[[nodiscard]] std::string check_who(std::string_view text);
[[nodiscard]] std::string check_network(std::string_view text);

}  // namespace distributex
