// SPDX-License-Identifier: MIT
// What http hands to the doors, one request, and what they hand back, one reply. This file
// does not know what a request asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "http/header_lines.h"
#include "lock/identity.h"

struct evkeyvalq;

namespace distributex {

// In the order in which an Allow header names them. other: any word that is no method of
// this list.
enum class HttpMethod : uint8_t { get, head, post, put, remove, options, lock, unlock, other };

using HttpMethods = unsigned;  // a set: one bit for each method

constexpr HttpMethods bit_of(HttpMethod method) { return 1U << static_cast<unsigned>(method); }
constexpr HttpMethods methods_of(std::initializer_list<HttpMethod> methods) {
  HttpMethods all = 0;
  for (const HttpMethod method : methods) {
    all |= bit_of(method);
  }
  return all;
}

// "GET, POST": what an Allow header says.
[[nodiscard]] std::string allow_text(HttpMethods methods);

// What is wrong with a request before any door looks at it.
enum class HttpTrouble : uint8_t {
  none,
  surplus,  // its connection is above a limit of connections
  framing,  // its headers do not tell where it ends
  no_tls    // it came without TLS to an address for TLS
};

// A header of a request, as sent.
struct Field {
  std::string_view name;
  std::string_view value;
};

// A whole request. Its views are valid during the call that hands it over, and only until
// the request is answered.
struct HttpRequest {
  HttpMethod method = HttpMethod::other;
  std::string_view path;   // as sent, without the slashes around it
  std::string_view query;  // as sent, what follows the first '?'
  std::string_view body;
  size_t body_limit = SIZE_MAX;        // as configured, for a door without a limit of its own
  const evkeyvalq* headers = nullptr;  // as evhttp has read them; nullptr: a brief request
  std::span<const Field> fields{};     // the headers of a brief request
  bool old = false;                    // HTTP/1.0
  Identity peer{};                     // what is proven about the client
  std::string_view proof_complaint{};  // why the request's secret is refused; empty: it is not
  HttpTrouble trouble = HttpTrouble::none;
  std::string_view complaint{};  // one sentence; empty unless there is trouble

  // The value of the first header of this name, which is compared without regard to case;
  // empty: there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct HttpReply {
  int status = 200;                                             // one that status_reason knows
  std::string_view content_type = "text/plain; charset=utf-8";  // a constant
  HeaderLines headers;  // without Content-Type, Content-Length, Date
  std::string body;
  bool closes = false;  // the connection ends with this reply
};

// The phrase for a status code: 200 "OK".
[[nodiscard]] const char* status_reason(int status);

// Makes the next slice of a long reply; returns false if it is the last one.
using Slices = std::function<bool(std::string& slice)>;

// What a door needs again to write the answer. http keeps it with the connection and does
// not look at it.
struct Mark {
  uint8_t door = 0;
  uint8_t form = 0;
};

}  // namespace distributex
