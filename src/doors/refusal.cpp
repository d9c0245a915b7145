// SPDX-License-Identifier: MIT
// On Basic a browser asks the user for a name and a password; Bearer is for programs.
#include "doors/refusal.h"

namespace distributex {

int fault_status(Fault fault) {
  switch (fault) {
    case Fault::none:
    case Fault::bad_request:
      return 400;
    case Fault::not_proven:
      return 401;
    case Fault::host_not_listed:
    case Fault::not_allowed:
      return 403;
    case Fault::not_found:
    case Fault::no_such_path:
      return 404;
    case Fault::bad_method:
      return 405;
  }
  return 400;
}

std::optional<int> refusal_status(Fault fault) {
  switch (fault) {
    case Fault::not_proven:
      return 401;
    case Fault::not_allowed:
      return 403;
    case Fault::none:
    case Fault::bad_request:
    case Fault::host_not_listed:
    case Fault::not_found:
    case Fault::no_such_path:
    case Fault::bad_method:
      return std::nullopt;
  }
  return std::nullopt;
}

void add_login(HttpReply& reply) {
  if (reply.status == 401) {
    reply.headers.add("WWW-Authenticate", "Basic realm=\"distributex\", charset=\"UTF-8\"");
    reply.headers.add("WWW-Authenticate", "Bearer");
  }
}

}  // namespace distributex
