// SPDX-License-Identifier: MIT
// Whether a browser sends a request on behalf of a page of another site.
#pragma once

#include "http/message.h"

namespace distributex {

// A browser tells in Sec-Fetch-Site (over https and to localhost only) or in Origin which
// site a request is for; programs send neither. An address that a person has typed counts
// as the same site.
[[nodiscard]] bool is_cross_site(const HttpRequest& request);

}  // namespace distributex
