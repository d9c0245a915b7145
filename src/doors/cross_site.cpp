// SPDX-License-Identifier: MIT
// An Origin is SCHEME://HOST[:PORT], or null. Its scheme is not compared: a proxy in front
// may speak https to browsers and http to this server.
#include "doors/cross_site.h"

#include "base/text.h"

namespace distributex {

bool is_cross_site(const HttpRequest& request) {
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (!site.empty()) {
    return site != "same-origin" && site != "none";
  }
  std::string_view origin = request.header("Origin");
  if (origin.empty()) {
    return false;
  }
  const size_t scheme = origin.find("://");
  if (scheme == origin.npos) {
    return true;
  }
  origin.remove_prefix(scheme + 3);
  return !equal_ignoring_case(origin, request.header("Host"));
}

}  // namespace distributex
