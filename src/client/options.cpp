// SPDX-License-Identifier: MIT
//
// Reads the command line with getopt_long by the table of options (option_rows.cpp), and checks
// options that belong together.
#include "client/options.h"

#include <getopt.h>

#include "base/text.h"
#include "client/option_rows.h"

namespace distributex::client {

namespace {

// getopt_long tells options apart by a number: the letter, or beyond all letters the row's place.
int code_of(const OptionRow& row) {
  return row.letter != 0 ? row.letter : 256 + static_cast<int>(&row - option_rows().data());
}

const OptionRow* find_row(int code) {
  for (const OptionRow& row : option_rows()) {
    if (code_of(row) == code) {
      return &row;
    }
  }
  return nullptr;
}

// Whether the value may be left out; if it is given, "=" must stand before it.
bool is_optional(const OptionRow& row) { return row.argument != nullptr && row.argument[0] == '['; }

std::string spelled(const OptionRow& row) {
  std::string text = row.letter != 0 ? std::string("-") + row.letter + ", " : std::string("    ");
  text += std::string("--") + row.name;
  return row.argument == nullptr ? text
         : is_optional(row)      ? text + row.argument
                                 : text + "=" + row.argument;
}

// The name of an option in errors: both spellings, for it is not known which one the user typed.
std::string named(const OptionRow& row) {
  const std::string name = std::string("--") + row.name;
  return row.letter != 0 ? std::string("-") + row.letter + " (" + name + ")" : name;
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

// Refuses to send a secret in clear, where others on the network could read it.
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

// Looks for options that belong to another mode than the one that was asked for.
bool fits_mode(const Options& o, std::string& error) {
  if (o.json && o.mode != Mode::status) {
    error = "--json goes with --status only";
  } else if (o.orders > 1) {
    error = "only one of --freeze, --thaw and --evict at a time";
  } else if (o.freeze_for && o.mode != Mode::freeze) {
    error = "--for goes with --freeze only";
  } else if (!o.reason.empty() && o.mode != Mode::freeze && o.mode != Mode::evict) {
    error = "--reason goes with --freeze and --evict only";
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
  if (!fits_mode(o, error)) {
    return false;
  }
  if (o.servers.empty()) {
    error = "no server given (-H HOST)";
  } else if ((o.mode == Mode::run || is_order(o.mode)) && o.pool.empty()) {
    error = "no pool given (-r POOL)";
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
    const OptionRow* row = find_row(optopt);
    return row == nullptr ? "an option lacks its value" : named(*row) + " wants " + row->wants;
  }
  // getopt_long refuses an option that the table has only if it was given a value by "=".
  if (const OptionRow* row = find_row(optopt)) {
    return named(*row) + " takes no value";
  }
  return std::string("unknown option ") + (optopt != 0
                                               ? std::string("-") + static_cast<char>(optopt)
                                               : std::string(argv[optind - 1]));
}

}  // namespace

bool set_option(Options& options, std::string_view name, const std::string& value,
                std::string& error) {
  for (const OptionRow& row : option_rows()) {
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
  for (const OptionRow& row : option_rows()) {
    if (row.letter != 0) {
      letters += row.letter;
      letters += row.argument == nullptr ? "" : ":";
    }
    const int argument = row.argument == nullptr ? no_argument
                         : is_optional(row)      ? optional_argument
                                                 : required_argument;
    longs.push_back({row.name, argument, nullptr, code_of(row)});
  }
  longs.push_back({});
  Options options = std::move(given);
  const char* last_value = nullptr;
  optind = 0;  // glibc: start afresh
  opterr = 0;
  for (int code = 0;
       (code = getopt_long(argc, argv, letters.c_str(), longs.data(), nullptr)) != -1;) {
    const OptionRow* row = code == '?' || code == ':' ? nullptr : find_row(code);
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
  for (const OptionRow& row : option_rows()) {
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
