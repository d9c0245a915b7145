// SPDX-License-Identifier: MIT
// Times inside are steady; people get seconds since 1970, counted back from
// the wall clock's now.
#include "status.h"

#include <jansson.h>

#include <cmath>
#include <cstdlib>
#include <memory>

#include "backend.h"
#include "engine.h"
#include "request.h"

namespace distributex {

namespace {

struct JsonFree {
  void operator()(json_t* json) const noexcept { json_decref(json); }
};
struct TextFree {
  void operator()(char* text) const noexcept { std::free(text); }
};

json_t* text_json(std::string_view text) { return json_stringn(text.data(), text.size()); }

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double to_milliseconds(double seconds) { return std::round(seconds * 1000.0) / 1000.0; }

json_t* since_json(const StatusView& view, Time since) {
  const double wall = static_cast<double>(view.wall_us) / 1e6;
  return json_real(to_milliseconds(wall - seconds_of(view.now - since)));
}

json_t* owner_json(const Owner& owner) {
  json_t* json = json_object();
  json_object_set_new(json, "host", text_json(owner.host));
  if (!owner.id.empty()) json_object_set_new(json, "id", text_json(owner.id));
  return json;
}

json_t* lease_json(const StatusView& view, const Lease& lease) {
  json_t* json = owner_json(lease.owner);
  json_object_set_new(json, "token", json_integer(static_cast<json_int_t>(lease.token)));
  json_object_set_new(json, "since", since_json(view, lease.since));
  if (lease.ends) {
    const double left = seconds_of(std::max(*lease.ends - view.now, Duration::zero()));
    json_object_set_new(json, "expires_in", json_real(std::floor(left * 1000.0) / 1000.0));
  }
  return json;
}

json_t* pool_json(const StatusView& view, const PoolSpec& spec) {
  json_t* json = json_object();
  json_object_set_new(json, "name", text_json(spec.name));
  json_object_set_new(json, "maxlocks", json_integer(spec.maxlocks));
  json_object_set_new(json, "expire", json_integer(spec.expire.count()));
  json_t* servers = json_array();
  for (const std::string& host : spec.servers) json_array_append_new(servers, text_json(host));
  json_object_set_new(json, "servers", servers);
  json_t* holders = json_array();
  for (const Lease& lease : view.backend.leases(spec.name))
    json_array_append_new(holders, lease_json(view, lease));
  json_object_set_new(json, "holders", holders);
  json_t* waiting = json_array();
  view.engine.each_waiter(spec.name, [&](const Owner& owner, Time since) {
    json_t* waiter = owner_json(owner);
    json_object_set_new(waiter, "since", since_json(view, since));
    json_array_append_new(waiting, waiter);
  });
  json_object_set_new(json, "waiting", waiting);
  return json;
}

Reply json_reply(int status, json_t* json) {
  const std::unique_ptr<json_t, JsonFree> owned{json};
  const std::unique_ptr<char, TextFree> text{
      json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(13))};
  Reply reply;
  reply.status = status;
  reply.reason = status_reason(status);
  reply.content_type = "application/json";
  reply.headers = {{"Cache-Control", "no-store"}};
  if (text) reply.body = std::string{text.get()} + "\n";
  return reply;
}

}  // namespace

Reply probe_page(const std::optional<std::string>& trouble) {
  Reply reply;
  reply.headers = {{"Cache-Control", "no-store"}};
  reply.body = "ok\n";
  if (trouble) {
    reply.status = 503;
    reply.reason = status_reason(503);
    reply.headers.push_back({"Retry-After", "1"});
    reply.body = *trouble + "\n";
  }
  return reply;
}

Reply status_page(const StatusView& view, std::string_view query) {
  const auto only = query_value(query, "pool");
  json_t* pools = json_array();
  view.engine.each_pool([&](const PoolSpec& spec, size_t) {
    if (!only || spec.name == *only) json_array_append_new(pools, pool_json(view, spec));
  });
  json_t* json = json_object();
  const bool unknown = only && json_array_size(pools) == 0;
  if (unknown)
    json_object_set_new(json, "error", json_string("there is no such pool on this server"));
  json_object_set_new(json, "version", json_string(DISTRIBUTEX_VERSION));
  json_object_set_new(json, "backend", text_json(view.backend_name));
  json_object_set_new(json, "uptime", json_real(to_milliseconds(seconds_of(view.uptime))));
  json_object_set_new(json, "pools", pools);
  return json_reply(unknown ? 404 : 200, json);
}

}  // namespace distributex
