// SPDX-License-Identifier: MIT
// TLS 1.2 is the least version; newer versions, ciphers, groups and key lengths are those of
// the system's openssl.cnf. If a CA is configured the handshake asks for a client's
// certificate, but never requires one: the verdict on it is kept, so that a client whose
// certificate is refused gets an HTTP answer that says why.
#include "http/tls_context.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "http/certificate.h"

namespace distributex {

namespace {

constexpr int many_cas = 20;  // more than so many are worth a warning
// Warn in the last week, but only in the last quarter of the validity: some certificates are
// valid for a day only.
constexpr std::time_t soon = std::time_t{7} * 24 * 60 * 60;
constexpr std::time_t last_part = 4;
constexpr unsigned char session_context[] = "distributexd tls";

using Error = std::optional<std::string>;

// libssl calls this instead of X509_verify_cert(). The result 1 lets the handshake go on.
int keep_verdict(X509_STORE_CTX* verification, void*) noexcept {
  (void)X509_verify_cert(verification);
  return 1;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) noexcept {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, ours, sizeof ours - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Without this callback OpenSSL would ask for a passphrase at the terminal.
int no_passphrase(char*, int, int, void*) noexcept { return 0; }

std::string unreadable(const std::string& file, int error) {
  std::string text = file + ": " + std::strerror(error);
  if (error == EACCES) {
    text += "; let the user that distributexd runs as read it (for a key: mode 0640 and its group)";
  }
  return text;
}

Error check_readable(const std::string& file) {
  const Bio bio{BIO_new_file(file.c_str(), "r")};
  const int error = errno;
  struct stat st {};
  ERR_clear_error();
  if (!bio) {
    return unreadable(file, error);
  }
  if (stat(file.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    return file + ": is no file";
  }
  return std::nullopt;
}

void set_manners(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
}

void warn_of_mode(const std::string& file, TlsContext& made) {
  struct stat st {};
  if (stat(file.c_str(), &st) == 0 && (st.st_mode & S_IROTH) != 0) {
    made.warnings.push_back(file + ": everybody on this machine can read the private key");
  }
}

void warn_of_end(const std::string& file, const char* what, const ASN1_TIME* start,
                 const ASN1_TIME* end, std::time_t now, TlsContext& made) {
  const std::time_t ends = seconds_of(end);
  const std::time_t life = ends - seconds_of(start);
  if (ends <= now) {
    made.warnings.push_back(file + ": " + what + " ended on " + date_text(ends));
  } else if (ends - now < soon && ends - now < life / last_part) {
    made.warnings.push_back(file + ": " + what + " ends on " + date_text(ends));
  }
}

Error add_certificate(const std::string& file, const std::string& key, std::time_t now,
                      TlsContext& made) {
  SSL_CTX* context = made.context.get();
  for (const std::string& name : {file, key}) {
    if (auto error = check_readable(name)) {
      return error;
    }
  }
  if (SSL_CTX_use_certificate_chain_file(context, file.c_str()) != 1) {
    return file + ": has no certificate that can be used (" + openssl_error() +
           "); PEM is needed, the server's own certificate first";
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return key + ": has no key that fits " + file + " (" + openssl_error() +
           "); PEM without a passphrase is needed";
  }
  warn_of_mode(key, made);
  const X509* certificate = SSL_CTX_get0_certificate(context);
  const std::time_t ends = seconds_of(X509_get0_notAfter(certificate));
  if (made.certificate_ends == 0 || ends < made.certificate_ends) {
    made.certificate_ends = ends;
  }
  warn_of_end(file, "the server's certificate", X509_get0_notBefore(certificate),
              X509_get0_notAfter(certificate), now, made);
  return std::nullopt;
}

// Whether the file has a CA without the CA that issued it: then the intermediate CA itself
// is trusted.
bool lacks_a_root(const STACK_OF(X509_OBJECT) * objects) {
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    X509* ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    bool has_issuer = false;
    for (int j = 0; ca && !has_issuer && j < sk_X509_OBJECT_num(objects); ++j) {
      X509* other = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, j));
      has_issuer = other && X509_check_issued(other, ca) == X509_V_OK;
    }
    if (ca && !has_issuer) {
      return true;
    }
  }
  return false;
}

Error trust_clients_of(const std::string& file, TlsContext& made) {
  SSL_CTX* context = made.context.get();
  if (auto error = check_readable(file)) {
    return error;
  }
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return file + ": has no certificate of a CA (" + openssl_error() + "); PEM is needed";
  }
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (!names) {
    return file + ": has no certificate of a CA (" + openssl_error() + "); PEM is needed";
  }
  if (const int count = sk_X509_NAME_num(names); count > many_cas) {
    made.warnings.push_back(file + ": has " + decimal(static_cast<uint64_t>(count)) +
                            " CAs, whose names go into each handshake, and a certificate of any "
                            "of them proves a host; name your own CA alone");
  }
  SSL_CTX_set_client_CA_list(context, names);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  if (lacks_a_root(X509_STORE_get0_objects(store))) {
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  SSL_CTX_set_cert_verify_callback(context, keep_verdict, nullptr);
  return std::nullopt;
}

std::string name_text(const X509_NAME* name) {
  char text[256];
  return X509_NAME_oneline(name, text, sizeof text) ? escaped(text) : "unknown";
}

bool has_crl_of(const STACK_OF(X509_OBJECT) * objects, const X509_NAME* issuer) {
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const X509_CRL* crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
    if (crl && X509_NAME_cmp(X509_CRL_get_issuer(crl), issuer) == 0) {
      return true;
    }
  }
  return false;
}

void warn_of_missing_crls(const std::string& file, TlsContext& made) {
  X509_STORE* store = SSL_CTX_get_cert_store(made.context.get());
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const X509* ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (ca && !has_crl_of(objects, X509_get_subject_name(ca))) {
      made.warnings.push_back(file + ": has no CRL of " + name_text(X509_get_subject_name(ca)) +
                              ": certificates below it are refused");
    }
  }
}

// If a chain ends at an intermediate CA, only the client's certificate is looked up in a
// CRL: the CRL about the intermediate CA comes from the root, which is not configured.
Error add_crls(const std::string& file, std::time_t now, TlsContext& made) {
  if (auto error = check_readable(file)) {
    return error;
  }
  X509_STORE* store = SSL_CTX_get_cert_store(made.context.get());
  const Bio bio{BIO_new_file(file.c_str(), "r")};
  int count = 0;
  for (; const X509Crl crl{PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr)};
       ++count) {
    if (X509_STORE_add_crl(store, crl.get()) != 1) {
      return file + ": has a CRL that cannot be used (" + openssl_error() + ")";
    }
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl.get());
    if (next && (!made.crl_ends || seconds_of(next) < *made.crl_ends)) {
      made.crl_ends = seconds_of(next);
    }
    if (next) {
      warn_of_end(file, "the CRL", X509_CRL_get0_lastUpdate(crl.get()), next, now, made);
    }
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (count == 0 || !at_end) {
    return file + ": has no CRL that can be read (" + openssl_error() + "); PEM is needed";
  }
  ERR_clear_error();
  const bool partial = lacks_a_root(X509_STORE_get0_objects(store));
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | (partial ? 0 : X509_V_FLAG_CRL_CHECK_ALL));
  warn_of_missing_crls(file, made);
  return std::nullopt;
}

}  // namespace

std::variant<TlsContext, std::string> make_tls_context(const TlsFiles& files, std::time_t now) {
  TlsContext made;
  ERR_clear_error();
  made.context.reset(SSL_CTX_new(TLS_server_method()));
  if (!made.context) {
    return "OpenSSL cannot make a TLS context: " + openssl_error();
  }
  set_manners(made.context.get());
  for (size_t i = 0; i < files.certificates.size() && i < files.keys.size(); ++i) {
    if (auto error = add_certificate(files.certificates[i], files.keys[i], now, made)) {
      return std::move(*error);
    }
  }
  if (!files.client_ca.empty()) {
    if (auto error = trust_clients_of(files.client_ca, made)) {
      return std::move(*error);
    }
  }
  if (!files.crl.empty()) {
    if (auto error = add_crls(files.crl, now, made)) {
      return std::move(*error);
    }
  }
  return made;
}

}  // namespace distributex
