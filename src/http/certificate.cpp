// SPDX-License-Identifier: MIT
#include "http/certificate.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "http/openssl.h"

namespace distributex {

namespace {

constexpr size_t host_max = 253;
constexpr size_t uri_max = 2048;  // of a SPIFFE id
constexpr int names_max = 100;    // of one certificate; further names are ignored

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= host_max &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const char small = lower(c);
           return is_digit(c) || (small >= 'a' && small <= 'z') || c == '.' || c == '-' || c == '_';
         });
}

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

bool is_spiffe_id(std::string_view uri) {
  return uri.starts_with("spiffe://") && uri.size() <= uri_max &&
         std::all_of(uri.begin(), uri.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// The last common name, which is the most specific one.
std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    last = at;
  }
  if (last < 0) {
    return {};
  }
  return std::string(bytes_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last))));
}

struct AltNames {
  bool any_dns = false;
  int uris = 0;
};

AltNames take_alt_names(const X509* certificate, CertificateFacts& facts) {
  AltNames found;
  const X509Names names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && i < names_max; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      found.any_dns = true;
      if (const auto text = bytes_of(name->d.dNSName); is_host_name(text)) {
        facts.names.emplace_back(text);
      }
    } else if (name->type == GEN_URI) {
      ++found.uris;
      const auto text = bytes_of(name->d.uniformResourceIdentifier);
      facts.uri = is_spiffe_id(text) ? std::string(text) : "";
    }
  }
  if (found.uris != 1) {
    facts.uri.clear();
  }
  return found;
}

}  // namespace

CertificateFacts facts_of(const X509* certificate) {
  CertificateFacts facts;
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  const AltNames found = take_alt_names(certificate, facts);
  if (!found.any_dns && facts.uri.empty()) {
    if (std::string name = common_name(certificate); is_host_name(name)) {
      facts.names.push_back(std::move(name));
    }
  }
  return facts;
}

std::time_t seconds_of(const ASN1_TIME* time) {
  tm parts{};
  return time && ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

std::string date_text(std::time_t time) {
  char text[64];
  tm parts{};
  gmtime_r(&time, &parts);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

CertificateTrouble trouble_of(long verify_result, const X509* certificate) {
  switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {"expired", "your certificate, or the CA's, expired (yours ends on " +
                             date_text(seconds_of(X509_get0_notAfter(certificate))) +
                             "): renew it"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {"early", "your certificate is not valid before " +
                           date_text(seconds_of(X509_get0_notBefore(certificate))) +
                           ": compare the clocks"};
    case X509_V_ERR_CERT_REVOKED:
      return {"revoked", "your certificate was revoked: ask for a new one"};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {"unknown_ca",
              "your certificate was issued by a CA that this server does not know: use one of a CA "
              "in tls_client_ca, with "
              "the intermediate certificates"};
    case X509_V_ERR_INVALID_PURPOSE:
      return {"purpose", "your certificate is not one for clients: it lacks clientAuth"};
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
      return {"crl", "no certificate can be judged: the server's tls_crl lacks the CRL of a CA"};
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return {"crl", "no certificate can be judged: the server's tls_crl is not valid now"};
    default:
      return {"invalid", std::string("your certificate was not accepted: ") +
                             X509_verify_cert_error_string(verify_result)};
  }
}

}  // namespace distributex
