// SPDX-License-Identifier: MIT
//
// Owners of libcurl's handles, and set(), which ends the process if libcurl refuses an option.
#pragma once

#include <curl/curl.h>
#include <errno.h>

#include <memory>

#include "base/handle.h"
#include "client/say.h"

namespace distributex::client {

using Easy = std::unique_ptr<CURL, FreeWith<&curl_easy_cleanup>>;
using HeaderList = std::unique_ptr<curl_slist, FreeWith<&curl_slist_free_all>>;

// Ends the process: a call of libcurl that sets no errno failed, most probably for want of memory.
[[noreturn]] inline void give_up_on_curl(const char* what) {
  errno = ENOMEM;
  give_up(what);
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (curl_easy_setopt(easy, option, value) != CURLE_OK) {
    give_up_on_curl("curl_easy_setopt");
  }
}

}  // namespace distributex::client
