// SPDX-License-Identifier: MIT
//
// Reads the status by jansson and lays out the table: every column is as wide as its widest cell,
// counted in characters. Names come from other hosts, so control characters are replaced.
#include "client/status.h"

#include <jansson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "base/handle.h"
#include "base/json.h"
#include "client/say.h"

namespace distributex::client {

namespace {

Json parse(std::string_view body) {
  Json root(json_loadb(body.data(), body.size(), JSON_REJECT_DUPLICATES, nullptr));
  return json_is_array(json_object_get(root.get(), "pools")) ? std::move(root) : Json();
}

std::string text_of(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  return json_is_string(value) ? printable(json_string_value(value)) : std::string();
}

double number_of(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : 0.0;
}

std::string whole(double number) { return std::to_string(static_cast<long long>(number)); }

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

constexpr std::size_t columns = 8;
using Row = std::array<std::string, columns>;

std::string lay_out(const std::vector<Row>& rows) {
  std::array<std::size_t, columns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < columns; ++i) {
      line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string age_of(const json_t* entry, double wall_seconds) {
  return age_text(std::max(0.0, wall_seconds - number_of(entry, "since")));
}

std::string left_of(const json_t* holder) {
  return json_object_get(holder, "expires_in") == nullptr
             ? "never"
             : age_text(number_of(holder, "expires_in"));
}

// "frozen by ann for 3m: bad release"; empty: the pool is not frozen.
std::string freeze_of(const json_t* pool, double wall_seconds) {
  const json_t* freeze = json_object_get(pool, "frozen");
  if (!json_is_object(freeze)) {
    return {};
  }
  const double until = number_of(freeze, "until");
  return "frozen by " + or_dash(text_of(freeze, "by")) + " for " + age_of(freeze, wall_seconds) +
         (until == 0 ? "" : ", " + age_text(until - wall_seconds) + " to go") + ": " +
         text_of(freeze, "reason");
}

void add_freeze(std::vector<Row>& rows, const json_t* pool, const std::string& name,
                const std::string& slots, double wall_seconds) {
  const json_t* freeze = json_object_get(pool, "frozen");
  if (!json_is_object(freeze)) {
    return;
  }
  const double until = number_of(freeze, "until");
  rows.push_back({name, slots, "frozen", or_dash(text_of(freeze, "by")),
                  or_dash(text_of(freeze, "reason")), "-", age_of(freeze, wall_seconds),
                  until == 0 ? "thawed" : age_text(until - wall_seconds)});
}

void add_rests(std::vector<Row>& rows, const json_t* pool, const std::string& name,
               const std::string& slots) {
  std::size_t i = 0;
  json_t* entry = nullptr;
  json_array_foreach(json_object_get(pool, "resting"), i, entry) {
    rows.push_back({name, slots, "rests", text_of(entry, "host"), or_dash(text_of(entry, "id")),
                    whole(number_of(entry, "token")), "-", age_text(number_of(entry, "ends_in"))});
  }
}

void add_pool(std::vector<Row>& rows, const json_t* pool, double wall_seconds) {
  const json_t* holders = json_object_get(pool, "holders");
  const json_t* waiting = json_object_get(pool, "waiting");
  const std::string name = text_of(pool, "name");
  const std::string slots =
      std::to_string(json_array_size(holders)) + "/" + whole(number_of(pool, "maxlocks"));
  add_freeze(rows, pool, name, slots, wall_seconds);
  const std::size_t rests = json_array_size(json_object_get(pool, "resting"));
  if (json_array_size(holders) + json_array_size(waiting) + rests == 0 &&
      json_object_get(pool, "frozen") == nullptr) {
    rows.push_back({name, slots, "free", "-", "-", "-", "-", "-"});
  }
  std::size_t i = 0;
  json_t* entry = nullptr;
  json_array_foreach(holders, i, entry) {
    rows.push_back({name, slots, "holds", text_of(entry, "host"), or_dash(text_of(entry, "id")),
                    whole(number_of(entry, "token")), age_of(entry, wall_seconds), left_of(entry)});
  }
  add_rests(rows, pool, name, slots);
  json_array_foreach(waiting, i, entry) {
    rows.push_back({name, slots, "waits", text_of(entry, "host"), or_dash(text_of(entry, "id")),
                    "-", age_of(entry, wall_seconds), "-"});
  }
}

}  // namespace

std::optional<std::string> status_table(std::string_view body, const std::string& server,
                                        double wall_seconds) {
  const Json root = parse(body);
  if (!root) {
    return std::nullopt;
  }
  std::vector<Row> rows{{"POOL", "LOCKS", "WHAT", "HOST", "ID", "TOKEN", "AGE", "ENDS IN"}};
  std::size_t i = 0;
  json_t* pool = nullptr;
  json_array_foreach(json_object_get(root.get(), "pools"), i, pool) {
    add_pool(rows, pool, wall_seconds);
  }
  return server + ": distributexd " + or_dash(text_of(root.get(), "version")) + ", backend " +
         or_dash(text_of(root.get(), "backend")) + ", up " +
         age_text(number_of(root.get(), "uptime")) + "\n" + lay_out(rows);
}

std::string status_error(std::string_view body) {
  const Json root(json_loadb(body.data(), body.size(), JSON_REJECT_DUPLICATES, nullptr));
  return text_of(root.get(), "error");
}

std::optional<std::string> status_json(std::string_view body) {
  const Json root = parse(body);
  const std::unique_ptr<char, FreeWith<&free>> text(
      root ? json_dumps(root.get(), JSON_INDENT(2) | JSON_REAL_PRECISION(13)) : nullptr);
  return text ? std::optional(std::string(text.get()) + "\n") : std::nullopt;
}

std::string describe_pool(std::string_view body, const std::string& pool, double wall_seconds) {
  constexpr std::size_t shown = 3;
  const Json root = parse(body);
  std::string line;
  std::size_t i = 0;
  json_t* entry = nullptr;
  json_array_foreach(json_object_get(root.get(), "pools"), i, entry) {
    if (text_of(entry, "name") != printable(pool)) {
      continue;
    }
    const json_t* holders = json_object_get(entry, "holders");
    for (std::size_t n = 0; n < std::min(json_array_size(holders), shown); ++n) {
      const json_t* holder = json_array_get(holders, n);
      const std::string id = text_of(holder, "id");
      line += (n == 0 ? "held by " : ", ") + text_of(holder, "host") +
              (id.empty() ? "" : " (id " + id + ")") + " for " + age_of(holder, wall_seconds);
    }
    if (json_array_size(holders) > shown) {
      line += " and " + std::to_string(json_array_size(holders) - shown) + " more";
    }
    const std::string frozen = freeze_of(entry, wall_seconds);
    line += (line.empty() || frozen.empty() ? "" : "; ") + frozen;
    line += line.empty()
                ? ""
                : "; " + std::to_string(json_array_size(json_object_get(entry, "waiting"))) +
                      " waiting";
  }
  return line;
}

std::string age_text(double seconds) {
  struct Unit {
    double length;
    const char* name;
  };
  constexpr std::array<Unit, 4> units{{{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}};
  double left = std::floor(std::clamp(seconds, 0.0, 1e10));
  std::string text;
  int shown = 0;
  for (const Unit& unit : units) {
    const double count = std::floor(left / unit.length);
    left -= count * unit.length;
    if ((count > 0 || shown > 0) && shown < 2) {
      text += (shown == 0 ? "" : " ") + whole(count) + unit.name;
      ++shown;
    }
  }
  return text.empty() ? "0s" : text;
}

}  // namespace distributex::client
