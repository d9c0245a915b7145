// SPDX-License-Identifier: MIT
// A reload changes all of these options, and reads their files again.
#include "daemon/trust_options.h"

#include <algorithm>

#include "base/text.h"
#include "config/slot.h"
#include "config/value.h"
#include "daemon/trust.h"

namespace distributex {
namespace {

constexpr uint32_t path_max = 1024;
constexpr uint32_t name_max = 255;

std::string check_path(std::string_view text) {
  if (!text.starts_with('/')) {
    return in_quotes(text) + " is not an absolute path";
  }
  const bool sound = text.size() <= path_max && !has_control_character(text);
  return sound ? std::string{} : in_quotes(text) + " is no path";
}

std::string check_pattern(std::string_view text) {
  const bool sound = !text.empty() && text.size() <= name_max && !has_control_character(text);
  return sound ? std::string{} : in_quotes(text) + " is no name or pattern of 1 to 255 bytes";
}

constexpr Rule files = {.kind = Rule::Kind::list,
                        .most = 2,
                        .item = "a path",
                        .items = "paths",
                        .check = check_path,
                        .wanted = "the absolute path of a file, or a list of two"};
constexpr Rule whos = {.kind = Rule::Kind::list,
                       .most = 256,
                       .item = "a client",
                       .items = "clients",
                       .check = check_who,
                       .wanted =
                           "one or a list of anyone, certificate [PATTERN], secret [NAME], "
                           "unix, uid N, an address or a network"};
constexpr Rule patterns = {.kind = Rule::Kind::list,
                           .most = 256,
                           .item = "a pattern",
                           .items = "patterns",
                           .check = check_pattern,
                           .wanted = "one or a list of names, where * stands for anything"};
constexpr Rule networks = {.kind = Rule::Kind::list,
                           .most = 256,
                           .item = "a network",
                           .items = "networks",
                           .check = check_network,
                           .wanted = "one or a list of addresses and networks, like 10.0.0.0/8"};

std::span<const std::string_view> may_words() {
  static constexpr std::string_view words[] = {"look", "lock", "administer"};
  return words;
}

// clang-format off
constexpr Option access_rows[] = {
    // access options begin
    {"who", list<&AccessRow::who>(whos), nullptr, Reload::takes_effect, "whom the rule is about"},
    {"may", word<&AccessRow::may>(may_words), "lock", Reload::takes_effect,
     "what the rule allows"},
    {"pools", list<&AccessRow::pools>(patterns), "", Reload::takes_effect,
     "to which pools; all if it is left out"},
    {"hosts", list<&AccessRow::hosts>(patterns), "", Reload::takes_effect,
     "in the name of which hosts; of those that the client proves if it is left out"},
    {"from", list<&AccessRow::from>(networks), "", Reload::takes_effect,
     "from where; from everywhere if it is left out"},
    // access options end
};

constexpr Items access_items = {.noun = "rule", .rows = access_rows, .distinct = false};

constexpr Option rows[] = {
    // options begin
    {"tls_certificate", list<&TrustOptions::tls_certificate>(files), "", Reload::takes_effect,
     "the server's certificate and its intermediates"},
    {"tls_key", list<&TrustOptions::tls_key>(files), "", Reload::takes_effect,
     "the private key of tls_certificate"},
    {"tls_client_ca", text<&TrustOptions::tls_client_ca>(1, path_max, nullptr, check_path), "",
     Reload::takes_effect, "the CAs whose certificates prove who a client is"},
    {"tls_crl", text<&TrustOptions::tls_crl>(1, path_max, nullptr, check_path), "",
     Reload::takes_effect, "the certificates of clients that were revoked"},
    {"secrets", text<&TrustOptions::secrets>(1, path_max, nullptr, check_path), "",
     Reload::takes_effect, "the file with the digests of secrets"},
    {"secrets_in_clear", flag<&TrustOptions::secrets_in_clear>(), "off", Reload::takes_effect,
     "whether secrets are good without TLS from other machines, too"},
    {"access", maps<&TrustOptions::access, access_items>("a list of rules, each with a who"), "",
     Reload::takes_effect, "who may look, lock and administer"},
    // options end
};
// clang-format on

}  // namespace

OptionRows trust_rows() { return rows; }

}  // namespace distributex
