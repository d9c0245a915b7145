// SPDX-License-Identifier: MIT
// The tables of methods and of status codes, and the look-up of a header.
#include "http/message.h"

#include <event2/keyvalq_struct.h>
#include <strings.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace distributex {

namespace {

// In the order of HttpMethod.
constexpr std::array<std::string_view, static_cast<size_t>(HttpMethod::other)> method_names = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "LOCK", "UNLOCK"};
static_assert(!method_names.back().empty());

struct StatusRow {
  int status;
  const char* reason;
};

// The statuses that doors answer with. For a request that evhttp refuses itself it has its
// own phrases.
constexpr StatusRow statuses[] = {
    {200, "OK"},           {400, "Bad Request"},
    {401, "Unauthorized"}, {403, "Forbidden"},
    {404, "Not Found"},    {405, "Method Not Allowed"},
    {409, "Conflict"},     {413, "Content Too Large"},
    {423, "Locked"},       {503, "Service Unavailable"},
};

}  // namespace

std::string allow_text(HttpMethods methods) {
  std::string text;
  for (size_t i = 0; i < method_names.size(); ++i) {
    if ((methods & 1U << i) == 0) {
      continue;
    }
    text.append(text.empty() ? "" : ", ").append(method_names[i]);
  }
  return text;
}

std::string_view HttpRequest::header(std::string_view name) const {
  if (!headers) {
    const auto is_it = [&](const Field& field) {
      return field.name.size() == name.size() && equal_ignoring_case(field.name, name);
    };
    const auto field = std::find_if(fields.begin(), fields.end(), is_it);
    return field == fields.end() ? std::string_view{} : field->value;
  }
  for (const evkeyval* h = headers->tqh_first; h; h = h->next.tqe_next) {
    if (strncasecmp(h->key, name.data(), name.size()) == 0 && h->key[name.size()] == '\0') {
      return h->value;
    }
  }
  return {};
}

const char* status_reason(int status) {
  for (const StatusRow& row : statuses) {
    if (row.status == status) {
      return row.reason;
    }
  }
  return "Unknown";
}

}  // namespace distributex
