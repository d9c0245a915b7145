// SPDX-License-Identifier: MIT
// Who may do what to which pool in whose name: a list of rules. A rule can only allow;
// what no rule allows is refused, so the order of the rules does not matter. Without a
// list of rules (the default) access is open: everything is allowed.
//
// A client that shows a proof speaks only for the hosts that the proof covers, whatever
// a rule for anyone, a network, a uid or a unix socket allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/network.h"
#include "lock/identity.h"

namespace distributex {

enum class May { look, lock, administer };  // each includes those before it
inline constexpr size_t may_count = static_cast<size_t>(May::administer) + 1;
[[nodiscard]] std::string_view may_name(May may);
[[nodiscard]] std::optional<May> find_may(std::string_view name);

struct Who {
  enum class Kind { anyone, certificate, secret, unix_socket, uid, network };
  Kind kind = Kind::anyone;
  std::string name{};  // certificate: a pattern, secret: a name; empty: any
  uint32_t uid = 0;    // Kind::uid
  Network network{};   // Kind::network
  bool operator==(const Who&) const = default;
};

// Reads "anyone", "certificate [PATTERN]", "secret [NAME]", "unix", "uid N", an address
// or a network. On failure returns what is wrong with the text and what would be right.
[[nodiscard]] std::variant<Who, std::string> parse_who(std::string_view text);
[[nodiscard]] std::string to_text(const Who& who);

struct AccessRule {
  std::vector<Who> who;
  May may = May::lock;
  std::vector<std::string> pools{};  // patterns; empty: all
  std::vector<std::string> hosts{};  // patterns; empty: those of the proof, or all without a proof
  std::vector<Network> from{};       // empty: from everywhere
};

// The rules that count when a CA or secrets are configured, but no `access`.
[[nodiscard]] std::vector<AccessRule> default_rules(bool certificates, bool secrets);

// Why a client may not: whether it has proven who it is, and one sentence.
struct Denied {
  bool proven = false;  // true also if no secrets are configured: logging in would not help
  std::string error;
};

class Access {
 public:
  Access() = default;
  // secrets: whether any are configured. A refused client without a proof could send one.
  Access(std::vector<AccessRule> rules, bool secrets)
      : open_(false), secrets_(secrets), rules_(std::move(rules)) {}

  [[nodiscard]] bool open() const { return open_; }

  // Why the client may not take, renew or release a lock of the pool in this host's name;
  // nullopt: it may.
  [[nodiscard]] std::optional<Denied> refuses_lock(const Identity& identity, std::string_view pool,
                                                   std::string_view host) const;
  // The same for looking and administering, which need no host. If the pool is a
  // pattern, the answer is about all pools that the pattern matches.
  [[nodiscard]] std::optional<Denied> refuses(const Identity& identity, May may,
                                              std::string_view pool) const;
  [[nodiscard]] bool allows(const Identity& identity, May may, std::string_view pool) const {
    return open_ || find(identity, may, pool);
  }

  // Who may do what to one pool: a line for each `who` of each rule about the pool.
  [[nodiscard]] std::vector<std::string> explain(std::string_view pool) const;

 private:
  [[nodiscard]] bool find(const Identity& identity, May may, std::string_view pool) const;
  [[nodiscard]] bool covered(const Identity& identity, std::string_view host) const;
  [[nodiscard]] Denied denial(const Identity& identity, May may, std::string_view pool) const;

  bool open_ = true;
  bool secrets_ = false;
  std::vector<AccessRule> rules_;
};

}  // namespace distributex
