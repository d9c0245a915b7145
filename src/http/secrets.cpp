// SPDX-License-Identifier: MIT
// Reads the file of secrets. An error names the line and quotes only the name in it:
// somebody may have pasted a secret where its digest belongs.
#include "http/secrets.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/handle.h"
#include "base/text.h"

namespace distributex {

namespace {

constexpr size_t file_max = 4u << 20;
constexpr size_t name_max = 253;   // a host name's length
constexpr size_t hosts_max = 100;  // of one secret

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::optional<Digest> parse_digest(std::string_view text) {
  Digest digest{};
  if (text.size() != 2 * digest.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    digest[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return digest;
}

// Reads a field of a date with so many digits and, unless `end` is 0, the character behind
// it.
bool take_field(std::string_view& text, size_t digits, char end, int least, int most, int& value) {
  if (text.size() < digits + (end != '\0' ? 1 : 0) ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)) {
    return false;
  }
  const auto number = parse_whole<int>(text.substr(0, digits));
  text.remove_prefix(digits);
  if (!number || *number < least || *number > most) {
    return false;
  }
  value = *number;
  if (end == '\0') {
    return true;
  }
  const bool ends = text.front() == end;
  text.remove_prefix(1);
  return ends;
}

// The first second at which the secret is not valid any more.
std::optional<std::time_t> parse_until(std::string_view text) {
  tm parts{};
  const bool has_time = text.find('T') != text.npos;
  int day = 0;
  if (!take_field(text, 4, '-', 1970, 9999, parts.tm_year) ||
      !take_field(text, 2, '-', 1, 12, parts.tm_mon) ||
      !take_field(text, 2, has_time ? 'T' : '\0', 1, 31, day)) {
    return std::nullopt;
  }
  if (has_time && (!take_field(text, 2, ':', 0, 23, parts.tm_hour) ||
                   !take_field(text, 2, ':', 0, 59, parts.tm_min) ||
                   !take_field(text, 2, 'Z', 0, 59, parts.tm_sec))) {
    return std::nullopt;
  }
  if (!text.empty()) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  parts.tm_mday = day;
  const std::time_t at = timegm(&parts);
  if (parts.tm_mday != day) {  // the month has no such day: timegm() took the next month's
    return std::nullopt;
  }
  return has_time ? at : at + 24 * 60 * 60;
}

bool is_sound_pattern(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// Returns what is wrong with the line; empty: it is sound.
std::string parse_line(std::string_view line, Secret& secret) {
  secret.name = take_until(':', line);
  if (!is_secret_name(secret.name)) {
    return "begins with no name; write NAME:SHA256HEX[:HOSTS[:UNTIL]], NAME of letters, digits, "
           "'.', '_' and '-'";
  }
  const std::string_view hex = take_until(':', line);
  const auto digest = parse_digest(hex);
  if (is_secret(hex)) {
    return in_quotes(secret.name) +
           " has a secret where its SHA-256 belongs; make a new one with distributexd "
           "--make-secret and write the line that it prints";
  }
  if (!digest) {
    return in_quotes(secret.name) +
           " has no SHA-256 of 64 hexadecimal digits; write the line that distributexd "
           "--make-secret prints";
  }
  secret.digest = *digest;
  std::string_view hosts = take_until(':', line);
  while (!hosts.empty()) {
    const std::string_view pattern = trimmed(take_until(',', hosts));
    if (!is_sound_pattern(pattern) || secret.hosts.size() == hosts_max) {
      return in_quotes(secret.name) +
             " has a host that is not a name or pattern; write up to 100 names or patterns with "
             "commas between them";
    }
    secret.hosts.emplace_back(pattern);
  }
  if (secret.hosts.empty()) {
    secret.hosts.push_back(secret.name);
  }
  if (line.empty()) {
    return {};
  }
  secret.until = parse_until(line);
  return secret.until ? ""
                      : in_quotes(secret.name) +
                            " has no date after its hosts; write 2027-01-31 or "
                            "2027-01-31T12:00:00Z, in UTC";
}

std::string read_all(const std::string& file, std::string& text) {
  const Fd fd{open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat st {};
  if (!fd || fstat(fd.get(), &st) != 0) {
    return file + ": " + std::strerror(errno);
  }
  if (!S_ISREG(st.st_mode) || st.st_size > static_cast<off_t>(file_max)) {
    return file + ": is not a plain file, or is larger than 4 MiB";
  }
  text.resize(file_max + 1);
  size_t size = 0;
  for (;;) {
    const ssize_t n = read(fd.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return file + ": " + std::strerror(errno);
    }
    size += static_cast<size_t>(n);
    if (n == 0 || size == text.size()) {
      break;
    }
  }
  text.resize(size);
  return size > file_max ? file + ": is longer than 4 MiB" : "";
}

}  // namespace

size_t DigestHash::operator()(const Digest& digest) const noexcept {
  size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

std::variant<Secrets, std::string> Secrets::load(const std::string& file) {
  std::string text;
  if (std::string error = read_all(file, text); !error.empty()) {
    return error;
  }
  return parse(text, file);
}

std::variant<Secrets, std::string> Secrets::parse(std::string_view text, const std::string& file) {
  Secrets all;
  for (uint64_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_until('\n', text), " \t\r");
    if (line.empty() || line.front() == '#') {
      continue;
    }
    Secret secret;
    std::string error = parse_line(line, secret);
    if (error.empty() && !all.places_.try_emplace(secret.digest, all.secrets_.size()).second) {
      error = in_quotes(secret.name) +
              " has the digest of an earlier line; make a secret for each with distributexd "
              "--make-secret";
    }
    if (!error.empty()) {
      return file + ":" + decimal(number) + ": " + error;
    }
    all.secrets_.push_back(std::move(secret));
  }
  return all;
}

// The time of the look-up in the map may tell bytes of a digest, but no client can choose
// the bytes of a digest. The final comparison takes the same time always.
const Secret* Secrets::find(const Digest& digest) const {
  const auto place = places_.find(digest);
  if (place == places_.end()) {
    return nullptr;
  }
  const Secret& secret = secrets_[place->second];
  return CRYPTO_memcmp(secret.digest.data(), digest.data(), digest.size()) == 0 ? &secret : nullptr;
}

bool Secrets::has(std::string_view name) const {
  return std::any_of(secrets_.begin(), secrets_.end(),
                     [&](const Secret& secret) { return secret.name == name; });
}

bool is_secret_name(std::string_view name) {
  return !name.empty() && name.size() <= name_max && name.find("dxs_") == name.npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const char small = lower(c);
           return is_digit(c) || (small >= 'a' && small <= 'z') || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace distributex
