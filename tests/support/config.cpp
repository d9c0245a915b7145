// SPDX-License-Identifier: MIT
// How tests render a configuration and run their tables.
#include "support/config.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "backends/memcache/options.h"
#include "backends/sqlite/options.h"
#include "support/test.h"

namespace distributex::test {
namespace {

template <typename Items, typename Show>
std::string joined(const Items& items, const char* separator, Show show) {
  std::string all;
  for (const auto& item : items) {
    all += (all.empty() ? "" : separator) + show(item);
  }
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

int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::string show_options(const Settings& settings) {
  const auto memcache = settings.config.read<MemcacheOptions>();
  const auto sqlite = settings.config.read<SqliteOptions>();
  const HttpLimits& http = settings.http;
  const std::vector<int64_t> numbers = {http.max_connections,
                                        http.max_connections_per_peer,
                                        settings.service.max_waiting,
                                        whole_seconds(http.request_timeout),
                                        whole_seconds(http.idle_timeout),
                                        http.max_header_size,
                                        http.max_body_size};
  return settings.service.backend + ' ' + memcache.hosts + ' ' + std::to_string(memcache.port) +
         ' ' + memcache.prefix + ' ' + std::to_string(memcache.timeout.count()) + ' ' +
         sqlite.file + ' ' + std::to_string(sqlite.timeout.count()) + ' ' +
         std::to_string(memcache.poll.count()) + ' ' + joined(settings.service.listen, ",") + ' ' +
         joined(numbers, " ", [](int64_t number) { return std::to_string(number); });
}

// What a table is given becomes its outcome, in memory that a failing assert
// does not lose.
bool check_row(const ConfigRow& row, const ConfigTable& table) {
  std::string text(table.before);
  text.append(row.text).append(table.after);
  std::string expected(row.outcome);
  expected += table.ending;
  const std::string outcome = table.show(parse_settings(text, "f"));
  if (outcome == expected) {
    return true;
  }
  print_error("%s\nis     \"%s\"\nshould \"%s\"\n", text.c_str(), outcome.c_str(),
              expected.c_str());
  return false;
}

}  // namespace

std::string options_of(const ConfigResult& result) {
  const auto* settings = std::get_if<Settings>(&result);
  return settings ? show_options(*settings) : std::get<std::string>(result);
}

std::string listen_of(const ConfigResult& result) {
  const auto* settings = std::get_if<Settings>(&result);
  return settings ? joined(settings->service.listen, ",") : std::get<std::string>(result);
}

std::string pools_of(const ConfigResult& result) {
  const auto* settings = std::get_if<Settings>(&result);
  return settings ? joined(settings->service.pools, " | ", show_pool)
                  : std::get<std::string>(result);
}

std::string options_in(std::string_view text) { return options_of(parse_settings(text, "f")); }

std::string pools_in(std::string_view text) { return pools_of(parse_settings(text, "f")); }

void check_config_rows(std::span<const ConfigRow> rows, const ConfigTable& table) {
  for (const ConfigRow& row : rows) {
    if (!check_row(row, table)) {
      fail_msg("another outcome");
    }
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
