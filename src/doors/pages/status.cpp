// SPDX-License-Identifier: MIT
// Times inside are steady; people get seconds since 1970, counted back from
// the wall clock's now.
#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "doors/pages/rows.h"
#include "doors/query.h"

namespace distributex {

namespace {

// What a reader of the status wants to see.
struct Wanted {
  std::optional<std::string> pool;
  std::optional<std::string> host;
  std::optional<std::string> find;  // in a host or an id, however it is written
  size_t most = SIZE_MAX;           // holders, and waiters, of each pool

  [[nodiscard]] bool chooses() const { return host || find; }
  [[nodiscard]] bool takes(const Owner& owner) const;
};

// Letters beyond ASCII are compared as they are.
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
  if (const auto most = asked.whole("limit")) wanted.most = *most;
  if (!asked.complaint().empty()) return asked.complaint();
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

json_t* lease_json(const PageView& view, const Lease& lease) {
  json_t* json = owner_json(lease.owner);
  set_whole(json, "token", lease.token);
  set_since(json, view, lease.since);
  if (lease.ends)
    set_seconds(json, "expires_in", std::max(*lease.ends - view.now, Duration::zero()));
  return json;
}

json_t* holders_json(const PageView& view, const PoolSpec& spec, const Wanted& wanted) {
  json_t* holders = json_array();
  for (const Lease& lease : view.sight.leases(spec.name, wanted.chooses() ? SIZE_MAX : wanted.most))
    if (wanted.takes(lease.owner) && json_array_size(holders) < wanted.most)
      json_array_append_new(holders, lease_json(view, lease));
  return holders;
}

json_t* waiting_json(const PageView& view, const PoolSpec& spec, const Wanted& wanted) {
  json_t* waiting = json_array();
  const Estimate estimate{view.sight, view.holdings, spec, view.now};
  size_t place = 0;
  const auto add = [&](const Owner& owner, Time since) {
    ++place;
    if (!wanted.takes(owner) || json_array_size(waiting) >= wanted.most) return;
    json_t* waiter = owner_json(owner);
    set_since(waiter, view, since);
    set_whole(waiter, "position", place);
    if (const auto left = estimate.at(place)) set_seconds(waiter, "estimate", *left);
    json_array_append_new(waiting, waiter);
  };
  view.sight.each_waiter(spec.name, add, wanted.chooses() ? SIZE_MAX : wanted.most);
  return waiting;
}

json_t* pool_json(const PageView& view, const PoolSpec& spec, const Wanted& wanted) {
  json_t* json = json_object();
  json_object_set_new(json, "name", json_text(spec.name));
  set_whole(json, "maxlocks", spec.maxlocks);
  set_whole(json, "expire", static_cast<uint64_t>(spec.expire.count()));
  json_t* servers = json_array();
  for (const std::string& host : spec.servers) json_array_append_new(servers, json_text(host));
  json_object_set_new(json, "servers", servers);
  set_whole(json, "held", view.sight.held(spec.name));
  json_object_set_new(json, "holders", holders_json(view, spec, wanted));
  set_whole(json, "queued", view.sight.waiting(spec.name));
  json_object_set_new(json, "waiting", waiting_json(view, spec, wanted));
  return json;
}

HttpReply json_reply(int status, const json_t* json) {
  HttpReply reply;
  reply.status = status;
  reply.content_type = "application/json";
  reply.headers = {{"Cache-Control", "no-store"}};
  reply.body = json_line(json) + "\n";
  return reply;
}

HttpReply refusal(int status, std::string_view error) {
  const Json json{json_object()};
  set_text(json.get(), "error", error);
  return json_reply(status, json.get());
}

}  // namespace

Shown show_status(const PageRequest& request, const PageView& view) {
  const auto read = read_wanted(request.query);
  if (const auto* complaint = std::get_if<Complaint>(&read)) return refusal(400, *complaint);
  const auto* wanted = std::get_if<Wanted>(&read);
  const Json json{json_object()};
  json_t* pools = json_array();
  set_text(json.get(), "version", DISTRIBUTEX_VERSION);
  set_text(json.get(), "backend", view.backend_name);
  if (const auto since = view.sight.survives_since())
    set_since(json.get(), view, *since, "locks_survive_since");
  set_seconds(json.get(), "time", std::chrono::microseconds{view.wall_us});
  set_seconds(json.get(), "uptime", view.uptime);
  json_object_set_new(json.get(), "pools", pools);
  if (!wanted->pool) {
    view.sight.each_pool([&](const PoolSpec& spec, size_t) {
      json_array_append_new(pools, pool_json(view, spec, *wanted));
    });
  } else if (const PoolSpec* spec = view.sight.find_pool(*wanted->pool)) {
    json_array_append_new(pools, pool_json(view, *spec, *wanted));
  } else {
    set_text(json.get(), "error", "there is no such pool on this server");
    return json_reply(404, json.get());
  }
  return json_reply(200, json.get());
}

}  // namespace distributex
