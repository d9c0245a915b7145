// SPDX-License-Identifier: MIT
//
// The variables are a hint, no proof: a daemon that a command has started keeps them after the lock
// was given back. So the client warns of a wait for its own lock, but does not refuse it.
#include "client/environment.h"

#include <stdlib.h>

#include "client/say.h"

namespace distributex::client {

namespace {

void export_variable(const char* name, const std::string& value) {
  if (setenv(name, value.c_str(), 1) != 0) {
    give_up("setenv");
  }
}

}  // namespace

void export_lock(const Options& options, const Identity& identity, const Holding& holding) {
  export_variable("DISTRIBUTEX_POOL", options.pool);
  export_variable("DISTRIBUTEX_HOST", identity.host);
  export_variable("DISTRIBUTEX_ID", identity.id);
  if (holding.token) {
    export_variable("DISTRIBUTEX_TOKEN", std::to_string(*holding.token));
  } else {
    (void)unsetenv("DISTRIBUTEX_TOKEN");
  }
}

bool is_inside_run(const Options& options) {
  const char* pool = getenv("DISTRIBUTEX_POOL");
  return pool != nullptr && options.pool == pool;
}

void warn_of_own_lock(const Options& options) {
  if (is_inside_run(options) && !options.impatient()) {
    complain(
        "waiting for a lock on %s inside the command of a run that has one (DISTRIBUTEX_POOL): if "
        "this waits for that very lock, it never ends",
        options.pool.c_str());
  }
}

}  // namespace distributex::client
