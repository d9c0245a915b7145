// SPDX-License-Identifier: MIT
// A TLS client over a blocking socket to 127.0.0.1, for tests: versions, client
// certificates, sessions to be resumed, and each way of leaving. Reads one HTTP
// answer at a time. A socket that is silent for `patience` has failed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/openssl.h"
#include "support/http.h"

namespace distributex::test {

using SslSession = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;

struct TlsOptions {
  int version = TLS1_3_VERSION;  // this one and no other
  std::string certificate{};     // PEM of the client's, then its intermediates
  std::string key{};
  std::string alpn{};  // one protocol
  SSL_SESSION* session = nullptr;
};

enum class Leave { fin, half_fin, rst, notify, notify_fin, notify_rst, data_fin, data_notify_fin };
inline constexpr size_t leave_count = static_cast<size_t>(Leave::data_notify_fin) + 1;

class TlsClient {
 public:
  explicit TlsClient(uint16_t port, const TlsOptions& options = {});
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  // Why the handshake or the last read failed, in OpenSSL's words.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] SslSession session() const { return SslSession{SSL_get1_session(ssl_.get())}; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] int fd() const { return fd_; }

  bool send(std::string_view bytes);
  [[nodiscard]] std::optional<Response> response();
  [[nodiscard]] Response fetch(std::string_view target, std::string_view extra = "");
  // Whether the server has ended the connection, in order.
  [[nodiscard]] bool ended();
  void leave(Leave how);

 private:
  bool read_more();

  SslContext context_;
  Ssl ssl_;
  int fd_ = -1;
  bool connected_ = false;
  std::string error_;
  std::string unread_;
};

}  // namespace distributex::test
