// SPDX-License-Identifier: MIT
// Any text is a configuration whose every value is in range, or one printable
// line that says where it is wrong: "FILE:LINE:COLUMN: ...".
#include <algorithm>
#include <set>
#include <string>
#include <variant>

#include "backends/memcache/options.h"
#include "daemon/settings.h"
#include "fuzz.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

constexpr std::string_view file = "some.yaml";

// A number without a sign or a nought in front, and the colon after it.
size_t take_count(std::string_view& rest) {
  const std::string digits(take_until(':', rest));
  must(!digits.empty() && digits.size() < 9, "a place is a number");
  must(digits.find_first_not_of("0123456789") == std::string::npos, "a place is a number");
  const auto count = static_cast<size_t>(atol(digits.c_str()));
  must(std::to_string(count) == digits && count > 0, "a place counts from 1");
  return count;
}

void check_error(std::string_view error, std::string_view text) {
  must(is_printable(error), "an error is one printable line");
  must(error.size() < 1000, "an error is short");
  must(error.substr(0, file.size()) == file, "an error names the file");
  error.remove_prefix(file.size());
  must(!error.empty() && error[0] == ':', "an error has a place");
  error.remove_prefix(1);
  const size_t line = take_count(error);
  const size_t column = take_count(error);
  // YAML has other ends of a line, too; none is shorter than a byte.
  must(line <= text.size() + 1 && column <= text.size() + 1, "the place is in the text");
  must(error.size() > 2 && error[0] == ' ', "an error says what is wrong");
}

bool is_name(const std::string& text) { return !text.empty() && text.size() <= 255; }

template <typename T>
bool within(const T& value, const T& least, const T& most) {
  return value >= least && value <= most;
}

void check_pools(const std::vector<PoolSpec>& pools) {
  using std::chrono::seconds;
  std::set<std::string> names;
  for (const PoolSpec& pool : pools) {
    must(is_name(pool.name) && names.insert(pool.name).second, "a pool has a name of its own");
    must(within(pool.expire, seconds{0}, seconds{2147483647}), "expire is in range");
    must(within(pool.maxlocks, 1U, 1000000U), "maxlocks is in range");
    must(std::is_sorted(pool.servers.begin(), pool.servers.end()), "servers are sorted");
    must(std::all_of(pool.servers.begin(), pool.servers.end(), is_name), "a server has a name");
  }
}

void check_settings(const Settings& settings) {
  using std::chrono::seconds;
  const ServiceOptions& service = settings.service;
  const HttpLimits& http = settings.http;
  const auto memcache = settings.config.read<MemcacheOptions>();
  must(service.backend == "inmemory" || service.backend == "memcache", "the backend is known");
  must(!memcache.hosts.empty(), "there is a memcachehost");
  must(within(memcache.port, 1U, 65535U), "memcacheport is a port");
  must(!service.listen.empty(), "there is something to listen on");
  must(within(http.max_connections, 1U, 1000000U), "max_connections is in range");
  must(within(service.max_waiting, 1U, 1000000U), "max_waiting is in range");
  must(within<Duration>(http.request_timeout, seconds{1}, seconds{3600}),
       "request_timeout is in range");
  must(within<Duration>(http.idle_timeout, seconds{1}, seconds{86400}), "idle_timeout is in range");
  must(within(http.max_header_size, 1024U, 65536U), "max_header_size is in range");
  must(http.max_body_size <= 65536U, "max_body_size is in range");
  check_pools(service.pools);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = text_of(data, size);
  const auto read = parse_settings(text, std::string(file));
  if (const auto* error = std::get_if<std::string>(&read)) {
    check_error(*error, text);
  } else {
    check_settings(std::get<Settings>(read));
  }
  return 0;
}
