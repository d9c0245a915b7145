// SPDX-License-Identifier: MIT
// The gateway's JSON, by jansson. If a field has another type than etcd gives it, the
// whole answer counts as unreadable: half an answer would be taken for a true one.
#include "backends/etcd/codec.h"

#include <jansson.h>

#include <charconv>
#include <memory>

#include "backends/etcd/base64.h"
#include "base/json.h"

namespace distributex {

namespace {

// --- questions ---

void set_bytes(json_t* object, const char* key, const std::string& bytes) {
  if (bytes.empty()) {
    return;
  }
  json_object_set_new(object, key, json_string(base64(bytes).c_str()));
}

void set_number(json_t* object, const char* key, uint64_t number) {
  json_object_set_new(object, key, json_string(std::to_string(number).c_str()));
}

json_t* range_json(const EtcdRange& range) {
  json_t* object = json_object();
  set_bytes(object, "key", range.key);
  set_bytes(object, "range_end", range.range_end);
  if (range.limit != 0) {
    set_number(object, "limit", range.limit);
  }
  if (range.count_only) {
    json_object_set_new(object, "count_only", json_true());
  }
  if (range.revision != 0) {
    set_number(object, "revision", range.revision);
  }
  return object;
}

json_t* wrapped(const char* name, json_t* value) {
  json_t* object = json_object();
  json_object_set_new(object, name, value);
  return object;
}

json_t* op_json(const EtcdPut& put) {
  json_t* object = json_object();
  set_bytes(object, "key", put.key);
  set_bytes(object, "value", put.value);
  return wrapped("request_put", object);
}
json_t* op_json(const EtcdDelete& gone) {
  json_t* object = json_object();
  set_bytes(object, "key", gone.key);
  return wrapped("request_delete_range", object);
}
json_t* op_json(const EtcdRange& range) { return wrapped("request_range", range_json(range)); }

json_t* ops_json(const std::vector<EtcdOp>& ops) {
  json_t* array = json_array();
  for (const EtcdOp& op : ops) {
    json_array_append_new(array, std::visit([](const auto& each) { return op_json(each); }, op));
  }
  return array;
}

json_t* compare_json(const EtcdCompare& compare) {
  json_t* object = json_object();
  json_object_set_new(object, "result", json_string("EQUAL"));
  set_bytes(object, "key", compare.key);
  set_bytes(object, "range_end", compare.range_end);
  switch (compare.target) {
    case EtcdCompare::Target::mod:
      json_object_set_new(object, "target", json_string("MOD"));
      set_number(object, "mod_revision", compare.revision);
      break;
    case EtcdCompare::Target::create:
      json_object_set_new(object, "target", json_string("CREATE"));
      set_number(object, "create_revision", compare.revision);
      break;
    case EtcdCompare::Target::value:
      json_object_set_new(object, "target", json_string("VALUE"));
      set_bytes(object, "value", compare.value);
      break;
  }
  return object;
}

// --- answers ---

Json parse(std::string_view text) {
  json_error_t error;
  return Json{json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error)};
}

// Each of these leaves `to` alone if the field is absent, and returns false if the field
// has another type.
bool read_number(const json_t* object, const char* key, uint64_t& to) {
  const json_t* value = json_object_get(object, key);
  if (!value) {
    return true;
  }
  if (json_is_integer(value)) {
    to = static_cast<uint64_t>(json_integer_value(value));
    return json_integer_value(value) >= 0;
  }
  if (!json_is_string(value)) {
    return false;
  }
  const std::string_view text(json_string_value(value), json_string_length(value));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_bytes(const json_t* object, const char* key, std::string& to) {
  const json_t* value = json_object_get(object, key);
  if (!value) {
    return true;
  }
  if (!json_is_string(value)) {
    return false;
  }
  auto bytes = from_base64({json_string_value(value), json_string_length(value)});
  if (bytes) {
    to = std::move(*bytes);
  }
  return bytes.has_value();
}

bool read_text(const json_t* object, const char* key, std::string& to) {
  const json_t* value = json_object_get(object, key);
  if (!value) {
    return true;
  }
  if (!json_is_string(value)) {
    return false;
  }
  to.assign(json_string_value(value), json_string_length(value));
  return true;
}

bool read_flag(const json_t* object, const char* key, bool& to) {
  const json_t* value = json_object_get(object, key);
  if (!value) {
    return true;
  }
  to = json_is_true(value);
  return json_is_boolean(value);
}

bool read_revision(const json_t* object, uint64_t& to) {
  const json_t* header = json_object_get(object, "header");
  return json_is_object(header) && read_number(header, "revision", to);
}

bool read_kv(const json_t* object, EtcdKv& kv) {
  return json_is_object(object) && read_bytes(object, "key", kv.key) &&
         read_bytes(object, "value", kv.value) &&
         read_number(object, "create_revision", kv.create) &&
         read_number(object, "mod_revision", kv.mod);
}

bool read_part(const json_t* object, EtcdPart& part) {
  const json_t* range = json_object_get(object, "response_range");
  if (!range) {
    return json_is_object(object);  // the answer to a put or a delete
  }
  if (!read_number(range, "count", part.count) || !read_flag(range, "more", part.more)) {
    return false;
  }
  const json_t* kvs = json_object_get(range, "kvs");
  if (kvs && !json_is_array(kvs)) {
    return false;
  }
  part.kvs.resize(json_array_size(kvs));
  for (size_t i = 0; i < part.kvs.size(); i++) {
    if (!read_kv(json_array_get(kvs, i), part.kvs[i])) {
      return false;
    }
  }
  return true;
}

bool read_event(const json_t* object, EtcdEvent& event) {
  std::string type = "PUT";
  if (!json_is_object(object) || !read_text(object, "type", type)) {
    return false;
  }
  event.deleted = type == "DELETE";
  return (event.deleted || type == "PUT") && read_kv(json_object_get(object, "kv"), event.kv);
}

bool read_result(const json_t* result, EtcdNews& news) {
  if (!read_revision(result, news.revision) || !read_flag(result, "created", news.created) ||
      !read_flag(result, "canceled", news.ended) ||
      !read_text(result, "cancel_reason", news.reason)) {
    return false;
  }
  uint64_t compacted = 0;
  if (!read_number(result, "compact_revision", compacted)) {
    return false;
  }
  if (compacted != 0) {
    news.ended = true;
  }
  const json_t* events = json_object_get(result, "events");
  if (events && !json_is_array(events)) {
    return false;
  }
  news.events.resize(json_array_size(events));
  for (size_t i = 0; i < news.events.size(); i++) {
    if (!read_event(json_array_get(events, i), news.events[i])) {
      return false;
    }
  }
  if (news.ended && news.reason.empty()) {
    news.reason = "the watch was canceled";
  }
  return true;
}

// etcd 3.4 writes "error" and "message", etcd 3.6 "message" alone.
std::string refusal_of(const json_t* object) {
  std::string text;
  if (!read_text(object, "message", text)) {
    return "";
  }
  if (text.empty() && !read_text(object, "error", text)) {
    return "";
  }
  return text;
}

}  // namespace

std::string encode_txn(const EtcdTxn& txn) {
  const Json object{json_object()};
  json_t* compares = json_array();
  for (const EtcdCompare& compare : txn.compares) {
    json_array_append_new(compares, compare_json(compare));
  }
  json_object_set_new(object.get(), "compare", compares);
  json_object_set_new(object.get(), "success", ops_json(txn.success));
  json_object_set_new(object.get(), "failure", ops_json(txn.failure));
  return json_line(object.get());
}

std::string encode_watch(const std::string& key, const std::string& range_end) {
  const Json object{wrapped("create_request", range_json({.key = key, .range_end = range_end}))};
  return json_line(object.get());
}

std::string encode_login(const std::string& user, const std::string& password) {
  const Json object{json_object()};
  json_object_set_new(object.get(), "name", json_text(user));
  json_object_set_new(object.get(), "password", json_text(password));
  return json_line(object.get());
}

std::string encode_status() { return "{}"; }

std::optional<EtcdAnswer> decode_answer(std::string_view body) {
  const Json object = parse(body);
  EtcdAnswer answer;
  if (!read_revision(object.get(), answer.revision) ||
      !read_flag(object.get(), "succeeded", answer.succeeded)) {
    return std::nullopt;
  }
  const json_t* parts = json_object_get(object.get(), "responses");
  if (parts && !json_is_array(parts)) {
    return std::nullopt;
  }
  answer.parts.resize(json_array_size(parts));
  for (size_t i = 0; i < answer.parts.size(); i++) {
    if (!read_part(json_array_get(parts, i), answer.parts[i])) {
      return std::nullopt;
    }
  }
  return answer;
}

std::optional<EtcdNews> decode_news(std::string_view line) {
  const Json object = parse(line);
  if (const json_t* error = json_object_get(object.get(), "error")) {
    EtcdNews news;
    news.ended = true;
    news.reason = json_is_string(error) ? json_string_value(error) : refusal_of(error);
    return news;
  }
  const json_t* result = json_object_get(object.get(), "result");
  EtcdNews news;
  if (!json_is_object(result) || !read_result(result, news)) {
    return std::nullopt;
  }
  return news;
}

std::optional<std::string> decode_token(std::string_view body) {
  const Json object = parse(body);
  std::string token;
  if (!read_text(object.get(), "token", token) || token.empty()) {
    return std::nullopt;
  }
  return token;
}

std::optional<EtcdHealth> decode_health(std::string_view body) {
  const Json object = parse(body);
  EtcdHealth health;
  uint64_t leader = 0;
  if (!read_text(object.get(), "version", health.version) || health.version.empty() ||
      !read_number(object.get(), "dbSize", health.bytes) ||
      !read_number(object.get(), "dbSizeInUse", health.bytes_in_use) ||
      !read_number(object.get(), "leader", leader)) {
    return std::nullopt;
  }
  health.has_leader = leader != 0;
  const json_t* errors = json_object_get(object.get(), "errors");
  for (size_t i = 0; i < json_array_size(errors); i++) {
    const char* text = json_string_value(json_array_get(errors, i));
    if (text) {
      health.errors.append(health.errors.empty() ? "" : ", ").append(text);
    }
  }
  return health;
}

std::string decode_refusal(std::string_view body) { return refusal_of(parse(body).get()); }

}  // namespace distributex
