// SPDX-License-Identifier: MIT
// A certification authority for tests: roots, intermediates, certificates with
// any names and times, CRLs, all as PEM. RSA keys of 4096 bits take a second to
// make, so they are made once and kept below build/. Knows nothing of the daemon.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "http/openssl.h"

namespace distributex::test {

enum class KeyKind { ec, rsa2048, rsa4096 };

// A key; those of RSA come from a cache where `number` tells them apart.
[[nodiscard]] PrivateKey make_key(KeyKind kind, unsigned number = 0);
[[nodiscard]] std::string pem_of(EVP_PKEY* key);
[[nodiscard]] std::string pem_of(X509* certificate);

struct CertificateSpec {
  std::string common_name{};
  std::vector<std::string> dns{};  // may hold NUL bytes
  std::vector<std::string> uris{};
  long from = -3600;  // seconds from now
  long until = 24L * 3600;
  std::string usage = "serverAuth,clientAuth";  // empty: no extension
  KeyKind key = KeyKind::ec;
  unsigned key_number = 10;  // of the cache
};

struct Issued {
  X509Certificate certificate;
  PrivateKey key;
  std::string pem;  // of the certificate
  std::string key_pem;
};

class Authority {
 public:
  // A root of its own, or an intermediate below another one.
  explicit Authority(const std::string& name, KeyKind kind = KeyKind::ec, unsigned number = 0,
                     const Authority* above = nullptr);

  [[nodiscard]] Issued issue(const CertificateSpec& spec) const;
  void revoke(const Issued& issued);
  // Valid until so many seconds from now, and since an hour before.
  [[nodiscard]] std::string crl(long until = 24L * 3600) const;
  [[nodiscard]] std::string pem() const { return pem_of(certificate_.get()); }

 private:
  PrivateKey key_;
  X509Certificate certificate_;
  std::vector<long> revoked_;
  mutable long serial_ = 100;
};

// As Puppet's CA: a root, an intermediate below it, ca.pem and crl.pem with both.
struct PuppetAuthority {
  explicit PuppetAuthority(KeyKind kind = KeyKind::ec)
      : root("Puppet Root CA", kind, 0), issuing("Puppet CA: puppet", kind, 1, &root) {}
  [[nodiscard]] std::string ca_pem() const { return issuing.pem() + root.pem(); }
  [[nodiscard]] std::string crl_pem(long until = 24L * 3600) const {
    return issuing.crl(until) + root.crl(until);
  }
  // Key and certificate as an agent has them: its certname as the only name.
  [[nodiscard]] Issued agent(const std::string& certname, KeyKind key = KeyKind::ec) const;

  Authority root;
  Authority issuing;
};

}  // namespace distributex::test
