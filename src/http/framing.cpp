// SPDX-License-Identifier: MIT
#include "http/framing.h"

#include <event2/keyvalq_struct.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace distributex {

namespace {

// Letters, digits, and these others.
constexpr std::array<bool, 256> set_of(std::string_view others) {
  std::array<bool, 256> set{};
  for (const auto& [first, last] : {std::pair{'0', '9'}, {'a', 'z'}, {'A', 'Z'}}) {
    for (int c = first; c <= last; ++c) {
      set[static_cast<size_t>(c)] = true;
    }
  }
  for (const char c : others) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}

// RFC 9110, section 5.6.2.
constexpr auto of_names = set_of("!#$%&'*+-.^_`|~");
// A name, an address, a port (RFC 3986, section 3.2.2).
constexpr auto of_hosts = set_of("-._~%!$&'()*+,;=:[]");

bool is_of(const std::array<bool, 256>& set, std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool has_member(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (is_same(without_blanks(list.substr(0, comma)), word)) {
      return true;
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// What has been seen of the headers up to now.
class Reading {
 public:
  explicit Reading(bool old) : old_(old) {}

  void take(std::string_view name, std::string_view value) {
    if (name.empty() || !is_of(of_names, name)) {
      return fault("a header's name has a character that no name may have");
    }
    if (is_same(name, "Connection")) {
      found_.asks_to_close |= has_member(value, "close");
      found_.asks_to_stay |= has_member(value, "keep-alive");
    } else if (is_same(name, "Content-Length")) {
      take_length(without_blanks(value));
    } else if (is_same(name, "Transfer-Encoding")) {
      take_encoding(without_blanks(value));
    } else if (is_same(name, "Host")) {
      take_host(without_blanks(value));
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
    if (++encodings_ > 1 || !is_same(value, "chunked")) {
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
