// SPDX-License-Identifier: MIT
//
// The owner of this run's lock: the name of this host, and an id that no other run has.
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

// host: empty: the name that the name service tells. id: empty: makes one that no other run has.
[[nodiscard]] Identity make_identity(const std::string& host, const std::string& id, Span patience);

// The name of this host, as the name service tells it within `patience`.
[[nodiscard]] std::string find_host_name(Span patience);

// Chooses between the names of gethostname (`short_name`) and of the name service (`full`, may be
// empty). Refuses localhost, for every machine has that name.
[[nodiscard]] std::string choose_host_name(const std::string& short_name, const std::string& full);

}  // namespace distributex::client
