// SPDX-License-Identifier: MIT
#include "support/client_hello.h"

#include <openssl/err.h>

#include "http/openssl.h"

namespace distributex::test {

std::string client_hello(int version) {
  const SslContext context{SSL_CTX_new(TLS_client_method())};
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const Ssl ssl{SSL_new(context.get())};
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl.get());
  (void)SSL_do_handshake(ssl.get());
  ERR_clear_error();
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

}  // namespace distributex::test
