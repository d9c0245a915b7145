// SPDX-License-Identifier: MIT
// From a path to what answers it: a verb of the lock service, or a page for
// probes and people; and which methods it knows. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "lock/words.h"

namespace distributex {

enum class Page { root, livez, readyz, status, metrics, events };

using Route = std::variant<Verb, Page>;

// The route of a path without slashes around it ("*" is OPTIONS' own).
[[nodiscard]] std::optional<Route> find_route(std::string_view path);

// The methods that a route answers, as they stand in an Allow header.
[[nodiscard]] const char* allowed_methods(const Route& route);

}  // namespace distributex
