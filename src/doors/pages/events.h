// SPDX-License-Identifier: MIT
// Reads what a reader of /events/ asks for.
#pragma once

#include <string_view>
#include <variant>

#include "doors/query.h"
#include "watch/events.h"

namespace distributex {

// Reads the query of /events/ and the header Last-Event-ID (or ""), which counts more than
// since=. On failure returns why the query is not sound.
[[nodiscard]] std::variant<EventFilter, Complaint> read_event_filter(
    std::string_view query, std::string_view last_event_id);

}  // namespace distributex
