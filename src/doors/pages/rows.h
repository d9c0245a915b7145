// SPDX-License-Identifier: MIT
// The pages and their paths. A new page is a file beside this one, which defines
// its function, and here the function and a row.
#pragma once

#include "doors/pages/pages.h"

namespace distributex {

Shown show_root(const PageRequest& request, const PageView& view);
Shown show_livez(const PageRequest& request, const PageView& view);
Shown show_readyz(const PageRequest& request, const PageView& view);
Shown show_status(const PageRequest& request, const PageView& view);
Shown show_metrics(const PageRequest& request, const PageView& view);
Shown show_events(const PageRequest& request, const PageView& view);

// "*" is what OPTIONS asks about the server as a whole.
inline constexpr Page pages[] = {
    {"", false, show_root},         {"*", false, show_root},
    {"livez", false, show_livez},   {"readyz", false, show_readyz},
    {"health", false, show_readyz}, {"healthz", false, show_readyz},
    {"status", true, show_status},  {"metrics", true, show_metrics},
    {"events", false, show_events},
};

}  // namespace distributex
