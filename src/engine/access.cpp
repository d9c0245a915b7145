// SPDX-License-Identifier: MIT
// means() says whether a `who` of a rule stands for an identity; proof_covers() says for
// which hosts a rule lets that identity speak. Everything else here calls these two. Host
// names are compared without regard to the case of ASCII letters, because certificates
// name hosts so; names of pools are compared byte by byte.
#include "engine/access.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/pattern.h"
#include "base/text.h"

namespace distributex {

namespace {

constexpr std::array<std::string_view, may_count> may_names = {"look", "lock", "administer"};

bool any_matches(std::span<const std::string> patterns, std::string_view host) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return matches(pattern, host, Letters::any_case);
  });
}

// The names of a certificate are plain names: facts_of() leaves out those with a wildcard.
bool any_is(std::span<const std::string> names, std::string_view host) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return equal_ignoring_case(name, host); });
}

std::optional<AddressBytes> address_of(const Identity& identity) {
  AddressBytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (identity.address.size() == bytes.size()) {
    std::copy(identity.address.begin(), identity.address.end(), bytes.begin());
  } else if (identity.address.size() == 4) {
    std::copy(identity.address.begin(), identity.address.end(), bytes.begin() + 12);
  } else {
    return std::nullopt;
  }
  return bytes;
}

bool is_from(const Network& network, const Identity& identity) {
  const auto address = address_of(identity);
  return address && contains(network, *address);
}

bool means_certificate(const std::string& pattern, const Identity& identity) {
  if (!identity.certified) {
    return false;
  }
  if (pattern.empty() ||
      (!identity.certificate_uri.empty() && matches(pattern, identity.certificate_uri))) {
    return true;
  }
  const auto& names = identity.certificate_names;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return matches(pattern, name, Letters::any_case);
  });
}

bool means(const Who& who, const Identity& identity) {
  switch (who.kind) {
    case Who::Kind::anyone:
      return true;
    case Who::Kind::certificate:
      return means_certificate(who.name, identity);
    case Who::Kind::secret:
      return !identity.secret_name.empty() &&
             (who.name.empty() || who.name == identity.secret_name);
    case Who::Kind::unix_socket:
      return identity.address.empty();
    case Who::Kind::uid:
      return identity.uid == who.uid;
    case Who::Kind::network:
      return is_from(who.network, identity);
  }
  return false;
}

bool is_proof(const Who& who) {
  return who.kind == Who::Kind::certificate || who.kind == Who::Kind::secret;
}

bool is_about(const AccessRule& rule, May may, std::string_view pool) {
  if (rule.may < may) {
    return false;
  }
  return rule.pools.empty() ||
         std::any_of(rule.pools.begin(), rule.pools.end(),
                     [&](const std::string& pattern) { return covers(pattern, pool); });
}

bool comes_from(const AccessRule& rule, const Identity& identity) {
  return rule.from.empty() ||
         std::any_of(rule.from.begin(), rule.from.end(),
                     [&](const Network& network) { return is_from(network, identity); });
}

// Whether the rule lets the proof that this `who` stands for speak for the host.
bool proof_covers(const AccessRule& rule, const Who& who, const Identity& identity,
                  std::string_view host) {
  if (!rule.hosts.empty()) {
    return any_matches(rule.hosts, host);
  }
  return who.kind == Who::Kind::certificate ? any_is(identity.certificate_names, host)
                                            : any_matches(identity.secret_hosts, host);
}

std::string list_of(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    text.append(text.empty() ? "" : ", ").append(escaped(name));
  }
  return text;
}

// "the certificate web1.example.com", "the secret ci", or both.
std::string proof_text(const Identity& identity) {
  std::string text;
  if (identity.certified) {
    text = identity.certificate_names.empty()
               ? "the certificate " + escaped(identity.certificate_uri.empty()
                                                  ? "without a name"
                                                  : identity.certificate_uri)
               : "the certificate " + escaped(identity.certificate_names.front());
  }
  if (!identity.secret_name.empty()) {
    text.append(text.empty() ? "the secret " : " and the secret ")
        .append(escaped(identity.secret_name));
  }
  return text;
}

std::string action_text(May may, std::string_view pool) {
  std::string text = may == May::look ? "look at" : std::string(may_name(may));
  return pool == "*" ? text + " all pools" : text + " pool " + in_quotes(pool);
}

std::string host_denial(const Identity& identity, std::string_view host) {
  std::string text = proof_text(identity);
  const bool shared = !identity.secret_name.empty();
  if (shared) {
    return text + " may speak for " + list_of(identity.secret_hosts) + ", not for " +
           in_quotes(host);
  }
  if (identity.certificate_names.empty()) {
    return text + " proves no host: only a rule with hosts lets it speak for " + in_quotes(host);
  }
  return "the certificate proves " + list_of(identity.certificate_names) + ", not " +
         in_quotes(host);
}

}  // namespace

std::string_view may_name(May may) { return may_names[static_cast<size_t>(may)]; }

std::optional<May> find_may(std::string_view name) {
  for (size_t i = 0; i < may_names.size(); ++i) {
    if (may_names[i] == name) {
      return static_cast<May>(i);
    }
  }
  return std::nullopt;
}

std::vector<AccessRule> default_rules(bool certificates, bool secrets) {
  std::vector<AccessRule> rules;
  if (certificates) {
    rules.push_back({.who = {{.kind = Who::Kind::certificate}}});
  }
  if (secrets) {
    rules.push_back({.who = {{.kind = Who::Kind::secret}}});
  }
  rules.push_back({.who = {{.kind = Who::Kind::unix_socket}}, .may = May::administer});
  return rules;
}

bool Access::find(const Identity& identity, May may, std::string_view pool) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const AccessRule& rule) {
    return is_about(rule, may, pool) && comes_from(rule, identity) &&
           std::any_of(rule.who.begin(), rule.who.end(),
                       [&](const Who& who) { return means(who, identity); });
  });
}

// Whether a proof that the client has shown covers the host: the proof itself names the
// host, or a rule for that proof names the host.
bool Access::covered(const Identity& identity, std::string_view host) const {
  if (any_is(identity.certificate_names, host) || any_matches(identity.secret_hosts, host)) {
    return true;
  }
  return std::any_of(rules_.begin(), rules_.end(), [&](const AccessRule& rule) {
    return !rule.hosts.empty() && comes_from(rule, identity) && any_matches(rule.hosts, host) &&
           std::any_of(rule.who.begin(), rule.who.end(),
                       [&](const Who& who) { return is_proof(who) && means(who, identity); });
  });
}

std::optional<Denied> Access::refuses_lock(const Identity& identity, std::string_view pool,
                                           std::string_view host) const {
  if (open_) {
    return std::nullopt;
  }
  bool pool_allowed = false;
  const bool free_to_speak = !identity.proven() || covered(identity, host);
  for (const AccessRule& rule : rules_) {
    if (!is_about(rule, May::lock, pool) || !comes_from(rule, identity)) {
      continue;
    }
    for (const Who& who : rule.who) {
      if (!means(who, identity)) {
        continue;
      }
      pool_allowed = true;
      const bool speaks =
          is_proof(who) ? proof_covers(rule, who, identity, host)
                        : free_to_speak && (rule.hosts.empty() || any_matches(rule.hosts, host));
      if (speaks) {
        return std::nullopt;
      }
    }
  }
  if (!pool_allowed) {
    return denial(identity, May::lock, pool);
  }
  if (identity.proven()) {
    return Denied{true, host_denial(identity, host)};
  }
  return Denied{!secrets_, "no rule lets a client without a proof speak for " + in_quotes(host)};
}

std::optional<Denied> Access::refuses(const Identity& identity, May may,
                                      std::string_view pool) const {
  if (allows(identity, may, pool)) {
    return std::nullopt;
  }
  return denial(identity, may, pool);
}

Denied Access::denial(const Identity& identity, May may, std::string_view pool) const {
  if (identity.proven()) {
    return {true, proof_text(identity) + " may not " + action_text(may, pool)};
  }
  std::string why = identity.trouble.empty() ? "" : escaped(identity.trouble) + "; ";
  if (secrets_) {
    return {false, why + "to " + action_text(may, pool) +
                       " a proof is needed: a secret in the header Authorization, or a "
                       "certificate, that the rules allow to"};
  }
  return {true, why + "to " + action_text(may, pool) +
                    " a proof is needed: a certificate that the rules allow to"};
}

std::vector<std::string> Access::explain(std::string_view pool) const {
  if (open_) {
    return {"lock: anyone, for any host (there are no rules)"};
  }
  std::vector<std::string> lines;
  for (const AccessRule& rule : rules_) {
    if (!is_about(rule, May::look, pool)) {
      continue;
    }
    std::string from;
    for (const Network& network : rule.from) {
      from.append(from.empty() ? ", from " : " or ").append(to_text(network));
    }
    for (const Who& who : rule.who) {
      std::string line{may_name(rule.may)};
      line.append(": ").append(to_text(who)).append(from);
      if (rule.may != May::look) {
        line.append(!rule.hosts.empty() ? ", for " + list_of(rule.hosts)
                    : is_proof(who)     ? ", for what it proves"
                                        : ", for any host");
      }
      lines.push_back(std::move(line));
    }
  }
  if (lines.empty()) {
    lines.emplace_back("nobody may do anything");
  }
  return lines;
}

}  // namespace distributex
