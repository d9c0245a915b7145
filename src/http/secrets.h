// SPDX-License-Identifier: MIT
// Secrets that prove who asks: the file with their digests, and what a client
// sends of them. A secret is "dxs_" and 43 characters of base64url, 256 random
// bits: nobody can guess it from its SHA-256, so the digest has no salt and costs
// nothing to check. No secret leaves this file but the one that make_secret()
// makes.
//
// The file has a line NAME:SHA256HEX[:HOSTS[:UNTIL]] for each; empty lines and
// lines that begin with # do not count. HOSTS are patterns with commas between
// them, by default NAME; UNTIL is 2027-01-31 (that day included, in UTC) or
// 2027-01-31T12:00:00Z. One name may have several secrets: while one takes the
// place of another both are good.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace distributex {

using Digest = std::array<uint8_t, 32>;

struct DigestHash {
  size_t operator()(const Digest& digest) const noexcept;
};

struct Secret {
  std::string name;
  Digest digest{};
  std::vector<std::string> hosts;    // patterns
  std::optional<std::time_t> until;  // nothing: for ever
};

class Secrets {
 public:
  // The file as a whole, or "FILE:LINE: what is wrong; what would be right" or
  // "FILE: why it cannot be read".
  [[nodiscard]] static std::variant<Secrets, std::string> load(const std::string& file);
  [[nodiscard]] static std::variant<Secrets, std::string> parse(std::string_view text,
                                                                const std::string& file);

  // The secret with this digest; it may have ended.
  [[nodiscard]] const Secret* find(const Digest& digest) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<Secret>& all() const { return secrets_; }

 private:
  std::vector<Secret> secrets_;
  std::unordered_map<Digest, size_t, DigestHash> places_;
};

// Whether the text has the form of a secret. Nothing else is ever hashed.
[[nodiscard]] bool is_secret(std::string_view text);
[[nodiscard]] Digest digest_of(std::string_view secret);

// What an Authorization header says: "Bearer SECRET", or "Basic" with NAME:SECRET
// in base64, where NAME may be empty and must fit the secret otherwise.
struct ShownSecret {
  std::string name;  // Basic only
  Digest digest{};
};
[[nodiscard]] std::optional<ShownSecret> read_authorization(std::string_view value);

struct MadeSecret {
  std::string secret;
  std::string line;  // for the file, without a newline
};
// Nothing when the name cannot stand in the file or the system has no randomness.
[[nodiscard]] std::optional<MadeSecret> make_secret(std::string_view name);
[[nodiscard]] bool is_secret_name(std::string_view name);

}  // namespace distributex
