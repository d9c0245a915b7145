// SPDX-License-Identifier: MIT
// The daemon's main: arguments, configuration, Server, exit code. No sockets
// and no lock words.
#include <getopt.h>
#include <sysexits.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/sqlite/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/standard_fds.h"
#include "base/text.h"
#include "config/address.h"
#include "daemon/notify.h"
#include "daemon/output.h"
#include "daemon/process.h"
#include "daemon/server.h"
#include "daemon/settings.h"
#include "http/listener_inherited.h"
#include "http/secrets.h"

namespace {

using namespace distributex;

struct Option {
  char letter;
  const char* name;
  const char* argument;  // nullptr: takes none
  const char* help;
  // Returns what is wrong with the value; empty: nothing. nullptr: any value will do.
  std::string (*check)(std::string_view value) = nullptr;
};

std::string check_port(std::string_view value) {
  return parse_port(value) ? "" : "port " + in_quotes(value) + " is not a number from 0 to 65535";
}

std::string check_listen(std::string_view value) {
  const std::string complaint = check_listen_argument(value);
  return complaint.empty() ? complaint : "listen: " + complaint;
}

std::string check_store_name(std::string_view value) {
  return value.empty() ? "--store-check wants a file, not \"\"" : "";
}

std::string check_secret_name(std::string_view value) {
  return is_secret_name(value)
             ? ""
             : in_quotes(value) + " is no name for a secret: letters, digits, '.', '_' and '-'";
}

constexpr Option options[] = {
    {'c', "config", "FILE",
     "the configuration (default " SYSCONFDIR "/distributex/distributex.yaml)"},
    {'p', "port", "PORT", "listen on this port, whatever the configuration says; 0: any free one",
     check_port},
    {'l', "listen", "ADDRESS",
     "listen on ADDRESS[:PORT], [V6][:PORT] or unix:/PATH only; may be repeated", check_listen},
    {'d', "daemon", nullptr, "go to the background once ready; log to syslog"},
    {'P', "pidfile", "FILE", "write the process id there"},
    {'u', "user", "USER", "become this user once the ports are open"},
    {'S', "store-check", "FILE",
     "say what is in a store that no daemon has open, and whether it is whole, and exit",
     check_store_name},
    {'j', "json", nullptr, "with --store-check: as JSON"},
    {'M', "make-secret", "NAME",
     "print a new secret, and on stderr its line for the file of secrets, and exit",
     check_secret_name},
    {'t', "test", nullptr, "check the configuration and exit"},
    {'v', "verbose", nullptr, "log every answer"},
    {'V', "version", nullptr, "print the version and exit"},
    {'h', "help", nullptr, "print this and exit"},
};

struct Arguments {
  std::string config = SYSCONFDIR "/distributex/distributex.yaml";
  std::optional<uint16_t> port;
  std::vector<std::string> listen;
  std::string pidfile;
  std::string user;
  bool daemon = false;
  std::string store;
  bool json = false;
  std::string secret;
  bool test = false;
  bool verbose = false;
};

int usage_error(const std::string& what) {
  std::fprintf(stderr, "distributexd: %s\nTry 'distributexd --help'.\n", what.c_str());
  return EX_USAGE;
}

int print_help() {
  constexpr size_t column = 19;
  std::string text =
      "Usage: distributexd [OPTION]...\n"
      "A network mutex and semaphore service.\n\n";
  for (const Option& o : options) {
    std::string name = std::string{o.name} + (o.argument ? std::string{"="} + o.argument : "");
    name.resize(std::max(name.size() + 1, column), ' ');
    text.append("  -").append(1, o.letter).append(", --").append(name).append(o.help) += '\n';
  }
  text +=
      "\nSignals: HUP reads the configuration again; TERM and INT stop gracefully.\n"
      "Exit codes: 0 stopped, 64 usage, 65 the store is damaged, 71 the system refuses, 74 the "
      "output cannot be written, 78 the configuration is wrong.\n";
  return print(stdout, "the help", text);
}

// Returns what is wrong with the value of an option; empty: nothing.
std::string check_value(int letter, const char* argument) {
  for (const Option& o : options) {
    if (o.letter == letter && o.check) {
      return o.check(argument);
    }
  }
  return {};
}

// Returns the exit code if the program shall end now.
std::optional<int> take_option(int letter, const char* argument, Arguments& out) {
  if (const std::string complaint = check_value(letter, argument); !complaint.empty()) {
    return usage_error(complaint);
  }
  switch (letter) {
    case 'c':
      out.config = argument;
      break;
    case 'p':
      out.port = parse_port(argument);
      break;
    case 'l':
      out.listen.emplace_back(argument);
      break;
    case 'd':
      out.daemon = true;
      break;
    case 'P':
      out.pidfile = argument;
      break;
    case 'u':
      out.user = argument;
      break;
    case 'S':
      out.store = argument;
      break;
    case 'j':
      out.json = true;
      break;
    case 'M':
      out.secret = argument;
      break;
    case 't':
      out.test = true;
      break;
    case 'v':
      out.verbose = true;
      break;
    case 'V':
      return print(stdout, "the version", "distributexd " DISTRIBUTEX_VERSION "\n");
    case 'h':
      return print_help();
    default:
      std::fputs("Try 'distributexd --help'.\n", stderr);
      return EX_USAGE;
  }
  return std::nullopt;
}

std::optional<int> read_arguments(int argc, char** argv, Arguments& out) {
  std::string letters;
  std::vector<option> names;
  for (const Option& o : options) {
    letters += o.letter;
    if (o.argument) {
      letters += ':';
    }
    names.push_back({o.name, o.argument ? required_argument : no_argument, nullptr, o.letter});
  }
  names.push_back({});
  for (;;) {
    const int letter = getopt_long(argc, argv, letters.c_str(), names.data(), nullptr);
    if (letter == -1) {
      break;
    }
    if (const auto code = take_option(letter, optarg, out)) {
      return code;
    }
  }
  if (optind < argc) {
    return usage_error("unexpected argument \"" + std::string{argv[optind]} + "\"");
  }
  return std::nullopt;
}

int fail(int code, const std::string& what, int error) {
  log_line(Level::error, "%s", what.c_str());
  log_flush();
  tell_start_failed(error, what);
  return code;
}

// Call it while errno is still that of the failure: the service manager is told it.
int fail_system(const std::string& what) { return fail(EX_OSERR, what, errno != 0 ? errno : EIO); }

int check_store(const Arguments& arguments) {
  const StoreReport report = distributex::check_store(arguments.store, arguments.json);
  const bool is_bad = report.exit_code != EX_OK && !arguments.json;
  const int written = print(is_bad ? stderr : stdout, "the report", report.text);
  return report.exit_code != EX_OK ? report.exit_code : written;
}

int print_secret(const std::string& name) {
  const auto made = make_secret(name);
  if (!made) {
    return fail_system("the system gives no random bytes");
  }
  // Print no line for a secret that nobody has got.
  const int code = print(stdout, "the secret", made->secret + "\n");
  return code != EX_OK ? code : print(stderr, "the line with the digest", made->line + "\n");
}

// Checks the configuration. Becomes the user of -u first, for that user must be able to read
// the files.
int test(const Arguments& arguments, const Settings& settings) {
  if (!arguments.user.empty()) {
    if (const auto error = become_user(arguments.user, {})) {
      return fail_system(*error);
    }
  }
  const auto listen = addresses_of({arguments.listen, arguments.port}, settings.service.listen);
  auto trust = make_trust(settings.trust, listen, settings.service.pools, wall_seconds());
  if (const auto* error = std::get_if<std::string>(&trust)) {
    return fail(EX_CONFIG, arguments.config + ": " + *error, EINVAL);
  }
  const TrustSetup& made = std::get<TrustSetup>(trust);
  std::string warnings;
  for (const std::string& warning : made.warnings) {
    warnings.append("warning: ").append(warning) += '\n';
  }
  const int warned = warnings.empty() ? EX_OK : print(stderr, "the warnings", warnings);
  const std::string access =
      arguments.verbose ? explain_access(made.access, settings.service.pools) : std::string{};
  const int printed =
      print(stdout, "what was found", access + arguments.config + ": the configuration is good\n");
  return warned != EX_OK ? warned : printed;
}

int serve(const Arguments& arguments, Settings settings) {
  auto inherited = inherited_listeners();
  if (const auto* error = std::get_if<std::string>(&inherited)) {
    return fail(EX_OSERR, *error, ENOTSOCK);
  }
  std::optional<Background> background;
  if (arguments.daemon && !(background = Background::enter())) {
    return fail_system(std::string{"cannot go to the background: "} + std::strerror(errno));
  }
  PidFile pidfile;
  if (!arguments.pidfile.empty()) {
    if (const auto error = PidFile::claim(absolute_path(arguments.pidfile), pidfile)) {
      return fail_system(*error);
    }
  }

  Server server{{.settings = std::move(settings),
                 .config_file = absolute_path(arguments.config),
                 .listen = {arguments.listen, arguments.port},
                 .inherited = std::get<std::vector<Listener>>(std::move(inherited))}};
  if (const auto error = server.open()) {
    return fail_system(*error);
  }
  if (!arguments.user.empty()) {
    if (const auto error = become_user(arguments.user, server.unix_paths())) {
      return fail_system(*error);
    }
  }
  if (const auto error = server.open_trust()) {
    return fail(EX_CONFIG, *error, EINVAL);
  }
  if (const auto refusal = server.open_backend()) {
    return fail(refusal->exit_code, refusal->what, EIO);
  }
  if (background) {
    log_flush();
    log_open(LogTarget::syslog, arguments.verbose ? Level::debug : Level::info);
    background->ready();
  }
  return server.run() ? EX_OK : EX_OSERR;
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_missing_standard_fds()) {
    return EX_OSERR;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // if the log may not grow, the daemon goes on
  std::signal(SIGHUP, SIG_IGN);   // Server handles it while it exists
  end_when_out_of_memory();
  use_one_heap();
  Arguments arguments;
  if (const auto code = read_arguments(argc, argv, arguments)) {
    if (*code == EX_USAGE) {
      tell_start_failed(EINVAL, "the command line is wrong");
    }
    return *code;
  }
  if (!arguments.secret.empty()) {
    return print_secret(arguments.secret);
  }
  if (!arguments.store.empty()) {
    return check_store(arguments);
  }
  log_open(LogTarget::stderr_plain, arguments.verbose ? Level::debug : Level::info);
  auto loaded = load_settings(arguments.config);
  if (const auto* error = std::get_if<std::string>(&loaded)) {
    return fail(EX_CONFIG, *error, EINVAL);
  }
  if (arguments.test) {
    return test(arguments, std::get<Settings>(loaded));
  }
  return serve(arguments, std::move(std::get<Settings>(loaded)));
}
