// SPDX-License-Identifier: MIT
// The kinds of values and their checks. Whole values are compared, nothing is
// cut or guessed: YAML 1.1 would read 010 as eight and 1_0 as ten, so a number
// is written in plain digits only. A word of YAML's (yes, 12) is a text where
// a text is due.
#include "config/value.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "backends/memcache/address.h"
#include "backends/memcache/key.h"
#include "base/text.h"

namespace distributex {
namespace {

constexpr size_t host_max = 255;       // bytes
constexpr size_t addresses_max = 256;  // to listen on
constexpr std::string_view yaml_blanks = " \t\r\n";

using MaybeMistake = std::optional<Mistake>;
using Complaint = const char*;  // null: all is well

Mistake mistake(const Node& node, std::string what) {
  return {node.line, node.column, std::move(what)};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// Plain digits without a leading zero. More than fits becomes a value that is
// out of any range.
std::optional<uint64_t> whole_number(std::string_view text) {
  if (!is_digits(text) || (text.size() > 1 && text[0] == '0')) return {};
  uint64_t value = uint64_t{UINT32_MAX} + 1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The bytes are UTF-8 already: libyaml lets nothing else pass.
bool has_control_character(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    const bool latin_control =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0x9f;
    if (latin_control) return true;
  }
  return false;
}

Complaint check_unix_path(std::string_view path) {
  if (!path.starts_with('/')) return "is not an absolute path";
  if (path.ends_with('/')) return "is a folder, not a socket";
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return "is too long for a socket: 107 bytes";
  return has_control_character(path) ? "has a control character" : nullptr;
}

// Numbers only: a name would have to be looked up before the network is there.
bool is_numeric(int family, std::string_view text) {
  in6_addr address;  // has room for IPv4 as well
  return text.size() < INET6_ADDRSTRLEN && text.find('\0') == text.npos &&
         inet_pton(family, std::string(text).c_str(), &address) == 1;
}

Complaint check_host_part(std::string_view host) {
  if (host == "*") return nullptr;
  if (host.empty()) return "has no address before the port";
  if (host.starts_with('[')) {
    const bool sound = host.ends_with(']') && is_numeric(AF_INET6, host.substr(1, host.size() - 2));
    return sound ? nullptr : "has no IPv6 address in its brackets";
  }
  if (host.find(':') != host.npos) return "is no IPv4 address (IPv6 needs [ ] around it)";
  return is_numeric(AF_INET, host) ? nullptr : "is not a numeric address, like 127.0.0.1";
}

Complaint check_address(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) return check_unix_path(text.substr(unix_prefix.size()));
  const size_t colon = text.rfind(':');
  if (colon == text.npos || text.ends_with(']')) return "has no port";
  const auto port = whole_number(text.substr(colon + 1));
  if (!port || *port > UINT16_MAX) return "has no port from 0 to 65535 at its end";
  return check_host_part(text.substr(0, colon));
}

Complaint check_host(std::string_view host) {
  if (host.empty()) return "has an empty name";
  if (host.size() > host_max) return "is longer than 255 bytes";
  if (host.find_first_of(yaml_blanks) != host.npos) return "has a space inside";
  return has_control_character(host) ? "has a control character" : nullptr;
}

MaybeMistake refuse_unless_scalar(const Node& node, const char* due) {
  if (node.kind != Node::Kind::scalar) {
    return mistake(node, shown(node) + " where " + due + " is due");
  }
  if (is_nothing(node)) return mistake(node, "no value");
  return {};
}

MaybeMistake add_address(const Node& node, std::vector<std::string>& to) {
  if (const Complaint complaint = check_address(node.text)) {
    return mistake(node, shown(node) + ' ' + complaint);
  }
  if (to.size() == addresses_max) return mistake(node, "more than 256 addresses");
  if (std::find(to.begin(), to.end(), node.text) != to.end()) {
    return mistake(node, shown(node) + " stands there twice");
  }
  to.push_back(node.text);
  return {};
}

// Names with commas between. One after the last name is let pass, as in any
// list of YAML.
MaybeMistake add_hosts(const Node& node, std::vector<std::string>& to) {
  std::string_view rest = node.text;
  for (bool more = true; more;) {
    const size_t comma = rest.find(',');
    const std::string_view host = trimmed(rest.substr(0, comma), yaml_blanks);
    if (const Complaint complaint = check_host(host)) {
      return mistake(node, in_quotes(host.empty() ? node.text : host) + ' ' + complaint);
    }
    to.emplace_back(host);
    more = comma != rest.npos;
    if (more) rest.remove_prefix(comma + 1);
    if (trimmed(rest, yaml_blanks).empty()) more = false;
  }
  return {};
}

MaybeMistake add_item(const Node& node, const Rule& rule, std::vector<std::string>& to) {
  const bool is_address = rule.kind == Rule::Kind::addresses;
  const char* due = is_address ? "an address" : "a host name";
  if (MaybeMistake wrong = refuse_unless_scalar(node, due)) return wrong;
  return is_address ? add_address(node, to) : add_hosts(node, to);
}

}  // namespace

std::string wanted(const Rule& rule) {
  const auto range = [&] {
    return std::to_string(rule.least) + " to " + std::to_string(rule.most);
  };
  switch (rule.kind) {
    case Rule::Kind::number:
      return std::string("a whole number") + (*rule.note ? " of " : "") + rule.note + ", " +
             range();
    case Rule::Kind::word:
      return std::string("one of ") + rule.note;
    case Rule::Kind::text:
      return "a text of " + range() + " bytes";
    case Rule::Kind::memcached:
      return "one or more of HOST, HOST:PORT, [V6ADDRESS]:PORT and /PATH, with commas between";
    case Rule::Kind::key_prefix:
      return "at most " + std::to_string(rule.most) + " letters, digits and . _ - : %";
    case Rule::Kind::addresses:
      return "one or a list of \"ADDRESS:PORT\", \"[V6ADDRESS]:PORT\", \"*:PORT\", \"unix:/PATH\"";
    case Rule::Kind::hosts:
      return "host names with commas between, or a list of them; without this key every host may "
             "ask";
    case Rule::Kind::pools:
      return "a list of pools, each with a name";
  }
  return {};
}

MaybeMistake read_number(const Node& node, const Rule& rule, uint32_t& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, "a number")) return wrong;
  if (!node.plain) return mistake(node, shown(node) + " is a text, by its quotes");
  const bool negative = node.text.starts_with('-') && is_digits(node.text.substr(1));
  const auto value = whole_number(node.text);
  if (!value && !negative) {
    return mistake(node, escaped(node.text, quote_max) + " is not a whole number in plain digits");
  }
  if (negative || *value < rule.least || *value > rule.most) {
    return mistake(node, escaped(node.text, quote_max) + " is out of range");
  }
  to = static_cast<uint32_t>(*value);
  return {};
}

MaybeMistake read_text(const Node& node, const Rule& rule, std::string& to) {
  if (MaybeMistake wrong = refuse_unless_scalar(node, "a text")) return wrong;
  if (rule.kind == Rule::Kind::word) {
    std::string_view words = rule.note;
    for (bool more = true; more;) {
      const size_t comma = words.find(',');
      if (trimmed(words.substr(0, comma), yaml_blanks) == node.text) {
        to = node.text;
        return {};
      }
      more = comma != words.npos;
      if (more) words.remove_prefix(comma + 1);
    }
    return mistake(node, shown(node) + " is not known");
  }
  if (node.text.size() < rule.least) return mistake(node, shown(node) + " is too short");
  if (node.text.size() > rule.most) return mistake(node, shown(node) + " is too long");
  if (has_control_character(node.text)) {
    return mistake(node, shown(node) + " has a control character");
  }
  if (rule.kind == Rule::Kind::memcached) {
    const auto servers = parse_memcache_hosts(node.text, 1);
    if (const auto* part = std::get_if<std::string>(&servers)) {
      return mistake(node, in_quotes(*part) + " is no address of a memcached");
    }
  }
  if (rule.kind == Rule::Kind::key_prefix && !is_sound_prefix(node.text)) {
    return mistake(node, shown(node) + " has other characters than a key may have");
  }
  to = node.text;
  return {};
}

MaybeMistake read_list(const Node& node, const Rule& rule, std::vector<std::string>& to) {
  std::vector<std::string> items;
  if (node.kind != Node::Kind::list) {
    if (MaybeMistake wrong = add_item(node, rule, items)) return wrong;
  }
  for (const Node* item : node.children) {
    if (MaybeMistake wrong = add_item(*item, rule, items)) return wrong;
  }
  if (items.empty()) return mistake(node, "an empty list");
  if (rule.kind == Rule::Kind::hosts) {
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
  }
  to = std::move(items);
  return {};
}

bool is_nothing(const Node& node) {
  if (node.kind != Node::Kind::scalar || !node.plain) return false;
  constexpr std::string_view nothings[] = {"", "~", "null", "Null", "NULL"};
  return std::find(std::begin(nothings), std::end(nothings), node.text) != std::end(nothings);
}

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::scalar:
      return in_quotes(node.text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

}  // namespace distributex
