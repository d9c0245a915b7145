// SPDX-License-Identifier: MIT
#include "support/authority.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace distributex::test {

namespace {

using X509Extension = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using Asn1Time = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;

// A CA that cannot be made is a broken machine.
template <typename Handle>
Handle need(Handle handle) {
  if (!handle) {
    ERR_print_errors_fp(stderr);
    std::abort();
  }
  return handle;
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

std::string cache_path(KeyKind kind, unsigned number) {
  const char* top = std::getenv("TOP");
  const std::string folder = (top ? std::string(top) : ".") + "/build/test-keys";
  (void)mkdir(((top ? std::string(top) : ".") + "/build").c_str(), 0777);
  (void)mkdir(folder.c_str(), 0777);
  return folder + (kind == KeyKind::rsa4096 ? "/rsa4096-" : "/rsa2048-") + std::to_string(number) +
         ".pem";
}

// Written beside and moved into place: several tests may make the same key.
void keep(const std::string& path, const std::string& pem) {
  const std::string fresh = path + "." + std::to_string(getpid());
  FILE* file = std::fopen(fresh.c_str(), "w");
  if (!file) {
    return;
  }
  const bool whole = std::fwrite(pem.data(), 1, pem.size(), file) == pem.size();
  if (std::fclose(file) == 0 && whole) {
    (void)std::rename(fresh.c_str(), path.c_str());
  }
}

void set_name(X509_NAME* name, const std::string& common_name) {
  if (!common_name.empty()) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
  }
}

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const X509Extension extension{need(X509V3_EXT_conf_nid(nullptr, &context, id, value))};
  X509_add_ext(certificate, extension.get(), -1);
}

void add_alt_names(X509* certificate, const CertificateSpec& spec) {
  if (spec.dns.empty() && spec.uris.empty()) {
    return;
  }
  const X509Names names{need(sk_GENERAL_NAME_new_null())};
  const auto add = [&](int type, const std::string& text) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* value = ASN1_IA5STRING_new();
    ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME_set0_value(name, type, value);
    sk_GENERAL_NAME_push(names.get(), name);
  };
  for (const std::string& dns : spec.dns) {
    add(GEN_DNS, dns);
  }
  for (const std::string& uri : spec.uris) {
    add(GEN_URI, uri);
  }
  X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT);
}

X509Certificate blank_certificate(long serial, EVP_PKEY* key, const std::string& common_name,
                                  long from, long until) {
  X509Certificate certificate{need(X509_new())};
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
  X509_set_pubkey(certificate.get(), key);
  set_name(X509_get_subject_name(certificate.get()), common_name);
  return certificate;
}

}  // namespace

PrivateKey make_key(KeyKind kind, unsigned number) {
  if (kind == KeyKind::ec) {
    return PrivateKey{need(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))};
  }
  const std::string path = cache_path(kind, number);
  if (const Bio kept{BIO_new_file(path.c_str(), "r")}) {
    if (PrivateKey key{PEM_read_bio_PrivateKey(kept.get(), nullptr, nullptr, nullptr)}) {
      return key;
    }
  }
  PrivateKey key{need(EVP_RSA_gen(kind == KeyKind::rsa4096 ? 4096U : 2048U))};
  keep(path, pem_of(key.get()));
  return key;
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio{need(BIO_new(BIO_s_mem()))};
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

std::string pem_of(X509* certificate) {
  const Bio bio{need(BIO_new(BIO_s_mem()))};
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

Authority::Authority(const std::string& name, KeyKind kind, unsigned number, const Authority* above)
    : key_(make_key(kind, number)),
      certificate_(blank_certificate(above ? ++above->serial_ : 1, key_.get(), name, -3600,
                                     10L * 365 * 24 * 3600)) {
  X509* issuer = above ? above->certificate_.get() : certificate_.get();
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(issuer));
  add_extension(certificate_.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate_.get(), issuer, NID_subject_key_identifier, "hash");
  X509_sign(certificate_.get(), above ? above->key_.get() : key_.get(), EVP_sha256());
}

Issued Authority::issue(const CertificateSpec& spec) const {
  Issued issued;
  issued.key = make_key(spec.key, spec.key_number);
  issued.certificate =
      blank_certificate(++serial_, issued.key.get(), spec.common_name, spec.from, spec.until);
  X509* certificate = issued.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_.get()));
  add_extension(certificate, certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  if (!spec.usage.empty()) {
    add_extension(certificate, certificate_.get(), NID_ext_key_usage,
                  ("critical," + spec.usage).c_str());
  }
  add_alt_names(certificate, spec);
  X509_sign(certificate, key_.get(), EVP_sha256());
  issued.pem = pem_of(certificate);
  issued.key_pem = pem_of(issued.key.get());
  return issued;
}

void Authority::revoke(const Issued& issued) {
  revoked_.push_back(ASN1_INTEGER_get(X509_get0_serialNumber(issued.certificate.get())));
}

std::string Authority::crl(long until) const {
  const X509Crl crl{need(X509_CRL_new())};
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(certificate_.get()));
  const Asn1Time last{need(X509_gmtime_adj(nullptr, -3600))};
  const Asn1Time next{need(X509_gmtime_adj(nullptr, until))};
  X509_CRL_set1_lastUpdate(crl.get(), last.get());
  X509_CRL_set1_nextUpdate(crl.get(), next.get());
  for (const long serial : revoked_) {
    X509_REVOKED* entry = need(X509_REVOKED_new());
    ASN1_INTEGER* number = need(ASN1_INTEGER_new());
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(entry, number);
    X509_REVOKED_set_revocationDate(entry, last.get());
    ASN1_INTEGER_free(number);
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  X509_CRL_sort(crl.get());
  X509_CRL_sign(crl.get(), key_.get(), EVP_sha256());
  const Bio bio{need(BIO_new(BIO_s_mem()))};
  PEM_write_bio_X509_CRL(bio.get(), crl.get());
  return text_of(bio.get());
}

Issued PuppetAuthority::agent(const std::string& certname, KeyKind key) const {
  return issuing.issue({.common_name = certname, .dns = {certname}, .key = key});
}

}  // namespace distributex::test
