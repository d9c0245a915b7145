// SPDX-License-Identifier: MIT
//
// The table of options, and how getopt_long walks it. A new option is a row here, a paragraph in
// distributex(1) and a word in the bash completion; the build checks that the three agree.
#include "client/options.h"

#include <getopt.h>

#include <array>
#include <cmath>

#include "base/text.h"
#include "lock/lease.h"

namespace distributex::client {

namespace {

using Apply = bool (*)(Options&, const std::string& value);

struct Row {
  int code;  // the letter; from 256 on: none
  const char* name;
  const char* argument;  // nullptr: takes none
  const char* help;
  const char* wants;  // what a right value would be
  Apply apply;
};

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

// The last of them counts, but for two orders at once, which check() must see.
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
    Row{'H', "server", "HOST[:PORT],...", "lock servers, tried in turn; https:// for TLS",
        "HOST, HOST:PORT or [IPV6]:PORT, with https:// before it for TLS, separated by commas",
        apply_servers},
    Row{'r', "pool", "POOL", "the pool to take a lock of", "a name of 1 to 255 bytes", apply_pool},
    Row{'p', "port", "PORT", "port of servers given without one (9889)", "a number from 1 to 65535",
        apply_port},
    Row{'l', "local", nullptr, "lock on this host as well, with flock(2)", "",
        [](Options& o, const std::string&) { return set_flag(o.local); }},
    Row{'n', "no-wait", nullptr, "do not wait when no lock is free", "",
        [](Options& o, const std::string&) {
          o.wait = Span::zero();
          return true;
        }},
    Row{'w', "wait", "SECONDS", "wait at most so long", "a number of seconds, 0 or more",
        apply_wait},
    Row{'E', "conflict-exit-code", "CODE", "exit code when others have the lock (75)",
        "a number from 0 to 255", apply_code},
    Row{'i', "id", "ID", "who we are on this host (unique to the run)", "a name of 1 to 255 bytes",
        apply_id},
    Row{266, "outcome-of", "CODE,...", "exit codes of the command that are success (0)",
        "numbers from 0 to 255 with commas between", apply_success},
    Row{256, "lease", "SECONDS", "length of the lease that is renewed (30)",
        "a whole number from 1 to 86400", apply_lease},
    Row{257, "proxy", "URL", "reach the servers through this proxy", "a URL", apply_proxy},
    Row{261, "host", "NAME", "the name of this host (what its name service says)",
        "a name of 1 to 255 bytes", apply_host},
    Row{262, "cacert", "FILE", "the CAs of servers (the system's)", "a file",
        [](Options& o, const std::string& value) { return set_file(o.proofs.cacert, value); }},
    Row{263, "cert", "FILE", "a certificate to show to servers", "a file",
        [](Options& o, const std::string& value) { return set_file(o.proofs.cert, value); }},
    Row{264, "key", "FILE", "its key (in the same file)", "a file",
        [](Options& o, const std::string& value) { return set_file(o.proofs.key, value); }},
    Row{265, "secret-file", "FILE", "a file with a secret to show to servers", "a file",
        apply_secret_file},
    Row{258, "status", nullptr, "print pools, holders and waiters; run nothing", "",
        [](Options& o, const std::string&) { return set_mode(o, Mode::status); }},
    Row{259, "json", nullptr, "print the status as JSON", "",
        [](Options& o, const std::string&) { return set_flag(o.json); }},
    Row{260, "ping", nullptr, "exit 0 if a server can grant locks; run nothing", "",
        [](Options& o, const std::string&) { return set_mode(o, Mode::ping); }},
    Row{267, "freeze", "[=REASON]", "grant no new lock of the pool; it may hold *",
        "a reason of at most 255 bytes", apply_freeze},
    Row{268, "for", "TIME", "how long a freeze lasts (until --thaw)",
        "a time like 45s, 90m, 2h or 1d", apply_for},
    Row{269, "thaw", nullptr, "end a freeze", "",
        [](Options& o, const std::string&) { return set_mode(o, Mode::thaw); }},
    Row{270, "evict", "TOKEN", "end the lock that has this token", "a token, as --status shows it",
        apply_evict},
    Row{271, "reason", "TEXT", "why, for --freeze and --evict", "a text of 1 to 255 bytes",
        apply_reason},
    Row{'v', "verbose", nullptr, "tell what happens, and who holds the lock", "",
        [](Options& o, const std::string&) { return set_flag(o.verbose); }},
    Row{'q', "quiet", nullptr, "say nothing but what is wrong with the usage", "",
        [](Options& o, const std::string&) { return set_flag(o.quiet); }},
    Row{'V', "version", nullptr, "print the version", "",
        [](Options& o, const std::string&) { return set_mode(o, Mode::version); }},
    Row{'h', "help", nullptr, "print this help", "",
        [](Options& o, const std::string&) { return set_mode(o, Mode::help); }},
};

constexpr bool codes_differ() {
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    for (std::size_t other = 0; other < i; ++other) {
      if (rows[i].code == rows[other].code) {
        return false;
      }
    }
  }
  return true;
}
static_assert(codes_differ(), "two options have one code");

const Row* find_row(int code) {
  for (const Row& row : rows) {
    if (row.code == code) {
      return &row;
    }
  }
  return nullptr;
}

// A value that may be left out is written with its "=".
bool is_optional(const Row& row) { return row.argument != nullptr && row.argument[0] == '['; }

std::string spelled(const Row& row) {
  std::string text =
      row.code < 256 ? std::string("-") + static_cast<char>(row.code) + ", " : std::string("    ");
  text += std::string("--") + row.name;
  return row.argument == nullptr ? text
         : is_optional(row)      ? text + row.argument
                                 : text + "=" + row.argument;
}

// One word as an error names it: what the user typed is not known any more, so both spellings.
std::string named(const Row& row) {
  return (row.code < 256 ? std::string("-") + static_cast<char>(row.code) + " (--"
                         : std::string("(--")) +
         row.name + ")";
}

// The words after the options: after "--" a program and its arguments, else one shell command.
bool take_command(Options& o, int argc, char** argv, bool after_dashes, std::string& error) {
  const std::vector<std::string> words(argv + optind, argv + argc);
  if (words.empty()) {
    error = "no command given";
  } else if (after_dashes) {
    o.command = words;
  } else if (words.size() > 1) {
    error =
        "more than one word of command: quote the shell command, or put -- before a program and "
        "its arguments";
  } else {
    o.command = {"/bin/sh", "-c", words.front()};
  }
  return error.empty();
}

// Who listens on the way would have it.
bool keeps_secret(const Options& o, std::string& error) {
  for (const Server& server : o.servers) {
    const bool stays_here = server.is_loopback() && o.proxy.empty();
    if (o.proofs.has_secret() && !server.tls && !stays_here) {
      error = "the secret would go to " + server.name() + " in clear: write https://" +
              server.address() + ", or use no secret";
    }
  }
  if (!o.proofs.key.empty() && o.proofs.cert.empty()) {
    error = "a key (--key) is of no use without its certificate (--cert)";
  }
  return error.empty();
}

bool check(Options& o, int argc, char** argv, bool after_dashes, std::string& error) {
  if (o.mode == Mode::help || o.mode == Mode::version) {
    return true;
  }
  for (Server& server : o.servers) {
    server.port = server.port == 0 ? o.port : server.port;
  }
  if (o.servers.empty()) {
    error = "no server given (-H HOST)";
  } else if ((o.mode == Mode::run || is_order(o.mode)) && o.pool.empty()) {
    error = "no pool given (-r POOL)";
  } else if (o.json && o.mode != Mode::status) {
    error = "--json goes with --status only";
  } else if (o.orders > 1) {
    error = "only one of --freeze, --thaw and --evict at a time";
  } else if (o.freeze_for && o.mode != Mode::freeze) {
    error = "--for goes with --freeze only";
  } else if (!o.reason.empty() && o.mode != Mode::freeze && o.mode != Mode::evict) {
    error = "--reason goes with --freeze and --evict only";
  } else if (!keeps_secret(o, error)) {
    return false;
  } else if (o.mode == Mode::run) {
    return take_command(o, argc, argv, after_dashes, error);
  } else if (optind < argc) {
    error = is_order(o.mode) ? "a command cannot be run with --freeze, --thaw or --evict"
                             : "a command cannot be run with --status or --ping";
  }
  return error.empty();
}

std::string unknown_option(int code, char** argv) {
  if (code == ':') {
    const Row* row = find_row(optopt);
    return row == nullptr ? "an option lacks its value" : named(*row) + " wants " + row->wants;
  }
  if (optopt != 0 && optopt < 256) {
    return std::string("unknown option -") + static_cast<char>(optopt);
  }
  return std::string("unknown option, or a value it does not take: ") + argv[optind - 1];
}

}  // namespace

bool set_option(Options& options, std::string_view name, const std::string& value,
                std::string& error) {
  for (const Row& row : rows) {
    if (row.argument != nullptr && row.name == name) {
      if (!row.apply(options, value)) {
        error = std::string(row.name) + " wants " + row.wants + ", not " + in_quotes(value);
      }
      return error.empty();
    }
  }
  error = in_quotes(name) + " is no option that takes a value; see distributex --help";
  return false;
}

std::optional<Options> parse_options(int argc, char** argv, std::string& error, Options given) {
  std::string letters = "+:";
  std::vector<option> longs;
  for (const Row& row : rows) {
    if (row.code < 256) {
      letters += static_cast<char>(row.code);
      letters += row.argument == nullptr ? "" : ":";
    }
    const int argument = row.argument == nullptr ? no_argument
                         : is_optional(row)      ? optional_argument
                                                 : required_argument;
    longs.push_back({row.name, argument, nullptr, row.code});
  }
  longs.push_back({});
  Options options = std::move(given);
  const char* last_value = nullptr;
  optind = 0;  // glibc: start afresh
  opterr = 0;
  for (int code = 0;
       (code = getopt_long(argc, argv, letters.c_str(), longs.data(), nullptr)) != -1;) {
    const Row* row = code == '?' || code == ':' ? nullptr : find_row(code);
    if (row == nullptr) {
      error = unknown_option(code, argv);
      return std::nullopt;
    }
    last_value = row->argument == nullptr ? nullptr : optarg;
    if (!row->apply(options, last_value == nullptr ? "" : last_value)) {
      error = named(*row) + " wants " + row->wants + ", not \"" +
              (last_value == nullptr ? "" : last_value) + "\"";
      return std::nullopt;
    }
  }
  // "--" as an option's value does not end the options.
  const bool after_dashes =
      optind > 1 && argv[optind - 1] != last_value && std::string_view(argv[optind - 1]) == "--";
  return check(options, argc, argv, after_dashes, error) ? std::optional(options) : std::nullopt;
}

std::string help_text() {
  std::string text =
      "Usage: distributex -H HOST -r POOL [OPTION]... 'SHELL COMMAND'\n"
      "       distributex -H HOST -r POOL [OPTION]... -- COMMAND [ARGUMENT]...\n"
      "       distributex -H HOST --status [--json] [-r POOL]\n"
      "       distributex -H HOST --ping\n"
      "       distributex -H HOST -r POOL --freeze[=REASON] [--for TIME] | --thaw | --evict TOKEN\n"
      "Run a command while holding a lock that all hosts respect.\n\n";
  constexpr std::size_t column = 34;
  for (const Row& row : rows) {
    const std::string left = "  " + spelled(row);
    text +=
        left + std::string(left.size() < column ? column - left.size() : 1, ' ') + row.help + "\n";
  }
  return text +
         "\nExit: the command's own code, or 128+N when signal N ended it; 126 or 127 when it "
         "cannot be run;\n"
         "75 lock not obtained: others have it; 69 no server answered, or refused; 74 lock lost "
         "while the command ran;\n"
         "64 usage; 71 the system refuses what is needed; 1 the output cannot be written.\n"
         "See distributex(1).\n";
}

}  // namespace distributex::client
