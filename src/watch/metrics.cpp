// SPDX-License-Identifier: MIT
// prometheus-cpp serializes the page, except the gauges of pools: for ten thousand pools
// it would take 130 ms, during which no lock could be granted. append_pool_gauges() writes
// their lines, which all have the same form, in a few milliseconds.
#include "watch/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/pattern.h"
#include "lock/names.h"

namespace distributex {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration lock_buckets[] = {
    milliseconds{1},   milliseconds{5}, milliseconds{10}, milliseconds{50}, milliseconds{100},
    milliseconds{500}, seconds{1},      seconds{5},       seconds{15},      seconds{60},
    seconds{300},      seconds{900},    seconds{1800},    seconds{3600},    seconds{7200},
    seconds{21600},    seconds{43200},  seconds{86400}};

constexpr Duration backend_buckets[] = {microseconds{10},  microseconds{100}, microseconds{500},
                                        milliseconds{1},   milliseconds{2},   milliseconds{5},
                                        milliseconds{10},  milliseconds{50},  milliseconds{100},
                                        milliseconds{500}, seconds{1},        seconds{5}};

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Adds a family; the caller adds its metrics.
MetricFamily& open_family(Families& families, std::string name, const char* help, MetricType type) {
  families.push_back({.name = std::move(name), .help = help, .type = type, .metric = {}});
  return families.back();
}

void add_gauge(Families& families, const char* name, const char* help, double value) {
  ClientMetric metric;
  metric.gauge.value = value;
  open_family(families, name, help, MetricType::Gauge).metric.push_back(std::move(metric));
}

void add_counter(Families& families, const std::string& name, const char* help, uint64_t value) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  open_family(families, name, help, MetricType::Counter).metric.push_back(std::move(metric));
}

void add_histogram(Families& families, const char* name, const char* help, const Histogram& all) {
  ClientMetric metric;
  uint64_t sum = 0;
  for (size_t i = 0; i < all.bounds.size(); ++i) {
    sum += all.counts[i];
    metric.histogram.bucket.push_back(
        {.cumulative_count = sum, .upper_bound = seconds_of(all.bounds[i])});
  }
  metric.histogram.sample_count = sum + all.counts.back();
  metric.histogram.sample_sum = seconds_of(all.sum);
  open_family(families, name, help, MetricType::Histogram).metric.push_back(std::move(metric));
}

// Makes one family for all figures of a name, which must follow each other.
void add_figures(Families& families, const std::vector<Figure>& figures) {
  constexpr MetricType types[] = {MetricType::Counter, MetricType::Gauge, MetricType::Histogram};
  for (const Figure& figure : figures) {
    const std::string name = std::string("distributex_") + figure.name;
    if (families.back().name != name) {
      open_family(families, name, figure.help, types[static_cast<size_t>(figure.kind)]);
    }
    ClientMetric metric;
    if (!figure.label.first.empty()) {
      metric.label = {{figure.label.first, figure.label.second}};
    }
    metric.counter.value = metric.gauge.value = metric.histogram.sample_sum = figure.value;
    metric.histogram.sample_count = figure.count;
    for (const auto& [bound, count] : figure.buckets) {
      metric.histogram.bucket.push_back({.cumulative_count = count, .upper_bound = bound});
    }
    families.back().metric.push_back(std::move(metric));
  }
}

void add_build(Families& families, const MetricsView& view) {
  ClientMetric metric;
  metric.label = {{"version", DISTRIBUTEX_VERSION}, {"backend", std::string{view.backend_name}}};
  metric.gauge.value = 1;
  open_family(families, "distributex_build_info", "Version and backend of the running server.",
              MetricType::Gauge)
      .metric.push_back(std::move(metric));
}

// --- the gauges of pools ----------------------------------------------------

struct PoolGauge {
  const char* name;
  const char* help;
  Duration (*age)(const Sight&, const PoolSpec&, Time now);  // nullptr if `number` is set
  size_t (*number)(const Sight&, const PoolSpec&);           // nullptr if `age` is set
};

Duration oldest_waiter_age(const Sight& sight, const PoolSpec& pool, Time now) {
  const auto since = sight.oldest_waiter(pool.name);
  return since ? now - *since : Duration::zero();
}

Duration longest_holder_age(const Sight& sight, const PoolSpec& pool, Time now) {
  const std::vector<Lease> oldest = sight.leases(pool.name, 1);
  return oldest.empty() ? Duration::zero() : now - oldest.front().since;
}

constexpr PoolGauge pool_gauges[] = {
    {"distributex_pool_slots", "Locks of the pool that may be held at a time.", nullptr,
     [](const Sight&, const PoolSpec& pool) { return size_t{pool.maxlocks}; }},
    {"distributex_pool_held", "Locks of the pool that are held.", nullptr,
     [](const Sight& sight, const PoolSpec& pool) { return sight.held(pool.name); }},
    {"distributex_pool_waiting", "Clients that wait for a lock of the pool.", nullptr,
     [](const Sight& sight, const PoolSpec& pool) { return sight.waiting(pool.name); }},
    {"distributex_pool_resting", "Locks of the pool that stay closed though nobody has them.",
     nullptr, [](const Sight& sight, const PoolSpec& pool) { return sight.resting(pool.name); }},
    {"distributex_pool_frozen", "1 while the pool is frozen.", nullptr,
     [](const Sight& sight, const PoolSpec& pool) {
       return size_t{sight.frozen(pool.name) ? 1U : 0U};
     }},
    {"distributex_pool_oldest_waiter_seconds", "How long the first in the line has waited.",
     oldest_waiter_age, nullptr},
    {"distributex_pool_longest_holder_seconds", "How long the oldest lock has been held.",
     longest_holder_age, nullptr},
};

// The value of a gauge for one pool, or for all pools that a pattern has made: the sum of
// the numbers, or the greatest age.
struct Sum {
  Duration age{};
  size_t number = 0;

  Sum& plus(const PoolGauge& gauge, const Sight& sight, const PoolSpec& pool, Time now) {
    if (gauge.age) {
      age = std::max(age, gauge.age(sight, pool, now));
    } else {
      number += gauge.number(sight, pool);
    }
    return *this;
  }
};

Sum sum_of(const PoolGauge& gauge, const Sight& sight, const PoolSpec& pattern, Time now) {
  Sum sum;
  sight.each_made(pattern.name, [&](const PoolSpec& made) { sum.plus(gauge, sight, made, now); });
  return sum;
}

template <typename Number>
void append_number(std::string& text, Number number) {
  std::array<char, 32> digits;
  text.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr);
}

void append_label(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
    }
    text += c;  // no name has a newline
  }
}

void append_pool_gauges(std::string& text, const Sight& sight, Time now) {
  for (const PoolGauge& gauge : pool_gauges) {
    text.append("# HELP ").append(gauge.name).append(" ").append(gauge.help);
    text.append("\n# TYPE ").append(gauge.name).append(" gauge\n");
    sight.each_pool([&](const PoolSpec& pool, size_t) {
      text.append(gauge.name).append("{pool=\"");
      append_label(text, pool.name);
      text.append("\"} ");
      const Sum sum = is_pattern(pool.name) ? sum_of(gauge, sight, pool, now)
                                            : Sum{}.plus(gauge, sight, pool, now);
      if (gauge.age) {
        append_number(text, seconds_of(std::chrono::floor<milliseconds>(sum.age)));
      } else {
        append_number(text, sum.number);
      }
      text += '\n';
    });
  }
}

size_t all_waiting(const Sight& sight) {
  size_t sum = 0;
  sight.each_pool([&](const PoolSpec&, size_t waiting) { sum += waiting; });
  return sum;
}

}  // namespace

void Histogram::add(Duration took) {
  const auto at = std::lower_bound(bounds.begin(), bounds.end(), took) - bounds.begin();
  ++counts[static_cast<size_t>(at)];
  sum += took;
}

Metrics::Metrics() : waited_(lock_buckets), held_(lock_buckets), backend_(backend_buckets) {}

std::string Metrics::page(const MetricsView& view) const {
  Families all;
  add_build(all, view);
  add_gauge(all, "distributex_uptime_seconds", "Time since the server started.",
            seconds_of(view.uptime));
  add_gauge(all, "distributex_connections", "Open connections.",
            static_cast<double>(view.connections));
  add_gauge(all, "distributex_waiting_requests",
            "Clients that wait for a lock, all pools together.",
            static_cast<double>(all_waiting(view.sight)));
  add_gauge(all, "distributex_event_streams", "Readers that follow /events/.",
            static_cast<double>(view.streams));
  MetricFamily& requests =
      open_family(all, "distributex_requests_total", "Requests answered, by verb and result.",
                  MetricType::Counter);
  for (size_t v = 0; v < verb_count; ++v) {
    for (size_t i = 0; i < result_count; ++i) {
      ClientMetric metric;
      metric.label = {{"verb", std::string{verb_name(static_cast<Verb>(v))}},
                      {"result", std::string{result_name(static_cast<Result>(i))}}};
      metric.counter.value = static_cast<double>(answers_[v][i]);
      requests.metric.push_back(std::move(metric));
    }
  }
  for (size_t i = 0; i < std::size(counters); ++i) {
    add_counter(all, "distributex_" + std::string{counters[i].name} + "_total", counters[i].help,
                counts_[i]);
  }
  add_counter(all, "distributex_event_streams_dropped_total",
              "Readers of /events/ cut off because they read too slowly.", view.streams_dropped);
  add_counter(all, "distributex_log_dropped_lines_total", "Lines that the log had no room for.",
              view.log_dropped);
  add_histogram(all, "distributex_wait_seconds",
                "How long a /wait/ took until its lock was granted.", waited_);
  add_histogram(all, "distributex_hold_seconds",
                "How long locks were held until release or expiry.", held_);
  add_gauge(all, "distributex_backend_up", "1 while the backend can grant locks.",
            view.backend_up ? 1 : 0);
  add_histogram(all, "distributex_backend_latency_seconds",
                "How long the backend took to answer a question.", backend_);
  std::vector<Figure> figures = view.figures;
  view.sight.add_figures(figures, view.now);
  add_figures(all, figures);
  std::string text = prometheus::TextSerializer().Serialize(all);
  append_pool_gauges(text, view.sight, view.now);
  return text;
}

}  // namespace distributex
