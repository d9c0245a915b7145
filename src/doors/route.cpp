// SPDX-License-Identifier: MIT
// The table of pages; the table of verbs is in request.cpp.
#include "doors/route.h"

#include <algorithm>
#include <iterator>

#include "lock/names.h"

namespace distributex {

namespace {

struct Row {
  std::string_view path;
  Page page;
};

constexpr Row pages[] = {
    {"", Page::root},         {"*", Page::root},          {"livez", Page::livez},
    {"readyz", Page::readyz}, {"health", Page::readyz},   {"healthz", Page::readyz},
    {"status", Page::status}, {"metrics", Page::metrics}, {"events", Page::events},
};

}  // namespace

std::optional<Route> find_route(std::string_view path) {
  if (const auto verb = find_verb(path)) return *verb;
  const auto row = std::find_if(std::begin(pages), std::end(pages),
                                [&](const Row& r) { return r.path == path; });
  if (row == std::end(pages)) return std::nullopt;
  return row->page;
}

const char* allowed_methods(const Route& route) {
  return std::holds_alternative<Verb>(route) ? "GET, POST" : "GET, HEAD, OPTIONS";
}

}  // namespace distributex
