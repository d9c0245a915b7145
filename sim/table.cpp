// SPDX-License-Identifier: MIT
// Figures are rounded to what a reader can use: three digits, or whole numbers.
#include "sim/table.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace distributex::sim {

namespace {

__attribute__((format(printf, 1, 2))) std::string format(const char* how, ...) {
  char text[64];
  va_list arguments;
  va_start(arguments, how);
  vsnprintf(text, sizeof text, how, arguments);
  va_end(arguments);
  return text;
}

std::string number(double value) {
  if (value == 0) {
    return "0";
  }
  if (value < 100) {
    return format(value < 1 ? "%.2f" : "%.1f", value);
  }
  const std::string digits = format("%.0f", value);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) {
      grouped.push_back(',');
    }
    grouped.push_back(digits[i]);
  }
  return grouped;
}

std::string time(double seconds) {
  if (seconds >= 2 * 86400) {
    return format("%.1f d", seconds / 86400);
  }
  if (seconds >= 2 * 3600) {
    return format("%.1f h", seconds / 3600);
  }
  return seconds >= 120 ? format("%.1f min", seconds / 60) : format("%.2f s", seconds);
}

double quantile(const std::vector<float>& sorted, double part) {
  if (sorted.empty()) {
    return 0;
  }
  return sorted[static_cast<size_t>(part * static_cast<double>(sorted.size() - 1))];
}

class Rows {
 public:
  Rows(const std::vector<Column>& columns, const Costs& costs) : columns_(columns) {
    for (const Column& column : columns) {
      needs_.push_back(need_of(column.outcome, costs));
      waits_.push_back(column.outcome.book.waits);
      std::sort(waits_.back().begin(), waits_.back().end());
    }
  }

  template <typename Value>
  void add(const char* name, const Value& value) {
    text_ += format("%-34s", name);
    for (size_t i = 0; i < columns_.size(); ++i) {
      text_ += format("%11s", std::string(value(i)).c_str());
    }
    text_ += "\n";
  }
  template <typename Value>
  void add_number(const char* name, const Value& value) {
    add(name, [&](size_t i) { return number(value(i)); });
  }
  template <typename Value>
  void add_rate(const char* name, const Value& value) {
    add_number(name, [&](size_t i) {
      return static_cast<double>(value(columns_[i].outcome.book)) /
             columns_[i].outcome.standing.seconds;
    });
  }

  [[nodiscard]] const Course& outcome(size_t i) const { return columns_[i].outcome; }
  [[nodiscard]] const Need& need(size_t i) const { return needs_[i]; }
  [[nodiscard]] double wait(size_t i, double part) const { return quantile(waits_[i], part); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  const std::vector<Column>& columns_;
  std::vector<Need> needs_;
  std::vector<std::vector<float>> waits_;
  std::string text_;
};

void add_what_happened(Rows& rows) {
  rows.add("simulated, after settling",
           [&](size_t i) { return time(rows.outcome(i).standing.seconds); });
  rows.add_number("slots that would always be busy",
                  [&](size_t i) { return rows.outcome(i).needed; });
  rows.add_number("requests a second", [&](size_t i) { return rows.need(i).requests; });
  rows.add_rate("  locks granted", [](const Book& book) { return book.granted; });
  rows.add_rate("  renewals", [](const Book& book) { return book.renewed; });
  rows.add_rate("  gone without a lock", [](const Book& book) { return book.gone; });
  rows.add_rate("  refused, the line is full", [](const Book& book) { return book.refused; });
  rows.add("waiting time, median", [&](size_t i) { return time(rows.wait(i, 0.5)); });
  rows.add("  99 of 100 at most", [&](size_t i) { return time(rows.wait(i, 0.99)); });
  rows.add("  worst", [&](size_t i) { return time(rows.wait(i, 1)); });
  rows.add_number("waiters parked, mean",
                  [&](size_t i) { return rows.outcome(i).standing.parked; });
  rows.add_number("  most at once", [&](size_t i) {
    return static_cast<double>(rows.outcome(i).standing.most_parked);
  });
  rows.add_number("leases at once, most", [&](size_t i) {
    return static_cast<double>(rows.outcome(i).standing.most_held);
  });
}

void add_what_it_costs(Rows& rows, const Machine& machine) {
  rows.add_number("sockets that are parked", [&](size_t i) { return rows.need(i).sockets; });
  rows.add_number("memory, MiB", [&](size_t i) { return rows.need(i).memory_mib; });
  rows.add_number("  with TLS, MiB", [&](size_t i) { return rows.need(i).tls_memory_mib; });
  rows.add_number("TLS handshakes a second", [&](size_t i) { return rows.need(i).requests; });
  rows.add_number("million instructions a second",
                  [&](size_t i) { return rows.need(i).instructions / 1e6; });
  rows.add_number("  with TLS", [&](size_t i) { return rows.need(i).tls_instructions / 1e6; });
  rows.add_number("system calls a second", [&](size_t i) { return rows.need(i).calls; });
  rows.add_number("processors", [&](size_t i) { return rows.need(i).share(machine); });
  rows.add_number("  with TLS", [&](size_t i) { return rows.need(i).tls_share(machine); });
  rows.add_number("disk syncs a second, at most", [&](size_t i) { return rows.need(i).syncs; });
  rows.add_number("raft entries a second", [&](size_t i) { return rows.need(i).raft_entries; });
}

}  // namespace

std::string table_of(const std::vector<Column>& columns, const Costs& costs,
                     const Machine& machine) {
  Rows rows(columns, costs);
  rows.add("", [&](size_t i) { return columns[i].letter; });
  add_what_happened(rows);
  add_what_it_costs(rows, machine);
  return rows.text();
}

}  // namespace distributex::sim
