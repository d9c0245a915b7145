// SPDX-License-Identifier: MIT
// /status/. The server's times are of the steady clock; the answer has seconds since 1970,
// computed from the age of each time and the wall clock.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "doors/pages/rows.h"
#include "doors/query.h"

namespace distributex {

namespace {

constexpr size_t slice_bytes = 32 * 1024;

// What a reader of the status wants to see.
struct Wanted {
  std::optional<std::string> pool;
  std::optional<std::string> host;
  std::optional<std::string> find;  // a part of a host or an id, without regard to case
  size_t most = SIZE_MAX;           // so many holders, and so many waiters, of each pool

  [[nodiscard]] bool chooses() const { return host || find; }
  [[nodiscard]] bool takes(const Owner& owner) const;
};

// Compares without regard to the case of ASCII letters.
bool has(std::string_view text, std::string_view part) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto same = [&](char a, char b) { return small(a) == small(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end() ||
         part.empty();
}

bool Wanted::takes(const Owner& owner) const {
  return (!host || owner.host == *host) &&
         (!find || has(owner.host, *find) || has(owner.id, *find));
}

std::variant<Wanted, Complaint> read_wanted(std::string_view query) {
  PageQuery asked{query};
  Wanted wanted{.pool = asked.text("pool"), .host = asked.text("host"), .find = asked.text("find")};
  if (const auto most = asked.whole("limit")) {
    wanted.most = *most;
  }
  if (!asked.complaint().empty()) {
    return asked.complaint();
  }
  return wanted;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void set_since(json_t* object, const PageView& view, Time since, const char* key = "since") {
  const double wall = static_cast<double>(view.wall_us) / 1e6 - seconds_of(view.now - since);
  json_object_set_new(object, key, json_real(std::round(wall * 1000.0) / 1000.0));
}

json_t* owner_json(const Owner& owner) {
  json_t* json = json_object();
  json_object_set_new(json, "host", json_text(owner.host));
  set_text(json, "id", owner.id);
  return json;
}

// Adds the door through which the lease came, and what Terraform told about the run.
void set_note(json_t* json, std::string_view note) {
  set_text(json, "door", door_of(note));
  const std::string_view text = text_of_note(note);
  if (text.empty()) {
    return;
  }
  const Json told{json_loadb(text.data(), text.size(), 0, nullptr)};
  for (const auto& [key, name] : {std::pair{"who", "Who"}, {"operation", "Operation"}}) {
    if (const char* value = json_string_value(json_object_get(told.get(), name))) {
      set_text(json, key, value);
    }
  }
}

json_t* lease_json(const PageView& view, const Lease& lease) {
  json_t* json = owner_json(lease.owner);
  set_note(json, lease.note);
  set_whole(json, "token", lease.token);
  set_since(json, view, lease.since);
  if (lease.ends) {
    set_seconds(json, "expires_in", std::max(*lease.ends - view.now, Duration::zero()));
  }
  return json;
}

json_t* holders_json(const PageView& view, const PoolSpec& spec, const Wanted& wanted) {
  json_t* holders = json_array();
  for (const Lease& lease :
       view.sight.leases(spec.name, wanted.chooses() ? SIZE_MAX : wanted.most)) {
    if (wanted.takes(lease.owner) && json_array_size(holders) < wanted.most) {
      json_array_append_new(holders, lease_json(view, lease));
    }
  }
  return holders;
}

json_t* waiting_json(const PageView& view, const PoolSpec& spec, const Wanted& wanted) {
  json_t* waiting = json_array();
  const Estimate estimate{view.sight, view.holdings, spec, view.now};
  size_t place = 0;
  const auto add = [&](const Owner& owner, Time since) {
    ++place;
    if (!wanted.takes(owner) || json_array_size(waiting) >= wanted.most) {
      return;
    }
    json_t* waiter = owner_json(owner);
    set_since(waiter, view, since);
    set_whole(waiter, "position", place);
    if (const auto left = estimate.at(place)) {
      set_seconds(waiter, "estimate", *left);
    }
    json_array_append_new(waiting, waiter);
  };
  view.sight.each_waiter(spec.name, add, wanted.chooses() ? SIZE_MAX : wanted.most);
  return waiting;
}

json_t* freeze_json(const PageView& view, const Freeze& freeze) {
  json_t* json = json_object();
  json_object_set_new(json, "pool", json_text(freeze.pool));
  set_text(json, "reason", freeze.reason);
  set_text(json, "by", freeze.by);
  set_since(json, view, freeze.since);
  if (freeze.until) {
    set_since(json, view, *freeze.until, "until");
  }
  return json;
}

json_t* rest_json(const PageView& view, const Rest& rest) {
  constexpr const char* names[] = {"min_hold", "release_delay", "lock_delay"};
  json_t* json = owner_json(rest.owner);
  set_whole(json, "token", rest.token);
  set_seconds(json, "ends_in", std::max(rest.ends - view.now, Duration::zero()));
  set_text(json, "why", names[static_cast<size_t>(rest.why)]);
  return json;
}

json_t* pool_json(const PageView& view, const PoolSpec& spec, const Wanted& wanted) {
  json_t* json = json_object();
  json_object_set_new(json, "name", json_text(spec.name));
  set_text(json, "pattern", spec.pattern);
  set_whole(json, "maxlocks", spec.maxlocks);
  set_whole(json, "expire", static_cast<uint64_t>(spec.expire.count()));
  json_t* servers = json_array();
  for (const std::string& host : spec.servers) {
    json_array_append_new(servers, json_text(host));
  }
  json_object_set_new(json, "servers", servers);
  if (const Freeze* freeze = view.sight.frozen(spec.name)) {
    json_object_set_new(json, "frozen", freeze_json(view, *freeze));
  }
  set_whole(json, "held", view.sight.held(spec.name));
  json_object_set_new(json, "holders", holders_json(view, spec, wanted));
  json_t* resting = json_array();
  for (const Rest& rest : view.sight.rests(spec.name, wanted.most)) {
    if (wanted.takes(rest.owner)) {
      json_array_append_new(resting, rest_json(view, rest));
    }
  }
  json_object_set_new(json, "resting", resting);
  set_whole(json, "queued", view.sight.waiting(spec.name));
  json_object_set_new(json, "waiting", waiting_json(view, spec, wanted));
  if (const auto elsewhere = view.sight.waiting_elsewhere(spec.name)) {
    set_whole(json, "queued_elsewhere", *elsewhere);
  }
  return json;
}

json_t* store_json(const StoreState& store) {
  json_t* json = json_object();
  set_text(json, "address", store.address);
  set_text(json, "trouble", store.trouble.value_or(""));
  return json;
}

HttpReply json_reply(int status, std::string body) {
  HttpReply reply = page_of_text(status, std::move(body));
  reply.content_type = "application/json";
  return reply;
}

// The text before the pools, up to the bracket that opens their list.
std::string head_of(const PageView& view) {
  const Json json{json_object()};
  set_text(json.get(), "version", DISTRIBUTEX_VERSION);
  set_text(json.get(), "backend", view.backend_name);
  if (const auto since = view.sight.survives_since()) {
    set_since(json.get(), view, *since, "locks_survive_since");
  }
  if (const auto store = view.sight.store()) {
    json_object_set_new(json.get(), "store", store_json(*store));
  }
  set_seconds(json.get(), "time", std::chrono::microseconds{view.wall_us});
  set_seconds(json.get(), "uptime", view.uptime);
  json_t* freezes = json_array();
  for (const Freeze& freeze : view.sight.freezes()) {
    json_array_append_new(freezes, freeze_json(view, freeze));
  }
  json_object_set_new(json.get(), "freezes", freezes);
  json_object_set_new(json.get(), "administer", json_boolean(view.administers));
  std::string text = json_line(json.get());
  text.pop_back();
  return text += ",\"pools\":[";
}

void append_pool(const PageView& view, const PoolSpec& spec, const Wanted& wanted,
                 std::string& text) {
  const Json json{pool_json(view, spec, wanted)};
  text += json_line(json.get());
}

// How far the pools have been shown.
struct Progress {
  size_t place = 0;  // the index of the next pool
  bool any = false;  // a pool was shown
};

// Appends pools from done.place on, until the slice is full or there are no more. Returns
// false if it was the last slice. A reload between two slices may move pools, so that one is
// missing or comes twice.
bool append_slice(const PageView& view, const Wanted& wanted, Progress& done, std::string& text) {
  for (; text.size() < slice_bytes; ++done.place) {
    const PoolSpec* spec = view.sight.pool_at(done.place);
    if (!spec) {
      text += "]}\n";
      return false;
    }
    if (!view.shows(spec->name)) {
      continue;
    }
    if (std::exchange(done.any, true)) {
      text += ',';
    }
    append_pool(view, *spec, wanted, text);
  }
  return true;
}

HttpReply refusal(int status, std::string_view error) {
  const Json json{json_object()};
  set_text(json.get(), "error", error);
  return json_reply(status, json_line(json.get()) + "\n");
}

}  // namespace

Shown show_status(const PageRequest& request, const PageView& view) {
  auto read = read_wanted(request.query);
  if (const auto* complaint = std::get_if<Complaint>(&read)) {
    return refusal(400, *complaint);
  }
  auto& wanted = std::get<Wanted>(read);
  std::string text = head_of(view);
  if (wanted.pool) {
    const PoolSpec* spec = view.sight.find_pool(*wanted.pool);
    if (!spec || !view.shows(spec->name)) {
      return json_reply(404, text + "],\"error\":\"there is no such pool on this server\"}\n");
    }
    append_pool(view, *spec, wanted, text);
    return json_reply(200, text + "]}\n");
  }
  Progress done;
  const bool goes_on = append_slice(view, wanted, done, text);
  HttpReply reply = json_reply(200, std::move(text));
  if (!goes_on) {
    return reply;
  }
  return Sliced{.opening = std::move(reply),
                .more = [wanted, done](const PageView& now, std::string& more) mutable {
                  return append_slice(now, wanted, done, more);
                }};
}

}  // namespace distributex
