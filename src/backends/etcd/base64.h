// SPDX-License-Identifier: MIT
// Bytes in etcd's JSON: base64 of RFC 4648 with its own alphabet and padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace distributex {

[[nodiscard]] std::string base64(std::string_view bytes);
// Returns nullopt for anything that base64() does not produce.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace distributex
