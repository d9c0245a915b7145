// SPDX-License-Identifier: MIT
// What a page is: a path, and a function from what there is to see to a reply.
// Pages change nothing.
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

// What a page may look at. It lasts for one showing.
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
  std::function<bool(std::string_view pool)> may_look{};  // nullptr: at all of them
  std::vector<Figure> figures{};                          // of the other parts

  [[nodiscard]] bool shows(std::string_view pool) const { return !may_look || may_look(pool); }
};

// An answer that goes on with the events that pass the filter.
struct Follow {
  HttpReply opening;
  EventFilter filter;
  bool sse;  // server-sent events, else lines
};

// An answer that is made in slices, each from a view of its own moment, when the
// client has taken the one before: a long one neither keeps others waiting nor
// takes memory as a whole. more appends to the text; false: that was the last.
struct Sliced {
  HttpReply opening;
  std::function<bool(const PageView& view, std::string& text)> more;
};

using Shown = std::variant<HttpReply, Follow, Sliced>;

// What of the pools one must be allowed to look at.
enum class PageRight {
  none,
  some,  // any of them; the page shows those
  all
};

struct Page {
  std::string_view path;  // without slashes around it
  bool shows_leases;      // they are surveyed before
  PageRight right;
  Shown (*show)(const PageRequest& request, const PageView& view);
};

// For people at the root, for probes and text nothing.
[[nodiscard]] PageRight right_of(const PageRequest& request);
// The reply to who may not see a page: 401 with the ways to log in when a proof would
// help, else 403.
[[nodiscard]] HttpReply page_refused(bool proof_would_help, std::string_view why);
[[nodiscard]] bool shows_leases(const PageRequest& request);
[[nodiscard]] Shown show_page(const PageRequest& request, const PageView& view);

// A page's own word: one line of text.
[[nodiscard]] HttpReply page_of_text(int status, std::string text);

}  // namespace distributex
