// SPDX-License-Identifier: MIT
// A door is one protocol: a row of functions that turn requests into commands, and answers
// into replies. A door decides nothing about locks. Between a request and its answer it
// keeps a Form, nothing else.
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

// One of the forms in which a door answers; each door numbers its own.
using Form = uint8_t;

// The request for a page.
struct PageRequest {
  const Page* page = nullptr;
  HttpMethod method = HttpMethod::get;
  std::string query;
  std::string accept;
  std::string last_event_id;
  std::string proof_complaint;  // why the request's secret is refused; empty: it is not
};

// A refused request. The record gets the answer, the client gets the reply. verb is nullopt
// if the request was refused before its verb was known. The answer has the pool and the
// owner where the door knows them; the caller adds the name of the door.
struct Refused {
  std::optional<Verb> verb;
  Answer answer;
  HttpReply reply;
};

// A request that the door can read only with a look at the pools: the caller calls `then`.
// A Command that `then` returns has no identity: the caller adds it, because what was
// proven when the request came may have ended.
struct Consult {
  using Settled = std::variant<Command, Refused, HttpReply>;
  // The lock that a client of FleetLock wants, before the door knows the pool of the group.
  struct Wanted {
    Verb verb;
    std::string group;
    std::string host;
  };
  bool shows_leases = false;  // the backend surveys the leases before
  std::function<Settled(const Sight&, Time now)> then;
  std::string pool{};  // `then` tells about it: only for a client that may look at it
  // `then` tells whether the group has a pool: only for a client that may lock it.
  std::optional<Wanted> wanted{};
};

// What a door makes of a request: a command, a page to be shown, a look at the pools, a
// refusal, or a reply at once. A bare HttpReply is not recorded.
using Reading = std::variant<Command, PageRequest, Consult, Refused, HttpReply>;

struct Door {
  std::string_view name;
  bool (*has)(std::string_view path);
  HttpMethods methods;  // other methods are refused before read
  size_t body_limit;    // in bytes; 0: the configured limit counts
  // Its requests may change something: a browser may not send them for a page of another
  // site.
  bool acts = true;
  Reading (*read)(const HttpRequest& request, Form form);
  // Which form a request asks for, and an answer in that form. If both are nullptr, the
  // first door of the table writes the answers, also those to requests that read refuses.
  Form (*form)(const HttpRequest& request);
  HttpReply (*write)(const Answer& answer, Form form);
  // The answer granted or held opens a stream, and the lock lasts as long as its connection.
  bool streams = false;
  // Each request is answered with one reply, and read needs no headers but Host and Accept.
  bool is_brief = false;
};

}  // namespace distributex
