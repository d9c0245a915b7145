// SPDX-License-Identifier: MIT
// What a reader of /events/ asks for.
#pragma once

#include <string_view>
#include <variant>

#include "doors/query.h"
#include "watch/events.h"

namespace distributex {

// From the query of /events/ and a Last-Event-ID (or ""), which goes before
// since=; or why the query is not sound.
[[nodiscard]] std::variant<EventFilter, Complaint> read_event_filter(
    std::string_view query, std::string_view last_event_id);

}  // namespace distributex
