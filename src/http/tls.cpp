// SPDX-License-Identifier: MIT
// The handshaker's thread computes the handshakes; what follows a handshake is done on the
// loop's thread. OpenSSL has one queue of errors for each thread: it is emptied before each
// call, else an error of one connection would be taken for an error of another. If a peer
// closes its socket without close_notify, that is no error to report: HTTP itself tells
// whether a request was whole.
#include "http/tls.h"

#include <malloc.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "http/certificate.h"

namespace distributex {

namespace {

constexpr size_t most_handshakes = 1024;  // unfinished at a time; each may need 50 KB
constexpr size_t many_handshakes = 256;   // after so many at a time the heap is trimmed
constexpr auto least_handshake = std::chrono::seconds{1};
constexpr std::array<const char*, handshake_count> names = {"full", "resumed", "refused", "left"};

// A client's certificate and the verdict on it, from the handshake of this connection or
// from the earlier handshake that this one resumed.
struct ClientCertificate {
  CertificateFacts facts;
  const char* reason = nullptr;  // nullptr: it was good
  std::string trouble;
  std::string ended;  // the sentence for a certificate that was good and has expired since
};

// OpenSSL's verdict is X509_V_OK also if there is no certificate: so first look for one.
std::unique_ptr<ClientCertificate> certificate_of(const SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate) {
    return nullptr;
  }
  auto client = std::make_unique<ClientCertificate>();
  client->facts = facts_of(certificate);
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
    CertificateTrouble trouble = trouble_of(verdict, certificate);
    client->reason = trouble.reason;
    client->trouble = std::move(trouble.sentence);
  }
  client->ended =
      "your certificate expired on " + date_text(client->facts.not_after) + ": renew it";
  return client;
}

}  // namespace

// cppcheck-suppress CastIntegerToAddressAtReturn
const char* handshake_name(Handshake handshake) { return names[static_cast<size_t>(handshake)]; }

// No TLS state is made before the first byte arrives: a silent client costs no more than on
// a plain address. If the first byte is a capital letter, the client speaks plain HTTP: its
// request is read, and refused with complaint().
class TlsTransport final : public Transport {
 public:
  TlsTransport(Tls& tls, int fd) : tls_(tls), fd_(fd) {}
  ~TlsTransport() override { leave_handshakes(); }
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  Io read(std::span<char> into) override;
  Io write(std::string_view bytes) override;
  [[nodiscard]] bool has_pending() const override { return ssl_ && SSL_has_pending(ssl_.get()); }
  void end() override;
  void identify(Identity& identity) const override;
  [[nodiscard]] const char* complaint() const override {
    return plain_ ? "this address speaks TLS: use https://" : nullptr;
  }

  [[nodiscard]] bool is_cheap() const override { return false; }
  void wakes(event& reading) override { reading_ = &reading; }

  // Ends a handshake that has taken too long: its memory is freed, after the step that the
  // thread is at; the connection ends at the next read().
  void cut();
  [[nodiscard]] Time began() const { return began_; }

 private:
  friend class Tls;
  [[nodiscard]] std::optional<Io> begin();
  std::optional<Io> shake_hands();
  Io outcome(int ssl_error, int reason);
  Io outcome();
  void leave_handshakes();

  Tls& tls_;
  int fd_;
  event* reading_ = nullptr;
  std::unique_ptr<HandshakeStep> step_;  // during the handshake
  Ssl ssl_;                              // after it
  std::unique_ptr<Transport> plain_;
  bool broken_ = false;   // an error has ended the TLS connection
  bool refused_ = false;  // OpenSSL has refused what the peer sent
  Time began_{};
  std::list<TlsTransport*>::iterator place_{};
  // Made by the first identify() after the handshake; looked_ says that this was tried, for
  // a client without a certificate.
  mutable std::unique_ptr<ClientCertificate> certificate_;
  mutable bool looked_ = false;
};

// Looks at the first byte and makes step_ or plain_. Returns an outcome for read() to return
// at once, or nullopt: read() may go on.
std::optional<Io> TlsTransport::begin() {
  char byte = 0;
  const ssize_t n = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return Io{Io::State::wait};
  }
  if (n <= 0) {
    return Io{n == 0 ? Io::State::end : Io::State::broken};
  }
  if (byte >= 'A' && byte <= 'Z') {
    plain_ = make_plain_transport(fd_);
    return std::nullopt;
  }
  return tls_.begin(*this) ? std::nullopt : std::optional{Io{Io::State::broken}};
}

Io TlsTransport::read(std::span<char> into) {
  if (!ssl_ && broken_) {
    return {Io::State::broken};
  }
  if (!step_ && !ssl_ && !plain_) {
    if (const auto instead = begin()) {
      return *instead;
    }
  }
  if (plain_) {
    return plain_->read(into);
  }
  if (step_) {
    if (const auto instead = shake_hands()) {
      return *instead;
    }
  }
  ERR_clear_error();
  size_t n = 0;
  const bool done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n) == 1;
  return done ? Io{Io::State::done, n} : outcome();
}

// Has the next step computed, or takes the outcome of the last one. Returns an outcome for
// read() to return at once, or nullopt: the handshake is over.
std::optional<Io> TlsTransport::shake_hands() {
  if (step_->stage == HandshakeStep::Stage::idle) {
    tls_.handshaker_->post(*step_);
  }
  if (step_->stage == HandshakeStep::Stage::posted) {
    return Io{Io::State::wait_event};
  }
  step_->stage = HandshakeStep::Stage::idle;
  if (step_->ssl_error != SSL_ERROR_NONE) {
    return outcome(step_->ssl_error, step_->reason);
  }
  ssl_ = std::move(step_->ssl);
  leave_handshakes();
  if (SSL_set_fd(ssl_.get(), fd_) != 1) {
    broken_ = true;
    return Io{Io::State::broken};
  }
  return std::nullopt;
}

Io TlsTransport::write(std::string_view bytes) {
  if (plain_) {
    return plain_->write(bytes);
  }
  if (!ssl_ || broken_) {
    return {Io::State::broken};
  }
  ERR_clear_error();
  size_t n = 0;
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n) == 1) {
    return {Io::State::done, n};
  }
  Io io = outcome();
  // outcome() names directions as read() sees them: for write() they are the other way.
  if (io.state == Io::State::wait || io.state == Io::State::wait_other) {
    io.state = io.state == Io::State::wait ? Io::State::wait_other : Io::State::wait;
  }
  return io;
}

// The outcome of a call that moved no bytes, with the directions as read() sees them.
Io TlsTransport::outcome() {
  const int why = SSL_get_error(ssl_.get(), 0);
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  return outcome(why, reason);
}

Io TlsTransport::outcome(int ssl_error, int reason) {
  switch (ssl_error) {
    case SSL_ERROR_WANT_READ:
      return {Io::State::wait};
    case SSL_ERROR_WANT_WRITE:
      return {Io::State::wait_other};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::State::end};
    case SSL_ERROR_SSL:
      refused_ = reason != SSL_R_UNEXPECTED_EOF_WHILE_READING;
      break;
    default:
      break;
  }
  broken_ = true;
  return {Io::State::broken};
}

// Sends close_notify, without waiting for the peer's: for clients with OpenSSL 3 an answer
// that ends with the connection fails without it.
void TlsTransport::end() {
  if (ssl_ && !broken_) {
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  leave_handshakes();
}

void TlsTransport::cut() {
  (void)shutdown(fd_, SHUT_RDWR);
  broken_ = true;
  leave_handshakes();
  event_active(reading_, EV_READ, 0);
}

void TlsTransport::leave_handshakes() {
  if (!step_) {
    return;
  }
  tls_.handshaker_->drop(std::move(step_));
  const bool resumed = ssl_ && SSL_session_reused(ssl_.get());
  tls_.ended(*this, resumed    ? Handshake::resumed
                    : ssl_     ? Handshake::full
                    : refused_ ? Handshake::refused
                               : Handshake::left);
}

// Called for each request, and compares the time each time: a connection or a session may
// outlive the client's certificate.
void TlsTransport::identify(Identity& identity) const {
  identity.private_channel = plain_ == nullptr;
  if (!looked_ && ssl_) {
    looked_ = true;
    certificate_ = certificate_of(ssl_.get());
  }
  if (!certificate_) {
    return;
  }
  const bool ended = wall_seconds() >= certificate_->facts.not_after;
  if (certificate_->reason || ended) {
    identity.trouble = certificate_->reason ? certificate_->trouble : certificate_->ended;
    identity.trouble_reason = certificate_->reason ? certificate_->reason : "expired";
    return;
  }
  identity.certified = true;
  identity.certificate_names = certificate_->facts.names;
  identity.certificate_uri = certificate_->facts.uri;
}

void Tls::start() {
  if (!handshaker_) {
    handshaker_ = std::make_unique<Handshaker>(base_);
  }
}

TransportMaker Tls::maker() {
  return [this](int fd) { return std::make_unique<TlsTransport>(*this, fd); };
}

bool Tls::begin(TlsTransport& transport) {
  const Time now = steady_now();
  if (handshakes_.size() >= most_handshakes) {
    if (now - handshakes_.front()->began() < least_handshake) {
      return false;
    }
    handshakes_.front()->cut();
  }
  auto step = std::make_unique<HandshakeStep>();
  step->ssl.reset(context_ ? SSL_new(context_.get()) : nullptr);
  step->socket = transport.fd_;
  step->when_done = transport.reading_;
  if (!step->ssl || SSL_set_fd(step->ssl.get(), handshaker_->socket()) != 1) {
    ERR_clear_error();
    return false;
  }
  SSL_set_accept_state(step->ssl.get());
  transport.step_ = std::move(step);
  transport.began_ = now;
  transport.place_ = handshakes_.insert(handshakes_.end(), &transport);
  most_at_once_ = std::max(most_at_once_, handshakes_.size());
  return true;
}

// After many handshakes at a time the heap is trimmed: it would keep their memory.
void Tls::ended(TlsTransport& transport, Handshake how) {
  handshakes_.erase(transport.place_);
  ++counts_[static_cast<size_t>(how)];
  if (handshakes_.empty() && std::exchange(most_at_once_, 0) >= many_handshakes) {
    (void)malloc_trim(0);
  }
}

}  // namespace distributex
