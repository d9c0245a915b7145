// SPDX-License-Identifier: MIT
// Why not evhttp's own parser: it takes "//q/?.." for an authority, and refuses targets
// that are sound. split_target() looks for separators only.
#include "http/target.h"

#include <algorithm>

#include "base/text.h"

namespace distributex {

Target split_target(std::string_view target) {
  std::string_view rest = target.substr(0, target.find('#'));
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (rest.starts_with('/') || !equal_ignoring_case(rest.substr(0, scheme.size()), scheme)) {
      continue;
    }
    rest.remove_prefix(scheme.size());
    rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
    break;
  }
  std::string_view path = take_until('?', rest);
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return {path.substr(0, path.find_last_not_of('/') + 1), rest};
}

}  // namespace distributex
