// SPDX-License-Identifier: MIT
// OpenSSL's queue of errors belongs to the thread: it is emptied before each call,
// or an error of one connection would be taken for that of another. The end of a
// socket without close_notify is an end like any other: HTTP tells by itself
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

constexpr size_t most_handshakes = 1024;  // unfinished ones; each may have 50 KB
constexpr size_t many_handshakes = 256;   // worth a look at the heap afterwards
constexpr auto least_handshake = std::chrono::seconds{1};
constexpr std::array<const char*, handshake_count> names = {"full", "resumed", "refused", "left"};
constexpr timeval at_once{};

// A client's certificate as its handshake, or that of the resumed session, judged it.
struct ClientCertificate {
  CertificateFacts facts;
  const char* reason = nullptr;  // nullptr: it was good
  std::string trouble;
  std::string ended;  // the sentence for one that was good and has ended since
};

// Without a certificate OpenSSL's verdict is X509_V_OK too: the certificate is
// looked for first.
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

// Nothing is made before the first byte: who is silent costs no more than on a
// plain address. A capital letter there begins plain HTTP, which is read to be
// told that it is wrong here.
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

  // It has had its time: its memory is free at once, and read() will find the end.
  void cut();
  [[nodiscard]] Time began() const { return began_; }

 private:
  friend class Tls;
  [[nodiscard]] std::optional<Io> begin();
  [[nodiscard]] bool is_open() const { return ssl_ && SSL_is_init_finished(ssl_.get()); }
  Io outcome();
  void leave_handshakes();

  Tls& tls_;
  int fd_;
  Ssl ssl_;
  std::unique_ptr<Transport> plain_;
  bool broken_ = false;   // OpenSSL wants to say nothing more
  bool refused_ = false;  // by OpenSSL, before the handshake's end
  bool in_handshake_ = false;
  Time began_{};
  std::list<TlsTransport*>::iterator place_{};
  // Made when somebody asks; one that shows none is not asked for it again.
  mutable std::unique_ptr<ClientCertificate> certificate_;
  mutable bool looked_ = false;
};

// What is done instead of reading TLS; nullopt: nothing.
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
  ssl_ = tls_.begin(*this, fd_);
  if (!ssl_) {
    return Io{Io::State::broken};
  }
  return std::nullopt;
}

Io TlsTransport::read(std::span<char> into) {
  if (!ssl_ && broken_) {
    return {Io::State::broken};
  }
  if (!ssl_ && !plain_) {
    if (const auto instead = begin()) {
      return *instead;
    }
  }
  if (plain_) {
    return plain_->read(into);
  }
  if (in_handshake_ && !tls_.may_step()) {
    return {Io::State::wait};
  }
  ERR_clear_error();
  size_t n = 0;
  const bool done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n) == 1;
  const Io io = done ? Io{Io::State::done, n} : outcome();
  if (is_open()) {
    leave_handshakes();
  }
  return io;
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
  // Of writing, what waits to write waits in its own direction.
  if (io.state == Io::State::wait || io.state == Io::State::wait_other) {
    io.state = io.state == Io::State::wait ? Io::State::wait_other : Io::State::wait;
  }
  return io;
}

// Of a call that moved nothing, as reading sees it.
Io TlsTransport::outcome() {
  const int why = SSL_get_error(ssl_.get(), 0);
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  switch (why) {
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

// close_notify, without waiting for the other one: clients of OpenSSL 3 fail on what
// ends with the connection if it is missing.
void TlsTransport::end() {
  if (is_open() && !broken_) {
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
  ssl_.reset();
}

void TlsTransport::leave_handshakes() {
  if (!in_handshake_) {
    return;
  }
  in_handshake_ = false;
  const bool resumed = is_open() && SSL_session_reused(ssl_.get());
  tls_.ended(*this, resumed     ? Handshake::resumed
                    : is_open() ? Handshake::full
                    : refused_  ? Handshake::refused
                                : Handshake::left);
}

// Asked at each request: connections and sessions outlive certificates.
void TlsTransport::identify(Identity& identity) const {
  identity.private_channel = plain_ == nullptr;
  if (!looked_ && is_open()) {
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

Tls::Tls(event_base* base) : pass_(evtimer_new(base, on_pass, this)) {}

TransportMaker Tls::maker() {
  return [this](int fd) { return std::make_unique<TlsTransport>(*this, fd); };
}

Ssl Tls::begin(TlsTransport& transport, int fd) {
  const Time now = steady_now();
  if (handshakes_.size() >= most_handshakes) {
    if (now - handshakes_.front()->began() < least_handshake) {
      return nullptr;
    }
    handshakes_.front()->cut();
  }
  Ssl ssl{context_ ? SSL_new(context_.get()) : nullptr};
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(ssl.get());
  transport.in_handshake_ = true;
  transport.began_ = now;
  transport.place_ = handshakes_.insert(handshakes_.end(), &transport);
  most_at_once_ = std::max(most_at_once_, handshakes_.size());
  return ssl;
}

// The timer fires behind the sockets of the next pass, so the step after this one
// is done in the pass behind that.
bool Tls::may_step() {
  if (stepped_) {
    return false;
  }
  stepped_ = true;
  evtimer_add(pass_.get(), &at_once);
  return true;
}

void Tls::on_pass(int, short, void* self) noexcept { static_cast<Tls*>(self)->stepped_ = false; }

// The memory of many handshakes at a time is given back to the system: the heap would
// keep it.
void Tls::ended(TlsTransport& transport, Handshake how) {
  handshakes_.erase(transport.place_);
  ++counts_[static_cast<size_t>(how)];
  if (handshakes_.empty() && std::exchange(most_at_once_, 0) >= many_handshakes) {
    (void)malloc_trim(0);
  }
}

}  // namespace distributex
