// SPDX-License-Identifier: MIT
// Keys to places and back.
#include "backends/etcd/key.h"

#include <charconv>

namespace distributex {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// The keys that begin with `begin`.
EtcdSpan span_of(std::string begin) {
  std::string end = begin;
  end.back() = static_cast<char>(end.back() + 1);
  return {std::move(begin), std::move(end)};
}

// Takes the name before the first '/' from the text.
std::optional<std::string> next_name(std::string_view& text) {
  const size_t slash = text.find('/');
  auto name = decode_name(text.substr(0, slash));
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return name;
}

std::optional<Token> token_of(std::string_view text) {
  Token token = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, token);
  const bool ok = error == std::errc{} && stop == end && token <= max_token;
  return ok ? std::optional{token} : std::nullopt;
}

// The place of a key with one name.
std::optional<EtcdPlace> whole_place(char kind, const std::string& name) {
  switch (kind) {
    case 'g':
      return EtcdGateKey{name};
    case 'n':
      return EtcdRunsKey{name};
    case 'f':
      return EtcdFreezeKey{name};
    default:
      return std::nullopt;
  }
}

std::optional<EtcdPlace> named_place(char kind, std::string_view names) {
  const bool has_slash = names.find('/') != std::string_view::npos;
  const auto pool = next_name(names);
  if (!pool || pool->empty()) {
    return std::nullopt;
  }
  if (!has_slash) {
    return whole_place(kind, *pool);
  }
  if (kind == 'l' && names.starts_with('!')) {
    const auto token = token_of(names.substr(1));
    return token ? std::optional<EtcdPlace>{EtcdRestKey{*pool, *token}} : std::nullopt;
  }
  if (kind == 'w' && names.find('/') == std::string_view::npos) {
    const auto server = decode_name(names);
    if (server && !server->empty()) {
      return EtcdTicketKey{*pool, *server};
    }
  }
  if (kind == 'l' && names.find('/') != std::string_view::npos) {
    const auto host = next_name(names);
    const auto id = decode_name(names);
    if (host && !host->empty() && id) {
      return EtcdLeaseKey{*pool, {*host, *id}};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string encode_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', hex_digits[byte >> 4], hex_digits[byte & 15]});
    }
  }
  return out;
}

std::optional<std::string> decode_name(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (is_plain(text[i])) {
      out += text[i];
      continue;
    }
    if (text[i] != '%' || text.size() - i < 3) {
      return std::nullopt;
    }
    const size_t high = hex_digits.find(text[i + 1]);
    const size_t low = hex_digits.find(text[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string EtcdKeys::gate(std::string_view pool) const {
  return prefix_ + "g/" + encode_name(pool);
}

std::string EtcdKeys::lease(std::string_view pool, const Owner& owner) const {
  return prefix_ + "l/" + encode_name(pool) + "/" + encode_name(owner.host) + "/" +
         encode_name(owner.id);
}

std::string EtcdKeys::ticket(std::string_view pool, std::string_view server) const {
  return prefix_ + "w/" + encode_name(pool) + "/" + encode_name(server);
}

std::string EtcdKeys::rest(std::string_view pool, Token token) const {
  return prefix_ + "l/" + encode_name(pool) + "/!" + std::to_string(token);
}

std::string EtcdKeys::runs(std::string_view pool) const {
  return prefix_ + "n/" + encode_name(pool);
}

std::string EtcdKeys::freeze(std::string_view name) const {
  return prefix_ + "f/" + encode_name(name);
}

EtcdSpan EtcdKeys::all() const { return span_of(prefix_); }
EtcdSpan EtcdKeys::leases(std::string_view pool) const {
  return span_of(prefix_ + "l/" + encode_name(pool) + "/");
}
EtcdSpan EtcdKeys::tickets(std::string_view pool) const {
  return span_of(prefix_ + "w/" + encode_name(pool) + "/");
}

std::optional<EtcdPlace> EtcdKeys::place(std::string_view key) const {
  if (!key.starts_with(prefix_)) {
    return std::nullopt;
  }
  key.remove_prefix(prefix_.size());
  if (key == "base") {
    return EtcdBaseKey{};
  }
  if (key == "rulings") {
    return EtcdRulingsKey{};
  }
  if (key.size() < 3 || key[1] != '/') {
    return std::nullopt;
  }
  return named_place(key[0], key.substr(2));
}

}  // namespace distributex
