// SPDX-License-Identifier: MIT
// How tests render a configuration and run their tables.
#include "support/config.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "support/test.h"

namespace distributex::test {
namespace {

template <typename Items, typename Show>
std::string joined(const Items& items, const char* separator, Show show) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : separator) + show(item);
  return all;
}

std::string joined(const std::vector<std::string>& items, const char* separator) {
  return joined(items, separator, [](const std::string& item) { return item; });
}

std::string show_pool(const PoolSpec& pool) {
  const std::string servers = joined(pool.servers, " ");
  return pool.name + ' ' + std::to_string(pool.expire.count()) + "s x" +
         std::to_string(pool.maxlocks) + (servers.empty() ? "" : " for " + servers);
}

std::string show_options(const Config& config) {
  const std::vector<int64_t> numbers = {
      config.max_connections,      config.max_connections_per_peer,
      config.max_waiting,          config.request_timeout.count(),
      config.idle_timeout.count(), config.max_header_size,
      config.max_body_size};
  return config.backend + ' ' + config.memcachehost + ' ' + std::to_string(config.memcacheport) +
         ' ' + config.memcacheprefix + ' ' + std::to_string(config.memcachetimeout.count()) + ' ' +
         config.sqlitefile + ' ' + std::to_string(config.sqlitetimeout.count()) + ' ' +
         std::to_string(config.poll.count()) + ' ' + joined(config.listen, ",") + ' ' +
         joined(numbers, " ", [](int64_t number) { return std::to_string(number); });
}

// What a table is given becomes its outcome, in memory that a failing assert
// does not lose.
bool check_row(const ConfigRow& row, const ConfigTable& table) {
  std::string text(table.before);
  text.append(row.text).append(table.after);
  std::string expected(row.outcome);
  expected += table.ending;
  const std::string outcome = table.show(parse_config(text, "f"));
  if (outcome == expected) return true;
  print_error("%s\nis     \"%s\"\nshould \"%s\"\n", text.c_str(), outcome.c_str(),
              expected.c_str());
  return false;
}

}  // namespace

std::string options_of(const ConfigResult& result) {
  const auto* config = std::get_if<Config>(&result);
  return config ? show_options(*config) : std::get<std::string>(result);
}

std::string listen_of(const ConfigResult& result) {
  const auto* config = std::get_if<Config>(&result);
  return config ? joined(config->listen, ",") : std::get<std::string>(result);
}

std::string pools_of(const ConfigResult& result) {
  const auto* config = std::get_if<Config>(&result);
  return config ? joined(config->pools, " | ", show_pool) : std::get<std::string>(result);
}

std::string options_in(std::string_view text) { return options_of(parse_config(text, "f")); }

std::string pools_in(std::string_view text) { return pools_of(parse_config(text, "f")); }

void check_config_rows(std::span<const ConfigRow> rows, const ConfigTable& table) {
  for (const ConfigRow& row : rows) {
    if (!check_row(row, table)) fail_msg("another outcome");
  }
}

std::string path_in_etc(const char* name) {
  const char* top = std::getenv("TOP");
  return std::string(top ? top : ".") + "/etc/" + name;
}

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace distributex::test
