// SPDX-License-Identifier: MIT
#include "support/access_model.h"

#include <array>

namespace distributex::test {

namespace {

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += small(c);
  }
  return out;
}

// IPv4 only: bit by bit, from the left.
bool is_in(const Network& network, const std::vector<uint8_t>& address) {
  if (address.size() != 4) {
    return false;
  }
  std::vector<uint8_t> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  mapped.insert(mapped.end(), address.begin(), address.end());
  for (unsigned bit = 0; bit < network.bits; ++bit) {
    const unsigned mask = 0x80U >> bit % 8;
    if ((mapped[bit / 8] & mask) != (network.address[bit / 8] & mask)) {
      return false;
    }
  }
  return true;
}

struct Grant {
  May may;
  std::vector<std::string> pools;  // patterns
  std::vector<std::string> hosts;  // patterns
  bool by_proof;
};

std::vector<std::string> own_hosts(const ModelClient& client, Who::Kind kind) {
  return kind == Who::Kind::certificate ? client.names : client.secret_hosts;
}

bool fits(const Who& who, const ModelClient& client) {
  switch (who.kind) {
    case Who::Kind::anyone:
      return true;
    case Who::Kind::unix_socket:
      return client.address.empty();
    case Who::Kind::uid:
      return client.address.empty() && client.uid == who.uid;
    case Who::Kind::network:
      return is_in(who.network, client.address);
    case Who::Kind::secret:
      return !client.secret.empty() && (who.name == client.secret || who.name.empty());
    case Who::Kind::certificate:
      break;
  }
  bool named = who.name.empty() || (!client.uri.empty() && model_matches(who.name, client.uri));
  for (const std::string& name : client.names) {
    named = named || model_matches(folded(who.name), folded(name));
  }
  return client.certified && named;
}

std::vector<Grant> grants_of(std::span<const AccessRule> rules, const ModelClient& client) {
  std::vector<Grant> grants;
  for (const AccessRule& rule : rules) {
    bool from = rule.from.empty();
    for (const Network& network : rule.from) {
      from = from || is_in(network, client.address);
    }
    for (const Who& who : rule.who) {
      if (!from || !fits(who, client)) {
        continue;
      }
      const bool by_proof = who.kind == Who::Kind::secret || who.kind == Who::Kind::certificate;
      Grant grant{rule.may, rule.pools, rule.hosts, by_proof};
      if (grant.pools.empty()) {
        grant.pools = {"*"};
      }
      if (grant.hosts.empty()) {
        grant.hosts = by_proof ? own_hosts(client, who.kind) : std::vector<std::string>{"*"};
      }
      grants.push_back(grant);
    }
  }
  return grants;
}

bool any(const std::vector<std::string>& patterns, std::string_view text, bool fold) {
  for (const std::string& pattern : patterns) {
    if (fold ? model_matches(folded(pattern), folded(text)) : model_matches(pattern, text)) {
      return true;
    }
  }
  return false;
}

constexpr std::array<const char*, 6> some_pools = {"a", "b", "ab", "a*", "*b", "*"};
constexpr std::array<const char*, 6> some_hosts = {"h", "H", "web", "w*", "*b", "*"};

}  // namespace

bool model_matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern.front() == '*') {
    for (size_t n = 0; n <= text.size(); ++n) {
      if (model_matches(pattern.substr(1), text.substr(n))) {
        return true;
      }
    }
    return false;
  }
  return !text.empty() && pattern.front() == text.front() &&
         model_matches(pattern.substr(1), text.substr(1));
}

Identity ModelClient::identity() const {
  Identity identity;
  identity.address = address;
  if (address.empty()) {
    identity.uid = uid;
  }
  identity.certified = certified;
  identity.certificate_names = names;
  identity.certificate_uri = uri;
  identity.secret_name = secret;
  identity.secret_hosts = secret_hosts;
  return identity;
}

bool model_allows_lock(std::span<const AccessRule> rules, const ModelClient& client,
                       std::string_view pool, std::string_view host) {
  const std::vector<Grant> grants = grants_of(rules, client);
  bool speaks = !client.certified && client.secret.empty();
  speaks = speaks || any(client.names, host, true) || any(client.secret_hosts, host, true);
  for (const Grant& grant : grants) {
    speaks = speaks || (grant.by_proof && any(grant.hosts, host, true));
  }
  for (const Grant& grant : grants) {
    if (grant.may != May::look && any(grant.pools, pool, false) && any(grant.hosts, host, true) &&
        (grant.by_proof || speaks)) {
      return true;
    }
  }
  return false;
}

bool model_allows(std::span<const AccessRule> rules, const ModelClient& client, May may,
                  std::string_view pool) {
  for (const Grant& grant : grants_of(rules, client)) {
    if (static_cast<int>(grant.may) >= static_cast<int>(may) && any(grant.pools, pool, false)) {
      return true;
    }
  }
  return false;
}

unsigned ModelChoices::choose(unsigned below) {
  return done() ? 0 : static_cast<unsigned char>(bytes_[at_++]) % below;
}

std::string ModelChoices::pool() { return some_pools[choose(3)]; }
std::string ModelChoices::host() { return some_hosts[choose(3)]; }

std::vector<AccessRule> ModelChoices::rules() {
  std::vector<AccessRule> rules(choose(4));
  for (AccessRule& rule : rules) {
    rule.may = static_cast<May>(choose(3));
    for (unsigned n = 1 + choose(2); n > 0; --n) {
      Who who{.kind = static_cast<Who::Kind>(choose(6))};
      who.uid = choose(2);
      constexpr std::array<const char*, 5> names = {"", "h", "w*", "spiffe://x/*", "ci"};
      who.name = names[choose(5)];
      who.network = *parse_network(choose(2) != 0 ? "10.0.0.0/9" : "10.1.2.3");
      rule.who.push_back(who);
    }
    for (unsigned n = choose(3); n > 0; --n) {
      rule.pools.emplace_back(some_pools[choose(6)]);
    }
    for (unsigned n = choose(3); n > 0; --n) {
      rule.hosts.emplace_back(some_hosts[choose(6)]);
    }
    if (choose(4) == 0) {
      rule.from.push_back(*parse_network("10.0.0.0/8"));
    }
  }
  return rules;
}

ModelClient ModelChoices::client() {
  ModelClient client;
  switch (choose(4)) {
    case 0:
      client.uid = choose(3);
      break;
    case 1:
      client.address = {10, 1, 2, 3};
      break;
    case 2:
      client.address = {10, 200, 0, 1};
      break;
    default:
      client.address = {192, 0, 2, 1};
  }
  if (choose(2) != 0) {
    client.certified = true;
    for (unsigned n = choose(3); n > 0; --n) {
      client.names.emplace_back(some_hosts[choose(3)]);
    }
    client.uri = choose(3) == 0 ? "spiffe://x/ci" : "";
  }
  if (choose(2) != 0) {
    client.secret = choose(2) != 0 ? "ci" : "h";
    client.secret_hosts.emplace_back(some_hosts[choose(6)]);
  }
  return client;
}

}  // namespace distributex::test
