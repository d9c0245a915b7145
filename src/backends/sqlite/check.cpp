// SPDX-License-Identifier: MIT
// Reads and judges the store as the daemon does at its start.
#include "backends/sqlite/check.h"

#include <jansson.h>
#include <sysexits.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "backends/sqlite/clock.h"
#include "backends/sqlite/file.h"
#include "base/text.h"

namespace distributex {

namespace {

struct FreeJson {
  void operator()(json_t* json) const noexcept { json_decref(json); }
};
using Json = std::unique_ptr<json_t, FreeJson>;

struct Look {
  StoreContents contents;
  std::optional<uint64_t> marked;
  StoreMoment now;
  bool same_boot = false;
};

// Seconds until the lease would end if a daemon opened the store now; nullopt: never.
std::optional<double> left_of(const Look& look, StoreRow row) {
  if (!row.ends) {
    return std::nullopt;
  }
  if (!look.same_boot) {
    carry_over(row, look.contents.meta, look.now);
  }
  return static_cast<double>(std::max<int64_t>(*row.ends - look.now.mono, 0)) / 1e9;
}

std::string words_of(const Look& look, const std::string& path) {
  if (look.contents.is_new) {
    return path + ": empty, no store was begun in it\n";
  }
  const StoreMeta& meta = look.contents.meta;
  std::string text = path + ": whole\n";
  text += "format     " + std::to_string(store_format) + "." + std::to_string(meta.minor) +
          ", written by distributexd " + escaped(meta.program, 64) + "\n";
  text +=
      "commits    " + std::to_string(meta.commits) +
      (look.marked ? ", of which " + std::to_string(*look.marked) + " are noted in the lock file"
                   : ", and no note of them beside it") +
      "\n";
  text += "token      " + std::to_string(meta.top) + " is the highest\n";
  text += std::string("clock      ") +
          (look.same_boot ? "of this boot\n" : "of another boot or machine\n");
  text += "leases     " + std::to_string(look.contents.rows.size()) + "\n";
  for (const StoreRow& row : look.contents.rows) {
    const auto left = left_of(look, row);
    text += "  " + std::to_string(row.token) + " " + escaped(row.pool, 255) + " " +
            escaped(row.owner.host, 255) + (row.owner.id.empty() ? "" : " ") +
            escaped(row.owner.id, 255) +
            (left ? " ends in " + std::to_string(static_cast<long long>(*left)) + " s"
                  : " never ends") +
            "\n";
  }
  return text;
}

json_t* text_json(const std::string& text) { return json_stringn(text.data(), text.size()); }
json_t* whole_json(uint64_t number) { return json_integer(static_cast<json_int_t>(number)); }

json_t* lease_json(const Look& look, const StoreRow& row) {
  json_t* json = json_object();
  json_object_set_new(json, "pool", text_json(row.pool));
  json_object_set_new(json, "host", text_json(row.owner.host));
  if (!row.owner.id.empty()) {
    json_object_set_new(json, "id", text_json(row.owner.id));
  }
  json_object_set_new(json, "token", whole_json(row.token));
  json_object_set_new(json, "since", json_real(static_cast<double>(row.since_wall) / 1e6));
  if (const auto left = left_of(look, row)) {
    json_object_set_new(json, "expires_in", json_real(*left));
  }
  return json;
}

Json json_of(const Look& look, const std::string& path) {
  const StoreMeta& meta = look.contents.meta;
  Json json{json_object()};
  json_object_set_new(json.get(), "file", text_json(path));
  json_object_set_new(json.get(), "whole", json_true());
  json_object_set_new(json.get(), "empty", json_boolean(look.contents.is_new));
  json_object_set_new(json.get(), "format", whole_json(store_format));
  json_object_set_new(json.get(), "minor", whole_json(meta.minor));
  json_object_set_new(json.get(), "program", text_json(meta.program));
  json_object_set_new(json.get(), "commits", whole_json(meta.commits));
  if (look.marked) {
    json_object_set_new(json.get(), "noted_commits", whole_json(*look.marked));
  }
  json_object_set_new(json.get(), "top_token", whole_json(meta.top));
  json_object_set_new(json.get(), "same_boot", json_boolean(look.same_boot));
  json_t* leases = json_array();
  for (const StoreRow& row : look.contents.rows) {
    json_array_append_new(leases, lease_json(look, row));
  }
  json_object_set_new(json.get(), "leases", leases);
  return json;
}

std::string line_of(const Json& json) {
  const std::unique_ptr<char, FreeWith<std::free>> text(json_dumps(json.get(), JSON_COMPACT));
  return std::string(text ? text.get() : "{}") + "\n";
}

StoreReport refused(const StoreTrouble& trouble, const std::string& path, bool as_json) {
  const int code = is_for_people(trouble.kind) ? EX_DATAERR : EX_OSERR;
  if (!as_json) {
    return {code, trouble.what + "\n"};
  }
  Json json{json_object()};
  json_object_set_new(json.get(), "file", text_json(path));
  json_object_set_new(json.get(), "whole", json_false());
  json_object_set_new(json.get(), "reason", json_string(name_of(trouble.kind)));
  json_object_set_new(json.get(), "error", text_json(trouble.what));
  return {code, line_of(json)};
}

}  // namespace

StoreReport check_store(const std::string& path, bool as_json) {
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return refused({StoreTrouble::Kind::missing, path + " is no regular file"}, path, as_json);
  }
  StoreFile file;
  Look look;
  const auto trouble = file.open(path, StoreFile::Purpose::look, look.contents);
  if (trouble) {
    return refused(*trouble, path, as_json);
  }
  look.marked = file.marked();
  look.now = store_moment();
  look.same_boot = is_same_boot(look.contents.meta, look.now);
  file.close();
  return {EX_OK, as_json ? line_of(json_of(look, path)) : words_of(look, path)};
}

}  // namespace distributex
