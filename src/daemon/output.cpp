// SPDX-License-Identifier: MIT
// The streams of the standard library keep a text until they are flushed, so a write may fail
// only then.
#include "daemon/output.h"

#include <sysexits.h>

#include <cerrno>
#include <cstring>

#include "base/standard_fds.h"

namespace distributex {

int print(std::FILE* stream, const char* what, const std::string& text) {
  if (was_missing(fileno(stream))) {
    errno = EBADF;
  } else if (std::fputs(text.c_str(), stream) >= 0 && std::fflush(stream) == 0) {
    return EX_OK;
  }
  std::fprintf(stderr, "distributexd: cannot write %s to the standard %s: %s\n", what,
               stream == stdout ? "output" : "error", std::strerror(errno));
  return EX_IOERR;
}

}  // namespace distributex
