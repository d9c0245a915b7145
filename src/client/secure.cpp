// SPDX-License-Identifier: MIT
//
// libcurl's sentences about certificates are written for users of browsers, and one of them
// ("failed to verify the legitimacy of the server") also comes when the server refuses this client.
// So this file has sentences of its own for the cases that an administrator can mend.
#include "client/secure.h"

#include <errno.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "client/curl.h"

namespace distributex::client {

namespace {

// OpenSSL's numbers for faults of a chain of certificates (X509_V_ERR_*).
constexpr long certificate_expired = 10;
constexpr long first_of_no_ca = 18;
constexpr long last_of_no_ca = 21;

bool mentions(const char* detail, std::string_view words) {
  return std::string_view(detail).find(words) != std::string_view::npos;
}

// "FILE: Permission denied", or FILE with the library's text.
std::string about_file(const std::string& file, const char* detail) {
  const bool is_readable = access(file.c_str(), R_OK) == 0;
  return file + ": " + (is_readable ? printable(detail) : strerrordesc_np(errno));
}

}  // namespace

void Secure::CleanUp::operator()(void* share) const noexcept { (void)curl_share_cleanup(share); }

// If the file cannot be read now, the secret that was read last stays.
const std::string& Secure::secret() {
  std::string ignored;
  if (!proofs_.secret_file.empty()) {
    if (auto fresh = read_secret(proofs_.secret_file, ignored)) {
      proofs_.secret = std::move(*fresh);
    }
  }
  return proofs_.secret;
}

curl_slist* Secure::prepare(void* easy, const Server& server) {
  if (server.tls) {
    ++connections_;
    set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!proofs_.cacert.empty()) {
      set(easy, CURLOPT_CAINFO, proofs_.cacert.c_str());
    }
    if (!proofs_.cert.empty()) {
      set(easy, CURLOPT_SSLCERT, proofs_.cert.c_str());
      set(easy, CURLOPT_SSLKEY, (proofs_.key.empty() ? proofs_.cert : proofs_.key).c_str());
    }
    if (!sessions_) {
      sessions_.reset(curl_share_init());
      if (!sessions_ || curl_share_setopt(static_cast<CURLSH*>(sessions_.get()), CURLSHOPT_SHARE,
                                          CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
        give_up_on_curl("curl_share_init");
      }
    }
    set(easy, CURLOPT_SHARE, sessions_.get());
    set(easy, CURLOPT_SSL_SESSIONID_CACHE, resumes_ ? 1L : 0L);
  }
  if (secret().empty()) {
    return nullptr;
  }
  curl_slist* headers =
      curl_slist_append(nullptr, ("Authorization: Bearer " + proofs_.secret).c_str());
  if (headers == nullptr) {
    give_up_on_curl("curl_slist_append");
  }
  set(easy, CURLOPT_HTTPHEADER, headers);
  return headers;
}

bool Secure::begins_afresh(void* easy, const Server& server, long status) {
  const bool is_refused = status == 401 || status == 403;
  if (!is_refused || !server.tls || proofs_.cert.empty() || connections_ < 2 || !resumes_) {
    return false;
  }
  resumes_ = false;
  set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  return true;
}

std::optional<std::string> Secure::explain(void* easy, int code, const char* detail,
                                           const Server& server) const {
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return explain_server(easy, detail, server);
  }
  if (code == CURLE_SSL_CACERT_BADFILE) {
    return "the CAs of servers cannot be read from " +
           about_file(proofs_.cacert.empty() ? "the system's file" : proofs_.cacert, detail);
  }
  if (code == CURLE_SSL_CERTPROBLEM) {
    const bool is_about_key = access(proofs_.cert.c_str(), R_OK) == 0 && !proofs_.key.empty();
    return "this host's certificate cannot be used: " +
           about_file(is_about_key ? proofs_.key : proofs_.cert, detail);
  }
  if (code == CURLE_SSL_CONNECT_ERROR && mentions(detail, "wrong version number")) {
    return "the server speaks no TLS at this port: ask it at http://, or at its port for TLS";
  }
  if (code == CURLE_SSL_CONNECT_ERROR && mentions(detail, "alert")) {
    return "no TLS connection: " + printable(detail);
  }
  if (server.tls && mentions(detail, "alert")) {
    return "the server refuses this client: " + printable(detail);
  }
  return std::nullopt;
}

std::string Secure::explain_server(void* easy, const char* detail, const Server& server) const {
  long verdict = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  if (verdict == certificate_expired) {
    return "the server's certificate has expired";
  }
  if (verdict >= first_of_no_ca && verdict <= last_of_no_ca) {
    return proofs_.cacert.empty()
               ? "the server's certificate is of no CA that this host trusts: name its CA with "
                 "--cacert FILE"
               : "the server's certificate is of no CA in " + proofs_.cacert;
  }
  if (mentions(detail, "subject name")) {
    return "the server's certificate is not for the name " + server.host +
           ": ask it by a name that is in its certificate";
  }
  return verdict == 0 ? "the server refuses this client's certificate: " + printable(detail)
                      : "the server's certificate is no good: " + printable(detail);
}

}  // namespace distributex::client
