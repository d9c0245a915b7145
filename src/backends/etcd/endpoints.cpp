// SPDX-License-Identifier: MIT
// URLs of etcd members.
#include "backends/etcd/endpoints.h"

#include <algorithm>

namespace distributex {

namespace {

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) {
    return false;
  }
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return false;
    }
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port >= 1 && port <= 65535;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']') || text.size() < 4) {
      return false;
    }
    text = text.substr(1, text.size() - 2);
    return text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

bool is_url(std::string_view text) {
  const size_t scheme = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
  if (scheme == 0) {
    return false;
  }
  text.remove_prefix(scheme);
  const size_t colon = text.rfind(':');
  return colon != std::string_view::npos && is_host(text.substr(0, colon)) &&
         is_port(text.substr(colon + 1));
}

}  // namespace

std::variant<std::vector<std::string>, std::string> parse_etcd_hosts(std::string_view text) {
  std::vector<std::string> urls;
  for (size_t from = 0; from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    std::string_view part = text.substr(from, comma - from);
    while (part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    while (part.ends_with(' ') || part.ends_with('/')) {
      part.remove_suffix(1);
    }
    if (!is_url(part)) {
      return std::string(part);
    }
    urls.emplace_back(part);
    from = comma + 1;
  }
  return urls;
}

bool EtcdEndpoints::leave(const std::string& failed) {
  if (failed != current()) {
    return false;
  }
  current_ = (current_ + 1) % urls_.size();
  return true;
}

}  // namespace distributex
