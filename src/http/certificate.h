// SPDX-License-Identifier: MIT
// What a client's certificate proves, and sentences about one that proves nothing.
#pragma once

#include <openssl/types.h>

#include <ctime>
#include <string>
#include <vector>

namespace distributex {

// names: the hosts that the certificate proves. These are the dNSNames of the
// subjectAltName; if it has neither a dNSName nor a SPIFFE id, the common name. A name
// with a wildcard, a NUL or another byte that no host name has is left out. uri: the
// SPIFFE id, if it is the only URI of the certificate; it proves no host.
struct CertificateFacts {
  std::vector<std::string> names;
  std::string uri;
  std::time_t not_after = 0;
};
[[nodiscard]] CertificateFacts facts_of(const X509* certificate);

// Seconds since 1970: the end of a certificate's validity, or a CRL's nextUpdate.
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
