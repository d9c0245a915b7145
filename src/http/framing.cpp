// SPDX-License-Identifier: MIT
#include "http/framing.h"

#include <event2/keyvalq_struct.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "http/characters.h"

namespace distributex {

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool has_member(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (equal_ignoring_case(trimmed(take_until(',', list)), word)) {
      return true;
    }
  }
  return false;
}

// Collects what the headers say, one header after the other.
class Reading {
 public:
  explicit Reading(bool old) : old_(old) {}

  void take(std::string_view name, std::string_view value) {
    if (name.empty() || !is_of(of_names, name)) {
      return fault("a header's name has a character that no name may have");
    }
    if (equal_ignoring_case(name, "Connection")) {
      found_.asks_to_close |= has_member(value, "close");
      found_.asks_to_stay |= has_member(value, "keep-alive");
    } else if (equal_ignoring_case(name, "Content-Length")) {
      take_length(trimmed(value));
    } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
      take_encoding(trimmed(value));
    } else if (equal_ignoring_case(name, "Host")) {
      take_host(trimmed(value));
    }
  }

  [[nodiscard]] Framing end() {
    if (lengths_ != 0 && encodings_ != 0) {
      fault("there are both Content-Length and Transfer-Encoding");
    }
    if (hosts_ == 0 && !old_) {
      fault("there is no Host, which HTTP/1.1 demands");
    }
    return found_;
  }

 private:
  void fault(const char* sentence) {
    if (!found_.fault) {
      found_.fault = sentence;
    }
  }

  void take_length(std::string_view value) {
    found_.announces_body |= value != "0";
    if (++lengths_ > 1) {
      fault("there is more than one Content-Length");
    } else if (!is_number(value)) {
      fault("the Content-Length is no number");
    }
  }

  void take_encoding(std::string_view value) {
    found_.announces_body = true;
    if (++encodings_ > 1 || !equal_ignoring_case(value, "chunked")) {
      fault("the one Transfer-Encoding known here is chunked");
    } else if (old_) {
      fault("HTTP/1.0 has no Transfer-Encoding");
    }
  }

  void take_host(std::string_view value) {
    if (++hosts_ > 1) {
      fault("there is more than one Host");
    } else if (!is_of(of_hosts, value)) {
      fault("the Host is neither a name nor an address");
    }
  }

  bool old_;
  Framing found_;
  int lengths_ = 0;
  int encodings_ = 0;
  int hosts_ = 0;
};

}  // namespace

Framing read_framing(const evkeyvalq& headers, bool old) {
  Reading reading(old);
  for (const evkeyval* h = headers.tqh_first; h; h = h->next.tqe_next) {
    reading.take(h->key, h->value);
  }
  return reading.end();
}

}  // namespace distributex
