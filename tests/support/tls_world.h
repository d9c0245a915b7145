// SPDX-License-Identifier: MIT
// A daemon with TLS on one address and plain HTTP on another, a CA like Puppet's,
// and files that a test can change: what wire tests about proofs start from.
#pragma once

#include <optional>
#include <string>

#include "support/authority.h"
#include "support/daemon.h"
#include "support/tls_client.h"

namespace distributex::test {

class TlsWorld {
 public:
  explicit TlsWorld(KeyKind server_key = KeyKind::ec);

  // Starts with these lines of configuration behind what TLS needs, or reloads with
  // them. False when the daemon refuses.
  [[nodiscard]] bool start(const std::string& more = "");
  [[nodiscard]] bool reload(const std::string& more = "");

  [[nodiscard]] uint16_t tls() const { return tls_; }
  [[nodiscard]] uint16_t plain() const { return plain_; }
  [[nodiscard]] std::string file(const char* name) const { return files.file(name); }
  void put(const char* name, const std::string& text) const { write_file(files.file(name), text); }
  void put_crl() const { put("crl.pem", puppet.crl_pem()); }

  // What a client with this certificate begins with.
  [[nodiscard]] TlsOptions with(const Issued& issued, int version = TLS1_3_VERSION) const;

  TempDir files;
  PuppetAuthority puppet;
  std::optional<Daemon> daemon;

 private:
  [[nodiscard]] std::string yaml(const std::string& more) const;

  uint16_t tls_ = 0;
  uint16_t plain_ = 0;
};

}  // namespace distributex::test
