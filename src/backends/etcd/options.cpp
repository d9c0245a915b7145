// SPDX-License-Identifier: MIT
// The backend reads its options once, when it is made. A reload does not change them: the
// backend would look for its leases in the wrong place. Files that these options name are
// read whenever they are needed, and may change at any time.
#include "backends/etcd/options.h"

#include "backends/etcd/endpoints.h"
#include "backends/makers.h"
#include "base/text.h"
#include "config/slot.h"

namespace distributex {
namespace {

constexpr uint32_t prefix_max = 64;
constexpr uint32_t path_max = 4096;

std::string check_hosts(std::string_view text) {
  const auto urls = parse_etcd_hosts(text);
  const auto* part = std::get_if<std::string>(&urls);
  return part ? in_quotes(*part) + " is no URL of an etcd member" : std::string{};
}

// A prefix ends in '/': else, of two services with prefixes "a" and "ab", the first would
// see the keys of the second.
std::string check_prefix(std::string_view text) {
  const bool is_sound = text.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789._-/") == std::string_view::npos;
  if (is_sound && text.ends_with('/')) {
    return {};
  }
  return in_quotes(text) + " is no prefix";
}

std::string check_file(std::string_view text) {
  if (text.empty() || text.starts_with('/')) {
    return {};
  }
  return in_quotes(text) + " is no path from the root";
}

constexpr const char* a_path = "the path of a file, beginning with /";

// clang-format off
constexpr Option rows[] = {
    // options begin
    {"etcdhosts", text<&EtcdOptions::hosts>(1, 1024,
         "one or more of http://HOST:PORT and https://HOST:PORT, with commas between", check_hosts),
     "http://localhost:2379", Reload::needs_restart, "the members of the etcd cluster"},
    {"etcdprefix", text<&EtcdOptions::prefix>(1, prefix_max,
         "at most 64 letters, digits and . _ - / with a / at the end", check_prefix),
     "distributex/", Reload::needs_restart, "in front of all keys in etcd"},
    {"etcdtimeout", in_milliseconds<&EtcdOptions::timeout>(500, 60000), "3000",
     Reload::needs_restart, "for etcd to answer a question"},
    {"etcdcafile", text<&EtcdOptions::ca_file>(0, path_max, a_path, check_file), "",
     Reload::needs_restart, "the CA of etcd's certificates"},
    {"etcdcertfile", text<&EtcdOptions::cert_file>(0, path_max, a_path, check_file), "",
     Reload::needs_restart, "this server's own certificate for etcd"},
    {"etcdkeyfile", text<&EtcdOptions::key_file>(0, path_max, a_path, check_file), "",
     Reload::needs_restart, "and its key"},
    {"etcduser", text<&EtcdOptions::user>(0, 255), "", Reload::needs_restart, "the user to log in as"},
    {"etcdpasswordfile", text<&EtcdOptions::password_file>(0, path_max, a_path, check_file), "",
     Reload::needs_restart, "a file whose first line is that user's password"},
    // options end
};
// clang-format on

}  // namespace

OptionRows etcd_options() { return rows; }

}  // namespace distributex
