// SPDX-License-Identifier: MIT
// For a new option of the daemon, http, the engine or the record, add one row here and one
// member to the struct that it fills.
#include "daemon/settings.h"

#include <utility>

#include "backends/table.h"
#include "base/text.h"
#include "config/address.h"
#include "config/pools.h"
#include "config/slot.h"
#include "daemon/trust_options.h"

namespace distributex {
namespace {

constexpr Rule addresses = {
    .kind = Rule::Kind::list,
    .most = 256,
    .item = "an address",
    .items = "addresses",
    .check = check_listen_address,
    .wanted =
        "one or a list of \"ADDRESS:PORT\", \"[V6ADDRESS]:PORT\", \"*:PORT\", with or without "
        "\"tls:\" before it, and \"unix:/PATH\""};

// clang-format off
constexpr Option first_rows[] = {
    // options begin
    {"backend", word<&ServiceOptions::backend>(backend_names), "inmemory", Reload::needs_restart,
     "where leases are kept"},
    // options end
};

constexpr Option rows[] = {
    // options begin
    {"listen", list<&ServiceOptions::listen>(addresses), "*:9889", Reload::needs_restart,
     "where to listen"},
    {"max_connections", number<&HttpLimits::max_connections>(1, 1000000), "65536",
     Reload::takes_effect, "open connections, all listeners together"},
    {"max_connections_per_peer", number<&HttpLimits::max_connections_per_peer>(0, 1000000), "0",
     Reload::takes_effect, "open connections of one address; 0: no limit of its own"},
    {"max_pools", number<&ServiceOptions::max_pools>(1, 1000000), "10000", Reload::takes_effect,
     "how many pools there may be at a time that patterns have made"},
    {"max_waiting", number<&ServiceOptions::max_waiting>(1, 1000000), "50000",
     Reload::takes_effect, "clients that wait for one pool"},
    {"request_timeout", in_seconds<&HttpLimits::request_timeout>(1, 3600), "10",
     Reload::takes_effect, "for a request to arrive whole, and its reply to be taken"},
    {"idle_timeout", in_seconds<&HttpLimits::idle_timeout>(1, 86400), "120",
     Reload::takes_effect, "between two requests of a connection"},
    {"max_header_size", number<&HttpLimits::max_header_size>(1024, 65536, "bytes"), "8192",
     Reload::takes_effect, "request line and headers"},
    {"max_body_size", number<&HttpLimits::max_body_size>(0, 65536, "bytes"), "8192",
     Reload::takes_effect, "a form that is posted"},
    {"events", number<&RecordOptions::events>(1, 10000), "1000", Reload::takes_effect,
     "how many events are kept for /events/"},
    {"audit", flag<&RecordOptions::audit>(), "on", Reload::takes_effect,
     "whether each event is a line of the log"},
    {"pools", maps<&ServiceOptions::pools, pool_items>("a list of pools, each with a name"),
     nullptr, Reload::takes_effect, "the pools and their options"},
    // options end
};
// clang-format on

std::vector<OptionRows> all_rows() {
  std::vector<OptionRows> all{first_rows};
  for (const BackendKind& kind : backend_kinds()) {
    all.push_back(kind.options());
  }
  all.emplace_back(rows);
  all.emplace_back(trust_rows());
  return all;
}

std::variant<Settings, std::string> settled(std::variant<Config, std::string> result) {
  if (auto* error = std::get_if<std::string>(&result)) {
    return std::move(*error);
  }
  return settings_of(std::move(std::get<Config>(result)));
}

}  // namespace

Settings settings_of(Config config) {
  Settings settings{.service = config.read<ServiceOptions>(),
                    .http = config.read<HttpLimits>(),
                    .record = config.read<RecordOptions>(),
                    .trust = config.read<TrustOptions>(),
                    .config = {}};
  // There may be hundreds of thousands of pools: keep them in `service` only.
  std::erase_if(config.entries,
                [](const Config::Entry& entry) { return entry.option->slot.rule.maps; });
  settings.config = std::move(config);
  return settings;
}

std::variant<Settings, std::string> load_settings(const std::string& file) {
  return settled(load_config(file, all_rows()));
}

std::variant<Settings, std::string> parse_settings(std::string_view text, const std::string& file) {
  return settled(parse_config(text, file, all_rows()));
}

}  // namespace distributex
