// SPDX-License-Identifier: MIT
#include "http/openssl.h"

#include <openssl/err.h>

namespace distributex {

std::string openssl_error() {
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason ? reason : "unknown error";
  if (ERR_SYSTEM_ERROR(code)) {
    char buffer[256];
    ERR_error_string_n(code, buffer, sizeof buffer);
    text = buffer;
  }
  ERR_clear_error();
  return text;
}

}  // namespace distributex
