// SPDX-License-Identifier: MIT
// Reads /proc with stdio; that is fast enough before and after a measurement.
#include "load_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace bench {

namespace {

struct CloseFile {
  void operator()(FILE* file) const { fclose(file); }
};

std::string proc_text(pid_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  const std::unique_ptr<FILE, CloseFile> file(fopen(path.c_str(), "r"));
  if (!file) {
    return {};
  }
  char text[4096];
  return {text, fread(text, 1, sizeof text, file.get())};
}

// The fields after the program's name, which may have spaces, in parentheses.
double cpu_of(pid_t pid) {
  const std::string text = proc_text(pid, "stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return 0;
  }
  const char* at = text.c_str() + name_end + 1;
  for (int field = 3; field < 14 && at; ++field) {
    at = strchr(at + 1, ' ');
  }
  if (!at) {
    return 0;
  }
  char* next = nullptr;
  const unsigned long user = strtoul(at, &next, 10);
  const unsigned long system = strtoul(next, nullptr, 10);
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

double quantile(std::vector<double> samples, double part) {
  if (samples.empty()) {
    return 0;
  }
  const auto last = static_cast<double>(samples.size() - 1);
  const auto at = samples.begin() + lround(last * part);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

double jain(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 0;
}

double cpu_seconds(pid_t pid) {
  double sum = cpu_of(pid);
  const std::string task = "task/" + std::to_string(pid) + "/children";
  const std::string children = proc_text(pid, task.c_str());
  char* at = nullptr;
  for (long child = strtol(children.c_str(), &at, 10); child > 0; child = strtol(at, &at, 10)) {
    sum += cpu_of(static_cast<pid_t>(child));
  }
  return sum;
}

double own_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

double resident_kib(pid_t pid) {
  const std::string text = proc_text(pid, "status");
  const size_t found = text.find("VmRSS:");
  return found == std::string::npos ? 0 : strtod(text.c_str() + found + 6, nullptr);
}

void Line::add(std::string_view name, std::string_view text) {
  text_ += text_.empty() ? "{\"" : ",\"";
  text_.append(name).append("\":\"").append(text).append("\"");
}

void Line::add(std::string_view name, double value, int decimals) {
  char number[64];
  snprintf(number, sizeof number, "%.*f", decimals, value);
  text_ += text_.empty() ? "{\"" : ",\"";
  text_.append(name).append("\":").append(number);
}

void Line::add_turns(const std::vector<double>& waits, const std::vector<double>& shares,
                     uint64_t overlaps) {
  add("p50_us", quantile(waits, 0.5), 1);
  add("p99_us", quantile(waits, 0.99), 1);
  add("jain", jain(shares), 4);
  add("overlaps", static_cast<double>(overlaps), 0);
}

void Line::print() const { printf("%s}\n", text_.c_str()); }

}  // namespace bench
