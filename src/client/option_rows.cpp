// SPDX-License-Identifier: MIT
//
// A new option is a row here, a paragraph in distributex(1) and a word in the bash completion; the
// build checks that the three agree.
#include "client/option_rows.h"

#include <array>
#include <cmath>

#include "base/text.h"
#include "lock/lease.h"

namespace distributex::client {

namespace {

bool apply_servers(Options& o, const std::string& value) {
  std::string ignored;
  const auto servers =
      parse_servers(value, 0, ignored);  // port 0: not given, filled in when all options are known
  o.servers = servers.value_or(std::vector<Server>());
  return servers.has_value();
}

bool apply_pool(Options& o, const std::string& value) {
  o.pool = value;
  return !value.empty() && value.size() <= 255;
}

bool apply_id(Options& o, const std::string& value) {
  o.id = value;
  return !value.empty() && value.size() <= 255;
}

bool apply_port(Options& o, const std::string& value) {
  const auto port = parse_server_port(value);
  o.port = port.value_or(0);
  return port.has_value();
}

bool apply_wait(Options& o, const std::string& value) {
  const auto seconds = parse_whole<double>(value);
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > 1e8) {
    return false;
  }
  o.wait = from_seconds(*seconds);
  return true;
}

bool apply_lease(Options& o, const std::string& value) {
  const auto seconds = parse_whole<int>(value);
  if (!seconds || *seconds < 1 || *seconds > 86400) {
    return false;
  }
  o.lease = std::chrono::seconds(*seconds);
  return true;
}

bool apply_code(Options& o, const std::string& value) {
  const auto code = parse_whole<int>(value);
  if (!code || *code < 0 || *code > 255) {
    return false;
  }
  o.not_obtained_code = code;
  return true;
}

bool apply_success(Options& o, const std::string& value) {
  o.success.clear();
  std::string_view rest = value;
  do {
    const auto code = parse_whole<int>(take_until(',', rest));
    if (!code || *code < 0 || *code > 255) {
      return false;
    }
    o.success.push_back(*code);
  } while (!rest.empty());
  return true;
}

bool apply_proxy(Options& o, const std::string& value) {
  o.proxy = value;
  return !value.empty();
}

bool apply_host(Options& o, const std::string& value) {
  o.host = value;
  return !value.empty() && value.size() <= 255;
}

bool apply_secret_file(Options& o, const std::string& value) {
  o.proofs.secret_file = value;
  o.proofs.secret.clear();
  return !value.empty();
}

bool set_file(std::string& file, const std::string& value) {
  file = value;
  return !value.empty();
}

// The last mode counts; check() refuses more than one order.
bool set_mode(Options& o, Mode mode) {
  o.orders += is_order(mode) ? 1 : 0;
  o.mode = mode;
  return true;
}

bool apply_freeze(Options& o, const std::string& value) {
  if (!value.empty()) {
    o.reason = value;
  }
  return set_mode(o, Mode::freeze) && value.size() <= 255;
}

bool apply_reason(Options& o, const std::string& value) {
  o.reason = value;
  return !value.empty() && value.size() <= 255;
}

// 90m, 2h, 1d, 45s; without a letter: seconds.
bool apply_for(Options& o, const std::string& value) {
  long long unit = 1;
  std::string digits = value;
  if (!value.empty()) {
    const std::string_view letters = "smhd";
    constexpr long long lengths[] = {1, 60, 3600, 86400};
    const std::size_t at = letters.find(value.back());
    if (at != letters.npos) {
      unit = lengths[at];
      digits.pop_back();
    }
  }
  const auto number = parse_whole<int>(digits);
  if (!number || *number < 1 || *number > 2147483647 / unit) {
    return false;
  }
  o.freeze_for = std::chrono::seconds(*number * unit);
  return true;
}

bool apply_evict(Options& o, const std::string& value) {
  const auto token = parse_whole<std::uint64_t>(value);
  o.token = token.value_or(0);
  return set_mode(o, Mode::evict) && o.token != 0 && o.token <= max_token;
}

bool set_flag(bool& flag) {
  flag = true;
  return true;
}

constexpr std::array rows{
    OptionRow{
        'H', "server", "HOST[:PORT],...", "lock servers, tried in turn; https:// for TLS",
        "HOST, HOST:PORT or [IPV6]:PORT, with https:// before it for TLS, separated by commas",
        apply_servers},
    OptionRow{'r', "pool", "POOL", "the pool to take a lock of", "a name of 1 to 255 bytes",
              apply_pool},
    OptionRow{'p', "port", "PORT", "port of servers given without one (9889)",
              "a number from 1 to 65535", apply_port},
    OptionRow{'l', "local", nullptr, "lock on this host as well, with flock(2)", "",
              [](Options& o, const std::string&) { return set_flag(o.local); }},
    OptionRow{'n', "no-wait", nullptr, "do not wait when no lock is free", "",
              [](Options& o, const std::string&) {
                o.wait = Span::zero();
                return true;
              }},
    OptionRow{'w', "wait", "SECONDS", "wait at most so long", "a number of seconds, 0 or more",
              apply_wait},
    OptionRow{'E', "conflict-exit-code", "CODE", "exit code when others have the lock (75)",
              "a number from 0 to 255", apply_code},
    OptionRow{'i', "id", "ID", "the id of this run on this host (default: unique)",
              "a name of 1 to 255 bytes", apply_id},
    OptionRow{0, "outcome-of", "CODE,...", "exit codes of the command that are success (0)",
              "numbers from 0 to 255 with commas between", apply_success},
    OptionRow{0, "lease", "SECONDS", "length of the lease that is renewed (30)",
              "a whole number from 1 to 86400", apply_lease},
    OptionRow{0, "proxy", "URL", "reach the servers through this proxy", "a URL", apply_proxy},
    OptionRow{0, "host", "NAME", "the name of this host (what its name service says)",
              "a name of 1 to 255 bytes", apply_host},
    OptionRow{
        0, "cacert", "FILE", "the CAs of servers (the system's)", "a file",
        [](Options& o, const std::string& value) { return set_file(o.proofs.cacert, value); }},
    OptionRow{0, "cert", "FILE", "a certificate to show to servers", "a file",
              [](Options& o, const std::string& value) { return set_file(o.proofs.cert, value); }},
    OptionRow{0, "key", "FILE", "its key (in the same file)", "a file",
              [](Options& o, const std::string& value) { return set_file(o.proofs.key, value); }},
    OptionRow{0, "secret-file", "FILE", "a file with a secret to show to servers", "a file",
              apply_secret_file},
    OptionRow{0, "status", nullptr, "print pools, holders and waiters; run nothing", "",
              [](Options& o, const std::string&) { return set_mode(o, Mode::status); }},
    OptionRow{0, "json", nullptr, "print the status as JSON", "",
              [](Options& o, const std::string&) { return set_flag(o.json); }},
    OptionRow{0, "ping", nullptr, "exit 0 if a server can grant locks; run nothing", "",
              [](Options& o, const std::string&) { return set_mode(o, Mode::ping); }},
    OptionRow{0, "freeze", "[=REASON]", "grant no new lock of the pool; it may hold *",
              "a reason of at most 255 bytes", apply_freeze},
    OptionRow{0, "for", "TIME", "how long a freeze lasts (until --thaw)",
              "a time like 45s, 90m, 2h or 1d", apply_for},
    OptionRow{0, "thaw", nullptr, "end a freeze", "",
              [](Options& o, const std::string&) { return set_mode(o, Mode::thaw); }},
    OptionRow{0, "evict", "TOKEN", "end the lock that has this token",
              "a token, as --status shows it", apply_evict},
    OptionRow{0, "reason", "TEXT", "why, for --freeze and --evict", "a text of 1 to 255 bytes",
              apply_reason},
    OptionRow{'v', "verbose", nullptr, "tell what happens, and who holds the lock", "",
              [](Options& o, const std::string&) { return set_flag(o.verbose); }},
    OptionRow{'q', "quiet", nullptr, "say nothing but what is wrong with the usage", "",
              [](Options& o, const std::string&) { return set_flag(o.quiet); }},
    OptionRow{'V', "version", nullptr, "print the version", "",
              [](Options& o, const std::string&) { return set_mode(o, Mode::version); }},
    OptionRow{'h', "help", nullptr, "print this help", "",
              [](Options& o, const std::string&) { return set_mode(o, Mode::help); }},
};

}  // namespace

std::span<const OptionRow> option_rows() { return rows; }

}  // namespace distributex::client
