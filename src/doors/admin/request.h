// SPDX-License-Identifier: MIT
// The parameters of operators' verbs, and which requests a browser sends for
// another site. Pure, and total: any bytes from the wire are a sound input.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "doors/query.h"
#include "lock/words.h"

namespace distributex {

// From the query, then the form; the first of equal names counts.
[[nodiscard]] std::variant<Command, Complaint> parse_order(Verb verb, std::string_view query,
                                                           std::string_view form);

// What a browser says about who makes it send a request; each may be empty.
struct Provenance {
  std::string_view fetch_site;  // Sec-Fetch-Site
  std::string_view origin;      // Origin
  std::string_view host;        // Host
};

// Whether a page of another site sends it. A browser always says so for a POST,
// and no page can keep it from that; other programs say neither.
[[nodiscard]] bool is_cross_site(const Provenance& provenance);

}  // namespace distributex
