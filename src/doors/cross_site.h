// SPDX-License-Identifier: MIT
// Whether a browser sends a request on behalf of a page of another site.
#pragma once

#include "http/message.h"

namespace distributex {

// A browser says so in Sec-Fetch-Site (over https and to localhost only) or in
// Origin. Programs send neither. A link that a person has typed is no other site's.
[[nodiscard]] bool is_cross_site(const HttpRequest& request);

}  // namespace distributex
