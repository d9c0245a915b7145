// SPDX-License-Identifier: MIT
// The page for people, page.html, as the build puts it into the program
// (tools/embed-page.sh), and the policy that browsers are to hold it to.
#pragma once

#include <string_view>

namespace distributex {

extern const std::string_view page_html;
extern const char* const page_policy;  // for Content-Security-Policy

}  // namespace distributex
