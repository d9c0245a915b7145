// SPDX-License-Identifier: MIT
#include "daemon/trust.h"

#include <algorithm>
#include <optional>

#include "base/network.h"
#include "base/pattern.h"
#include "base/text.h"

namespace distributex {

namespace {

using Error = std::optional<std::string>;

constexpr std::string_view tls_prefix = "tls:";
constexpr std::string_view unix_prefix = "unix:";
constexpr size_t by_max = 255;  // bytes of a name in an event

bool is_tls(std::string_view address) { return address.starts_with(tls_prefix); }
bool is_unix(std::string_view address) { return address.starts_with(unix_prefix); }

std::string_view without_prefix(std::string_view address) {
  return is_tls(address) ? address.substr(tls_prefix.size()) : address;
}

std::string_view host_of(std::string_view address) {
  const std::string_view host = address.substr(0, address.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::string_view port_of(std::string_view address) {
  return address.substr(std::min(address.rfind(':'), address.size()));
}

// Whether both addresses are the same port of the same host.
bool collide(std::string_view a, std::string_view b) {
  const std::string_view port = port_of(a);
  return !is_unix(a) && !is_unix(b) && port == port_of(b) && port != ":0" &&
         (host_of(a) == host_of(b) || host_of(a) == "*" || host_of(b) == "*");
}

bool is_exposed(std::string_view address) {
  const auto host = parse_address(host_of(address));
  return !is_tls(address) && !is_unix(address) && !(host && is_loopback(*host));
}

Error check_listen(const TrustOptions& options, std::span<const std::string> listen) {
  for (const std::string& address : listen) {
    if (!is_tls(address)) {
      continue;
    }
    if (options.tls_certificate.empty()) {
      return "listen: " + in_quotes(address) +
             " needs a certificate and its key; write tls_certificate and tls_key";
    }
    for (const std::string& other : listen) {
      if (!is_tls(other) && collide(without_prefix(address), other)) {
        return "listen: " + in_quotes(address) + " and " + in_quotes(other) +
               " use the same port, which cannot serve both TLS and plain HTTP; give them two "
               "ports";
      }
    }
  }
  return std::nullopt;
}

Error check_files(const TrustOptions& options) {
  if (options.tls_certificate.size() != options.tls_key.size()) {
    return "tls_key: there are " + decimal(options.tls_certificate.size()) +
           " files in tls_certificate and " + decimal(options.tls_key.size()) +
           " in tls_key; write one key for each certificate, in the same order";
  }
  if (!options.tls_client_ca.empty() && options.tls_certificate.empty()) {
    return "tls_client_ca: clients show certificates over TLS only; write tls_certificate and "
           "tls_key, and an address with tls: in listen";
  }
  if (!options.tls_crl.empty() && options.tls_client_ca.empty()) {
    return "tls_crl: there is no tls_client_ca whose certificates it could revoke; write both";
  }
  return std::nullopt;
}

Error check_who(const Who& who, const TrustOptions& options, const Secrets& secrets) {
  if (who.kind == Who::Kind::certificate && options.tls_client_ca.empty()) {
    return "access: " + to_text(who) +
           " can be proven by nobody; write tls_client_ca, the CA of the clients";
  }
  if (who.kind == Who::Kind::secret && options.secrets.empty()) {
    return "access: " + to_text(who) + " can be proven by nobody; write secrets, the file of them";
  }
  if (who.kind == Who::Kind::secret && !who.name.empty() && !secrets.has(who.name)) {
    return "access: " + to_text(who) + " is in no line of " + options.secrets +
           "; make it with distributexd --make-secret " + who.name;
  }
  return std::nullopt;
}

Error check_pools(const AccessRule& rule, std::span<const PoolSpec> pools) {
  for (const std::string& pattern : rule.pools) {
    const bool fits = std::any_of(pools.begin(), pools.end(), [&](const PoolSpec& pool) {
      return patterns_meet(pattern, pool.name);
    });
    if (!fits) {
      return "access: pools " + in_quotes(pattern) +
             " is no pool of this file; write the name of one, or a pattern that fits some";
    }
  }
  return std::nullopt;
}

// The configuration's rules have checked the texts of the row already.
AccessRule rule_of(const AccessRow& row) {
  AccessRule rule{.who = {}, .may = find_may(row.may).value_or(May::lock), .pools = row.pools};
  rule.hosts = row.hosts;
  for (const std::string& text : row.who) {
    auto who = parse_who(text);
    if (auto* good = std::get_if<Who>(&who)) {
      rule.who.push_back(std::move(*good));
    }
  }
  for (const std::string& text : row.from) {
    if (const auto network = parse_network(text)) {
      rule.from.push_back(*network);
    }
  }
  return rule;
}

Error make_access(const TrustOptions& options, std::span<const PoolSpec> pools, TrustSetup& made) {
  const bool certificates = !options.tls_client_ca.empty();
  const bool secrets = !options.secrets.empty();
  std::vector<AccessRule> rules;
  for (const AccessRow& row : options.access) {
    rules.push_back(rule_of(row));
    for (const Who& who : rules.back().who) {
      if (auto error = check_who(who, options, made.secrets)) {
        return error;
      }
    }
    if (auto error = check_pools(rules.back(), pools)) {
      return error;
    }
  }
  if (rules.empty() && !certificates && !secrets) {
    return std::nullopt;
  }
  made.access =
      Access(rules.empty() ? default_rules(certificates, secrets) : std::move(rules), secrets);
  return std::nullopt;
}

void warn_of_the_weak(const TrustOptions& options, std::span<const std::string> listen,
                      std::span<const PoolSpec> pools, TrustSetup& made) {
  const auto exposed = std::find_if(listen.begin(), listen.end(), is_exposed);
  if (exposed != listen.end() && !options.secrets.empty()) {
    made.warnings.push_back(options.secrets_in_clear
                                ? "secrets_in_clear: whoever sees the network on the way to " +
                                      in_quotes(*exposed) + " can read secrets"
                                : "listen: " + in_quotes(*exposed) +
                                      " is plain, so secrets that come there are refused");
  }
  const bool any_tls = std::any_of(listen.begin(), listen.end(), is_tls);
  if (!options.tls_certificate.empty() && !any_tls) {
    made.warnings.emplace_back("listen: no address has tls:, so tls_certificate is not used");
  }
  if (made.access.open()) {
    return;
  }
  const Identity stranger{.address = {}};
  for (const PoolSpec& pool : pools) {
    Identity somebody = stranger;
    static constexpr uint8_t nowhere[4] = {0, 0, 0, 0};
    somebody.address = nowhere;
    if (made.access.allows(somebody, May::lock, pool.name)) {
      made.warnings.push_back("access: anyone may lock pool " + in_quotes(pool.name) +
                              ", in the name of any host");
    }
  }
}

}  // namespace

std::variant<TrustSetup, std::string> make_trust(const TrustOptions& options,
                                                 std::span<const std::string> listen,
                                                 std::span<const PoolSpec> pools, std::time_t now) {
  TrustSetup made;
  made.secrets_in_clear = options.secrets_in_clear;
  for (auto error : {check_files(options), check_listen(options, listen)}) {
    if (error) {
      return std::move(*error);
    }
  }
  if (!options.tls_certificate.empty()) {
    auto tls = make_tls_context({.certificates = options.tls_certificate,
                                 .keys = options.tls_key,
                                 .client_ca = options.tls_client_ca,
                                 .crl = options.tls_crl},
                                now);
    if (auto* error = std::get_if<std::string>(&tls)) {
      return std::move(*error);
    }
    made.tls = std::get<TlsContext>(std::move(tls));
    made.warnings = std::move(made.tls.warnings);
  }
  if (!options.secrets.empty()) {
    auto secrets = Secrets::load(options.secrets);
    if (auto* error = std::get_if<std::string>(&secrets)) {
      return std::move(*error);
    }
    made.secrets = std::get<Secrets>(std::move(secrets));
  }
  if (auto error = make_access(options, pools, made)) {
    return std::move(*error);
  }
  warn_of_the_weak(options, listen, pools, made);
  return made;
}

std::string explain_access(const Access& access, std::span<const PoolSpec> pools) {
  std::string text;
  for (const PoolSpec& pool : pools) {
    text.append("pool ").append(escaped(pool.name)).append("\n");
    for (const std::string& line : access.explain(pool.name)) {
      text.append("  ").append(line).append("\n");
    }
  }
  return text;
}

std::string by_text(const Identity& identity) {
  if (identity.certified) {
    const std::string_view name = identity.certificate_names.empty()
                                      ? identity.certificate_uri
                                      : std::string_view(identity.certificate_names.front());
    return "certificate:" + std::string(name.substr(0, by_max));
  }
  return identity.secret_name.empty() ? "" : "secret:" + std::string(identity.secret_name);
}

std::string check_who(std::string_view text) {
  auto who = parse_who(text);
  auto* error = std::get_if<std::string>(&who);
  return error ? std::move(*error) : std::string{};
}

std::string check_network(std::string_view text) {
  return parse_network(text) ? std::string{} : in_quotes(text) + " is no address or network";
}

}  // namespace distributex
