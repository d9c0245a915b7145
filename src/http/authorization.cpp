// SPDX-License-Identifier: MIT
// Reads the secret in an Authorization header, makes digests and new secrets. A text that
// does not have the form of a secret is refused before it is hashed: so it is of no use to
// write the digest of a password, which somebody could guess, into the file of secrets.
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.h"
#include "http/openssl.h"
#include "http/secrets.h"

namespace distributex {

namespace {

constexpr std::string_view prefix = "dxs_";
constexpr size_t random_bytes = 32;
constexpr size_t random_letters = 43;  // of base64url, without padding
constexpr size_t header_max = 512;

constexpr std::string_view url_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view basic_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64url(const std::array<uint8_t, random_bytes>& bytes) {
  std::string text;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6;) {
      count -= 6;
      text += url_letters[bits >> count & 63];
    }
  }
  if (count > 0) {
    text += url_letters[bits << (6 - count) & 63];
  }
  return text;
}

// Standard base64 with its padding, as browsers and curl send it.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) {
    return std::nullopt;
  }
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
    text.remove_suffix(1);
  }
  std::string bytes;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const size_t value = basic_letters.find(c);
    if (value == basic_letters.npos) {
      return std::nullopt;
    }
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xff);
    }
  }
  return bytes;
}

std::string hex_of(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text.append({digits[byte >> 4], digits[byte & 15]});
  }
  return text;
}

}  // namespace

bool is_secret(std::string_view text) {
  if (!text.starts_with(prefix) || text.size() != prefix.size() + random_letters) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return text.find_first_not_of(url_letters) == text.npos;
}

Digest digest_of(std::string_view secret) {
  Digest digest{};
  unsigned size = 0;
  if (EVP_Digest(secret.data(), secret.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    std::abort();  // this OpenSSL has no SHA-256: no secret can be checked
  }
  return digest;
}

std::optional<ShownSecret> read_authorization(std::string_view value) {
  if (value.size() > header_max) {
    return std::nullopt;
  }
  std::string_view rest = trimmed(value);
  const std::string_view scheme = take_until(' ', rest);
  rest = trimmed(rest);
  if (equal_ignoring_case(scheme, "bearer")) {
    if (!is_secret(rest)) {
      return std::nullopt;
    }
    return ShownSecret{.name = {}, .digest = digest_of(rest)};
  }
  if (!equal_ignoring_case(scheme, "basic")) {
    return std::nullopt;
  }
  const auto pair = decode_base64(rest);
  if (!pair) {
    return std::nullopt;
  }
  std::string_view secret = *pair;
  const std::string_view name = take_until(':', secret);
  if (!is_secret(secret)) {
    return std::nullopt;
  }
  return ShownSecret{.name = std::string(name), .digest = digest_of(secret)};
}

std::optional<MadeSecret> make_secret(std::string_view name) {
  std::array<uint8_t, random_bytes> bytes{};
  if (!is_secret_name(name) || RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return std::nullopt;
  }
  MadeSecret made;
  made.secret = std::string(prefix) + base64url(bytes);
  made.line = std::string(name) + ":" + hex_of(digest_of(made.secret));
  return made;
}

}  // namespace distributex
