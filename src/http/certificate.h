// SPDX-License-Identifier: MIT
// What a client's certificate proves, and sentences about one that proves nothing.
#pragma once

#include <openssl/types.h>

#include <ctime>
#include <string>
#include <vector>

namespace distributex {

// Hosts are the dNSNames of the subjectAltName, and the common name where there
// are none; a name with a wildcard, a NUL or a byte that no host name has proves
// nothing. A SPIFFE id is the certificate's one URI; it proves no host, nor does
// the common name beside it.
struct CertificateFacts {
  std::vector<std::string> names;
  std::string uri;
  std::time_t not_after = 0;
};
[[nodiscard]] CertificateFacts facts_of(const X509* certificate);

// The end of the validity of a certificate, or what a CRL says about the next one.
[[nodiscard]] std::time_t seconds_of(const ASN1_TIME* time);

// "2026-01-31 12:00:00 UTC"
[[nodiscard]] std::string date_text(std::time_t time);

// One word for a counter and one sentence for the client about a certificate whose
// verification ended in this X509_V_ERR_...
struct CertificateTrouble {
  const char* reason;  // "expired", "early", "revoked", "unknown_ca", "purpose", "crl", "invalid"
  std::string sentence;
};
[[nodiscard]] CertificateTrouble trouble_of(long verify_result, const X509* certificate);

}  // namespace distributex
