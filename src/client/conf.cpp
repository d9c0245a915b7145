// SPDX-License-Identifier: MIT
//
// DISTRIBUTEX_CONFIG names the file of this host; without it, the file is client.conf in the
// system's folder. If the file has an error, --help and --version still work.
#include "client/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <set>

#include "base/handle.h"
#include "base/text.h"
#include "client/identity.h"

namespace distributex::client {

namespace {

constexpr const char* usual_file = SYSCONFDIR "/distributex/client.conf";
constexpr std::size_t longest_file = std::size_t{64} << 10U;

std::string this_host() { return find_host_name(std::chrono::seconds(2)); }

// Returns nullopt with an empty error if there is no file.
std::optional<std::string> read_file(const std::string& file, bool must_be, std::string& error) {
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() == -1) {
    if (must_be || (errno != ENOENT && errno != ENOTDIR)) {
      error = file + ": " + strerrordesc_np(errno);
    }
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t got = read(fd.get(), bytes.data(), bytes.size());
    if (got == 0) {
      return text;
    }
    if (got == -1 && errno != EINTR) {
      error = file + ": " + strerrordesc_np(errno);
      return std::nullopt;
    }
    text.append(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    if (text.size() > longest_file) {
      error = file + ": is too long for a file of options";
      return std::nullopt;
    }
  }
}

bool read_conf(Options& options, std::string& error) {
  const char* named = getenv("DISTRIBUTEX_CONFIG");
  if (named != nullptr && *named == '\0') {
    return true;
  }
  const std::string file = named != nullptr ? named : usual_file;
  const auto text = read_file(file, named != nullptr, error);
  if (!text) {
    return error.empty();
  }
  if (!apply_conf(*text, &this_host, options, error)) {
    error = file + ":" + error;
  }
  return error.empty();
}

bool take_secret(Options& options, std::string& error) {
  const char* value = getenv("DISTRIBUTEX_SECRET");
  std::string secret = value != nullptr ? value : "";
  (void)unsetenv("DISTRIBUTEX_SECRET");
  if (secret.empty()) {
    return true;
  }
  if (!is_sendable(secret)) {
    error =
        "DISTRIBUTEX_SECRET is no secret: it is what distributexd --make-secret prints on its "
        "standard output";
    return false;
  }
  options.proofs.secret = std::move(secret);
  options.proofs.secret_file.clear();
  return true;
}

// Replaces each %h by the name of this host and each %% by %.
bool expand(std::string_view text, std::string (*host_name)(), std::string& host, std::string& out,
            std::string& error) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    if (next == 'h') {
      host = host.empty() ? host_name() : host;
      out += host;
    } else if (next == '%') {
      out += '%';
    } else {
      error = "% is followed by h, for the name of this host, or by another %";
      return false;
    }
  }
  return true;
}

// The line without its comment and without blanks around.
std::string_view content(std::string_view line) {
  line = trimmed(line, " \t\r");
  const std::size_t comment = line.starts_with('#') ? 0 : line.find(" #");
  return trimmed(line.substr(0, comment), " \t\r");
}

bool apply_line(std::string_view line, std::string (*host_name)(), std::string& host,
                std::set<std::string>& seen, Options& options, std::string& error) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    error = "a line is an option, a colon and a value";
    return false;
  }
  const std::string name(trimmed(line.substr(0, colon)));
  std::string value;
  if (!expand(trimmed(line.substr(colon + 1)), host_name, host, value, error)) {
    return false;
  }
  if (!seen.insert(name).second) {
    error = in_quotes(name) + " is there twice";
    return false;
  }
  return set_option(options, name, value, error);
}

}  // namespace

bool apply_conf(std::string_view text, std::string (*host_name)(), Options& options,
                std::string& error) {
  std::string host;
  std::set<std::string> seen;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = content(take_until('\n', text));
    if (!line.empty() && !apply_line(line, host_name, host, seen, options, error)) {
      error = std::to_string(number) + ": " + error;
      return false;
    }
  }
  if (options.host.empty()) {
    options.host = host;  // so that the name service is asked only once
  }
  return true;
}

std::optional<Options> gather_options(int argc, char** argv, std::string& error) {
  Options given;
  std::string trouble;
  const bool is_sound = read_conf(given, trouble);
  const bool has_secret = take_secret(given, is_sound ? trouble : error);
  error.clear();
  auto options = parse_options(argc, argv, error, std::move(given));
  const bool helps = options && (options->mode == Mode::help || options->mode == Mode::version);
  if (helps) {
    return options;
  }
  if (!is_sound || !has_secret) {
    error = trouble;
    return std::nullopt;
  }
  if (!options) {
    error += "; see distributex --help";
    return std::nullopt;
  }
  if (!options->proofs.secret_file.empty() && !read_secret(options->proofs.secret_file, error)) {
    return std::nullopt;
  }
  return options;
}

}  // namespace distributex::client
