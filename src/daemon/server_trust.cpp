// SPDX-License-Identifier: MIT
// The server's part in encryption and rights: hands TLS, secrets and access rules to http
// and the engine, warns of certificates that end, and shows the figures.
#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/server.h"
#include "doors/pages/pages.h"
#include "http/certificate.h"

namespace distributex {

namespace {

constexpr timeval daily{.tv_sec = 24L * 60 * 60, .tv_usec = 0};
constexpr std::time_t soon = std::time_t{7} * 24 * 60 * 60;

}  // namespace

std::optional<std::string> Server::open_trust() {
  auto made = make_trust(setup_.settings.trust, addresses(setup_.settings),
                         setup_.settings.service.pools, wall_seconds());
  if (auto* error = std::get_if<std::string>(&made)) {
    return std::move(*error);
  }
  take_trust(std::move(std::get<TrustSetup>(made)));
  evtimer_add(daily_.get(), &daily);
  return std::nullopt;
}

std::vector<std::string> Server::addresses(const Settings& settings) const {
  if (!inherited_addresses_.empty()) {
    return inherited_addresses_;
  }
  return addresses_of(setup_.listen, settings.service.listen);
}

void Server::take_trust(TrustSetup trust) {
  for (const std::string& warning : trust.warnings) {
    log_line(Level::warning, "%s", warning.c_str());
  }
  tls_.set_context(std::move(trust.tls.context));
  certificate_ends_ = trust.tls.certificate_ends;
  crl_ends_ = trust.tls.crl_ends;
  http_.trust().configure(!trust.access.open(), trust.secrets_in_clear, std::move(trust.secrets));
  engine_.set_access(
      std::move(trust.access), [this](Ticket ticket) { return http_.identity(ticket); },
      steady_now());
  holds_.end_refused([this](Ticket ticket, const std::string& pool,
                            const Owner& owner) -> std::optional<std::string> {
    auto denied = engine_.access().refuses_lock(http_.identity(ticket), pool, owner.host);
    return denied ? std::optional{std::move(denied->error)} : std::nullopt;
  });
}

void Server::on_daily(int, short, void* self) noexcept {
  static_cast<Server*>(self)->warn_of_ends();
}

void Server::warn_of_ends() {
  const std::time_t now = wall_seconds();
  const auto warn = [&](const char* what, std::time_t ends) {
    if (ends - now < soon) {
      log_line(Level::warning, "%s %s %s", what, ends <= now ? "ended on" : "ends on",
               date_text(ends).c_str());
    }
  };
  if (certificate_ends_ != 0) {
    warn("the server's certificate", certificate_ends_);
  }
  if (crl_ends_) {
    warn("the CRL", *crl_ends_);
  }
  evtimer_add(daily_.get(), &daily);
}

// The returned views are valid until the next call.
Origin Server::origin(Ticket ticket) {
  by_ = http_.trust().judging() ? by_text(http_.identity(ticket)) : std::string{};
  return {http_.peer(ticket), by_};
}

std::vector<Figure> Server::trust_figures() {
  std::vector<Figure> figures;
  const auto ends_in = [&](const char* name, const char* help, std::time_t ends) {
    figures.push_back({.name = name,
                       .help = help,
                       .value = static_cast<double>(ends) - static_cast<double>(wall_seconds())});
  };
  if (certificate_ends_ != 0) {
    for (size_t i = 0; i < handshake_count; ++i) {
      figures.push_back({.kind = Figure::Kind::counter,
                         .name = "tls_handshakes_total",
                         .help = "TLS handshakes, by how they ended.",
                         .label = {"result", handshake_name(static_cast<Handshake>(i))},
                         .value = static_cast<double>(tls_.counts()[i])});
    }
    ends_in("tls_certificate_expiry_seconds", "Until the server's certificate ends.",
            certificate_ends_);
  }
  if (crl_ends_) {
    ends_in("tls_crl_expiry_seconds", "Until the list of revoked certificates ends.", *crl_ends_);
  }
  for (const auto& [reason, count] : http_.trust().failures()) {
    figures.push_back({.kind = Figure::Kind::counter,
                       .name = "auth_failures_total",
                       .help = "Secrets and certificates that proved nothing, by the reason.",
                       .label = {"reason", reason},
                       .value = static_cast<double>(count)});
  }
  return figures;
}

}  // namespace distributex
