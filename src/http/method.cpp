// SPDX-License-Identifier: MIT
// LOCK and UNLOCK, which evhttp does not know: it answers them with 501, or, if it is told
// to let all methods pass, does not read their bodies and does not tell them apart. So the
// word in the input becomes POST before evhttp reads the first line, and the connection
// remembers the method. Nothing else of the request is changed.
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <array>
#include <cstring>

#include "http/connection.h"

namespace distributex {

namespace {

struct Word {
  std::string_view word;  // with the space behind it
  HttpMethod method;
};
constexpr std::array words = {Word{"LOCK ", HttpMethod::lock}, Word{"UNLOCK ", HttpMethod::unlock}};
constexpr std::string_view stands_for = "POST";

}  // namespace

void Connection::admit_method() {
  if (!at_first_line_) {
    return;
  }
  evbuffer* input = bufferevent_get_input(bev());
  std::array<char, words.back().word.size()> bytes{};
  const ev_ssize_t size = evbuffer_copyout(input, bytes.data(), bytes.size());
  const std::string_view begin{bytes.data(), size > 0 ? static_cast<size_t>(size) : 0};
  for (const Word& each : words) {
    if (begin.starts_with(each.word)) {
      evbuffer_drain(input, each.word.size() - 1 - stands_for.size());
      unsigned char* there = evbuffer_pullup(input, stands_for.size());
      std::memcpy(there, stands_for.data(), stands_for.size());
      method = each.method;
    } else if (each.word.starts_with(begin)) {
      return;  // the rest of the word is still to come
    }
  }
  at_first_line_ = false;
}

}  // namespace distributex
