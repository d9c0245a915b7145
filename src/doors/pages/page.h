// SPDX-License-Identifier: MIT
// page.html, the page for people, which the build puts into the program
// (tools/embed-page.sh), and its content security policy.
#pragma once

#include <string_view>

namespace distributex {

extern const std::string_view page_html;
extern const char* const page_policy;  // for Content-Security-Policy

}  // namespace distributex
