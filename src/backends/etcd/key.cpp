// SPDX-License-Identifier: MIT
// Keys to places and back.
#include "backends/etcd/key.h"

namespace distributex {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

std::string encoded(std::string_view text) {
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

std::optional<std::string> decoded(std::string_view text) {
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

// The keys that begin with it.
EtcdSpan span_of(std::string begin) {
  std::string end = begin;
  end.back() = static_cast<char>(end.back() + 1);
  return {std::move(begin), std::move(end)};
}

// Cuts the text before its first '/'.
std::optional<std::string> next_name(std::string_view& text) {
  const size_t slash = text.find('/');
  auto name = decoded(text.substr(0, slash));
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return name;
}

std::optional<EtcdPlace> named_place(char kind, std::string_view names) {
  const bool has_slash = names.find('/') != std::string_view::npos;
  const auto pool = next_name(names);
  if (!pool || pool->empty()) {
    return std::nullopt;
  }
  if (kind == 'g' && !has_slash) {
    return EtcdGateKey{*pool};
  }
  if (kind == 'w' && has_slash && names.find('/') == std::string_view::npos) {
    const auto server = decoded(names);
    if (server && !server->empty()) {
      return EtcdTicketKey{*pool, *server};
    }
  }
  if (kind == 'l' && has_slash && names.find('/') != std::string_view::npos) {
    const auto host = next_name(names);
    const auto id = decoded(names);
    if (host && !host->empty() && id) {
      return EtcdLeaseKey{*pool, {*host, *id}};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string EtcdKeys::gate(std::string_view pool) const { return prefix_ + "g/" + encoded(pool); }

std::string EtcdKeys::lease(std::string_view pool, const Owner& owner) const {
  return prefix_ + "l/" + encoded(pool) + "/" + encoded(owner.host) + "/" + encoded(owner.id);
}

std::string EtcdKeys::ticket(std::string_view pool, std::string_view server) const {
  return prefix_ + "w/" + encoded(pool) + "/" + encoded(server);
}

EtcdSpan EtcdKeys::all() const { return span_of(prefix_); }
EtcdSpan EtcdKeys::leases(std::string_view pool) const {
  return span_of(prefix_ + "l/" + encoded(pool) + "/");
}
EtcdSpan EtcdKeys::tickets(std::string_view pool) const {
  return span_of(prefix_ + "w/" + encoded(pool) + "/");
}

std::optional<EtcdPlace> EtcdKeys::place(std::string_view key) const {
  if (!key.starts_with(prefix_)) {
    return std::nullopt;
  }
  key.remove_prefix(prefix_.size());
  if (key == "base") {
    return EtcdBaseKey{};
  }
  if (key.size() < 3 || key[1] != '/') {
    return std::nullopt;
  }
  return named_place(key[0], key.substr(2));
}

}  // namespace distributex
