// SPDX-License-Identifier: MIT
//
// Who the client is to the servers: the name of this host, and an id that no other run has.
#pragma once

#include <string>

#include "client/options.h"

namespace distributex::client {

struct Identity {
  std::string host;  // the full name, else the short one
  std::string id;
};

// How long the name service may take to tell the full name of this host: a share of -w.
[[nodiscard]] Span patience_for_name(const Options& options);

// An empty host: the one that the name service tells; an empty id: one that is unique to the run.
[[nodiscard]] Identity make_identity(const std::string& host, const std::string& id, Span patience);

// The name of this host, as the name service tells it within `patience`.
[[nodiscard]] std::string find_host_name(Span patience);

// The name for the host that gethostname calls `short_name` and the name service `full` (empty: it
// has told nothing). Every machine is called localhost, too: that name tells no two hosts apart.
[[nodiscard]] std::string choose_host_name(const std::string& short_name, const std::string& full);

}  // namespace distributex::client
