// SPDX-License-Identifier: MIT
// What a door is: one protocol, as a row of functions that turn its requests into
// commands and answers into its replies. A door makes no rule of its own, and
// keeps nothing between a request and its answer but a form.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.h"
#include "lock/words.h"
#include "watch/sight.h"

namespace distributex {

struct Page;  // doors/pages/pages.h

// One of the forms in which a door answers, by its own counting.
using Form = uint8_t;

// What a client asks of a page, and in which form.
struct PageRequest {
  const Page* page = nullptr;
  HttpMethod method = HttpMethod::get;
  std::string query;
  std::string accept;
  std::string last_event_id;
  std::string proof_complaint;  // a secret came that is no good
};

// A request that goes no further. The answer is for the record, the reply for
// the client. Without a verb the request did not get as far as naming one.
struct Refused {
  std::optional<Verb> verb;
  Answer answer;
  HttpReply reply;
};

// A request of which a door can say what it asks for only when it has looked at the
// pools. What `then` makes of it has no identity yet: that may have ended meanwhile.
struct Consult {
  using Settled = std::variant<Command, Refused, HttpReply>;
  bool shows_leases = false;  // they are surveyed before
  std::function<Settled(const Sight&, Time now)> then;
  std::string pool{};  // that `then` tells about: only to who may look at it
};

// What a door makes of a request: a command, a page to be shown, a look at the pools,
// or a reply at once. A bare reply is not recorded.
using Reading = std::variant<Command, PageRequest, Consult, Refused, HttpReply>;

struct Door {
  std::string_view name;
  bool (*has)(std::string_view path);
  HttpMethods methods;  // others are refused before read
  size_t body_limit;    // in bytes; 0: that of the request
  // Its requests do something: another site's browser may not send them.
  bool acts = true;
  Reading (*read)(const HttpRequest& request, Form form);
  // Which form a request asks for, and an answer in it. A door that has neither
  // (nullptr) answers as the first door of the table does, also what read refuses.
  Form (*form)(const HttpRequest& request);
  HttpReply (*write)(const Answer& answer, Form form);
  // A lock that was obtained is told in a stream, and lasts as long as its connection.
  bool streams = false;
  // Each request is answered by one reply, and reads no headers but Host and Accept.
  bool is_brief = false;
};

}  // namespace distributex
