// SPDX-License-Identifier: MIT
// A page is a path, and a function that makes a reply from a view of the server. Pages
// change nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doors/door.h"
#include "lock/figure.h"
#include "watch/events.h"
#include "watch/metrics.h"
#include "watch/standing.h"

namespace distributex {

// What a page may look at. It is valid for one call of show.
struct PageView {
  const Sight& sight;
  const Holdings& holdings;
  Time now;
  std::string_view backend_name;
  std::optional<std::string> trouble;  // why the backend grants no lock
  bool stopping;
  Duration uptime;
  uint64_t wall_us;  // the wall clock at now, in microseconds since 1970
  const Metrics& metrics;
  const EventRing& events;
  bool administers;          // the viewer may give orders
  const char* no_followers;  // why no stream of events can begin; nullptr: it can
  size_t connections;
  size_t streams;
  uint64_t streams_dropped;
  uint64_t log_dropped;
  std::function<bool(std::string_view pool)> may_look{};  // nullptr: at all pools
  std::vector<Figure> figures{};                          // those of other parts of the server

  [[nodiscard]] bool shows(std::string_view pool) const { return !may_look || may_look(pool); }
};

// An answer that goes on with the events that pass the filter.
struct Follow {
  HttpReply opening;
  EventFilter filter;
  bool sse;  // server-sent events, else lines
};

// An answer that is made in slices. Each slice is made when the client has taken the one
// before, from a view of that moment: so a long answer does not keep other clients waiting,
// and is never in memory as a whole. more appends a slice; it returns false for the last.
struct Sliced {
  HttpReply opening;
  std::function<bool(const PageView& view, std::string& text)> more;
};

using Shown = std::variant<HttpReply, Follow, Sliced>;

// Which pools a client must be allowed to look at, to be shown a page.
enum class PageRight {
  none,
  some,  // at least one; the page shows only the allowed ones
  all
};

struct Page {
  std::string_view path;  // without slashes around it
  bool shows_leases;      // the backend surveys the leases before
  PageRight right;
  Shown (*show)(const PageRequest& request, const PageView& view);
};

// PageRight::some for the page for people, else that of the page's row.
[[nodiscard]] PageRight right_of(const PageRequest& request);
// The reply to a client that may not see a page: 401 with the ways to log in if a proof
// would help, else 403.
[[nodiscard]] HttpReply page_refused(bool proof_would_help, std::string_view why);
[[nodiscard]] bool shows_leases(const PageRequest& request);
[[nodiscard]] Shown show_page(const PageRequest& request, const PageView& view);

// A reply of one line of text.
[[nodiscard]] HttpReply page_of_text(int status, std::string text);

}  // namespace distributex
