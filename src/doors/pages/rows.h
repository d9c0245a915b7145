// SPDX-License-Identifier: MIT
// The pages and their paths. A new page needs a file in this folder that defines its
// function, and here the function's declaration and a row.
#pragma once

#include "doors/pages/pages.h"

namespace distributex {

Shown show_root(const PageRequest& request, const PageView& view);
Shown show_livez(const PageRequest& request, const PageView& view);
Shown show_readyz(const PageRequest& request, const PageView& view);
Shown show_status(const PageRequest& request, const PageView& view);
Shown show_metrics(const PageRequest& request, const PageView& view);
Shown show_events(const PageRequest& request, const PageView& view);

// OPTIONS * asks about the server as a whole.
inline constexpr Page pages[] = {
    {"", false, PageRight::none, show_root},
    {"*", false, PageRight::none, show_root},
    {"livez", false, PageRight::none, show_livez},
    {"readyz", false, PageRight::none, show_readyz},
    {"health", false, PageRight::none, show_readyz},
    {"healthz", false, PageRight::none, show_readyz},
    {"status", true, PageRight::some, show_status},
    {"metrics", true, PageRight::all, show_metrics},
    {"events", false, PageRight::some, show_events},
};

}  // namespace distributex
