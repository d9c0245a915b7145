// SPDX-License-Identifier: MIT
// Any bytes as a file of secrets, and as an Authorization header: an error must name the file
// and show no secret, secrets that are read must have names and hosts, and a header must
// prove something only if it contains a text of a secret's form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/secrets.h"

using namespace distributex;

namespace {

void check(bool so) {
  if (!so) {
    std::abort();
  }
}

bool shows_a_secret(std::string_view text) {
  for (size_t at = text.find("dxs_"); at != text.npos; at = text.find("dxs_", at + 1)) {
    if (is_secret(text.substr(at, 47))) {
      return true;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto read = Secrets::parse(bytes, "f");
  if (const auto* error = std::get_if<std::string>(&read)) {
    check(error->starts_with("f:") && !shows_a_secret(*error));
  } else {
    for (const Secret& secret : std::get<Secrets>(read).all()) {
      check(is_secret_name(secret.name) && !secret.hosts.empty());
      check(std::get<Secrets>(read).find(secret.digest) != nullptr);
    }
  }
  if (const auto shown = read_authorization(bytes)) {
    check(bytes.size() <= 512 && bytes.size() > 47);
  }
  return 0;
}
