// SPDX-License-Identifier: MIT
#include "support/tls_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/text.h"

namespace distributex::test {

namespace {

int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

bool use_certificate(SSL* ssl, const TlsOptions& options) {
  const Bio chain{
      BIO_new_mem_buf(options.certificate.data(), static_cast<int>(options.certificate.size()))};
  const Bio key_pem{BIO_new_mem_buf(options.key.data(), static_cast<int>(options.key.size()))};
  const X509Certificate own{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)};
  const PrivateKey key{PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr)};
  bool good = own && key && SSL_use_certificate(ssl, own.get()) == 1 &&
              SSL_use_PrivateKey(ssl, key.get()) == 1;
  while (X509Certificate next{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    good = good && SSL_add1_chain_cert(ssl, next.get()) == 1;
  }
  ERR_clear_error();
  return good;
}

}  // namespace

TlsClient::TlsClient(uint16_t port, const TlsOptions& options)
    : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_security_level(context_.get(), 0);  // old versions are to be tried, too
  SSL_CTX_set_min_proto_version(context_.get(), options.version);
  SSL_CTX_set_max_proto_version(context_.get(), options.version);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
  ssl_.reset(SSL_new(context_.get()));
  fd_ = connect_to(port);
  SSL_set_fd(ssl_.get(), fd_);
  if (!options.certificate.empty() && !use_certificate(ssl_.get(), options)) {
    error_ = "the test's own certificate cannot be used";
    return;
  }
  if (!options.alpn.empty()) {
    std::string list(1, static_cast<char>(options.alpn.size()));
    list += options.alpn;
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
  if (options.session) {
    SSL_set_session(ssl_.get(), options.session);
  }
  const int on = 1;
  (void)setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // last words must not wait
  connected_ = fd_ >= 0 && SSL_connect(ssl_.get()) == 1;
  if (!connected_) {
    error_ = openssl_error();
  }
}

TlsClient::~TlsClient() {
  ssl_.reset();
  if (fd_ >= 0) {
    close(fd_);
  }
  ERR_clear_error();
}

bool TlsClient::send(std::string_view bytes) {
  ERR_clear_error();
  size_t n = 0;
  return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n) == 1 && n == bytes.size();
}

bool TlsClient::read_more() {
  ERR_clear_error();
  char bytes[16384];
  size_t n = 0;
  if (SSL_read_ex(ssl_.get(), bytes, sizeof bytes, &n) != 1) {
    error_ = SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN ? "end" : openssl_error();
    return false;
  }
  unread_.append(bytes, n);
  return true;
}

std::optional<Response> TlsClient::response() {
  size_t head = 0;
  while ((head = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) {
      return std::nullopt;
    }
  }
  Response response;
  std::string_view lines = std::string_view(unread_).substr(0, head + 2);
  std::string_view first = take_until('\n', lines);
  response.version = take_until(' ', first);
  response.status = parse_whole<int>(take_until(' ', first)).value_or(0);
  response.reason = trimmed(first, "\r");
  while (!lines.empty()) {
    std::string_view value = trimmed(take_until('\n', lines), "\r");
    const std::string name{take_until(':', value)};
    response.headers.emplace_back(name, trimmed(value));
  }
  const size_t size = parse_whole(response.header("Content-Length")).value_or(0);
  unread_.erase(0, head + 4);
  while (unread_.size() < size) {
    if (!read_more()) {
      return std::nullopt;
    }
  }
  response.body = unread_.substr(0, size);
  unread_.erase(0, size);
  return response;
}

Response TlsClient::fetch(std::string_view target, std::string_view extra) {
  if (!send(get_request(target, extra))) {
    return {};
  }
  return response().value_or(Response{});
}

bool TlsClient::ended() {
  while (read_more()) {
  }
  return error_ == "end";
}

void TlsClient::leave(Leave how) {
  const auto reset = [&] {
    const linger now{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  };
  const bool data = how == Leave::data_fin || how == Leave::data_notify_fin;
  const bool notify = how == Leave::notify || how == Leave::notify_fin ||
                      how == Leave::notify_rst || how == Leave::data_notify_fin;
  if (data) {
    send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  if (notify) {
    (void)SSL_shutdown(ssl_.get());
  }
  if (how == Leave::half_fin) {
    (void)shutdown(fd_, SHUT_WR);
  }
  if (how == Leave::rst || how == Leave::notify_rst) {
    reset();
  }
  if (how != Leave::half_fin && how != Leave::notify) {
    close(fd_);
    fd_ = -1;
  }
}

}  // namespace distributex::test
