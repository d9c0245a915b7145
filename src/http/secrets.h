// SPDX-License-Identifier: MIT
// Secrets that prove who a client is: the file with their digests, and the Authorization
// header that carries a secret. A secret is "dxs_" and 43 characters of base64url, 256
// random bits: it cannot be guessed from its SHA-256, so the digest needs no salt and is
// cheap to check. These functions return digests only; make_secret() alone returns a
// secret, the one that it has made.
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
  std::optional<std::time_t> until;  // nullopt: for ever
};

class Secrets {
 public:
  // Returns the whole file, or "FILE:LINE: what is wrong; what would be right", or "FILE:
  // why it cannot be read".
  [[nodiscard]] static std::variant<Secrets, std::string> load(const std::string& file);
  [[nodiscard]] static std::variant<Secrets, std::string> parse(std::string_view text,
                                                                const std::string& file);

  // The secret with this digest, whose `until` may be over; nullptr: there is none.
  [[nodiscard]] const Secret* find(const Digest& digest) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<Secret>& all() const { return secrets_; }

 private:
  std::vector<Secret> secrets_;
  std::unordered_map<Digest, size_t, DigestHash> places_;
};

// Whether the text has the form of a secret. Other texts are never hashed.
[[nodiscard]] bool is_secret(std::string_view text);
[[nodiscard]] Digest digest_of(std::string_view secret);

// Reads an Authorization header: "Bearer SECRET", or "Basic" with NAME:SECRET in base64.
// NAME may be empty; if it is not, it must be the name of the secret.
struct ShownSecret {
  std::string name;  // Basic only
  Digest digest{};
};
[[nodiscard]] std::optional<ShownSecret> read_authorization(std::string_view value);

struct MadeSecret {
  std::string secret;
  std::string line;  // for the file, without a newline
};
// Returns nullopt if the name cannot stand in the file or the system has no randomness.
[[nodiscard]] std::optional<MadeSecret> make_secret(std::string_view name);
[[nodiscard]] bool is_secret_name(std::string_view name);

}  // namespace distributex
