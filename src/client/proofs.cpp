// SPDX-License-Identifier: MIT
#include "client/proofs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/handle.h"
#include "base/text.h"

namespace distributex::client {

namespace {

constexpr std::size_t longest_secret = 255;

}  // namespace

bool is_sendable(const std::string& secret) {
  return !secret.empty() && secret.size() <= longest_secret &&
         std::all_of(secret.begin(), secret.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// Checks the mode of the open file, so that the file that was checked is the one that is read.
std::optional<std::string> read_secret(const std::string& file, std::string& error) {
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat st {};
  if (fd.get() == -1 || fstat(fd.get(), &st) != 0) {
    error = "cannot read the secret in " + file + ": " + strerrordesc_np(errno);
    return std::nullopt;
  }
  if ((st.st_mode & S_IROTH) != 0) {
    error = "everybody on this host can read the secret in " + file + ": chmod 0600 it";
    return std::nullopt;
  }
  std::array<char, 1024> bytes{};
  const ssize_t got = read(fd.get(), bytes.data(), bytes.size());
  if (got < 0) {
    error = "cannot read the secret in " + file + ": " + strerrordesc_np(errno);
    return std::nullopt;
  }
  const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
  std::string secret(trimmed(text.substr(0, text.find('\n')), " \t\r"));
  if (!is_sendable(secret)) {
    error = "the first line of " + file +
            " is no secret: it is what distributexd --make-secret prints on its standard output";
    return std::nullopt;
  }
  return secret;
}

}  // namespace distributex::client
