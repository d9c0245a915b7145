// SPDX-License-Identifier: MIT
// The text format is lines; promtool reads it from a file.
#include "support/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>

#include "support/daemon.h"
#include "support/http.h"

namespace distributex::test {

std::optional<Samples> read_samples(std::string_view text) {
  Samples samples;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with('#')) {
      continue;
    }
    const size_t space = line.rfind(' ');
    if (space == std::string_view::npos || !line.starts_with("distributex_")) {
      return std::nullopt;
    }
    const std::string value{line.substr(space + 1)};
    char* end = nullptr;
    const double number = strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') {
      return std::nullopt;
    }
    if (!samples.emplace(line.substr(0, space), number).second) {
      return std::nullopt;
    }
  }
  return samples;
}

Samples samples_of(uint16_t port) {
  return read_samples(fetch(port, "/metrics").body).value_or(Samples{});
}

double sample_of(uint16_t port, const std::string& name) {
  const Samples samples = samples_of(port);
  const auto it = samples.find(name);
  return it == samples.end() ? -1 : it->second;
}

std::optional<std::string> promtool_complaint(std::string_view text) {
  if (system("command -v promtool >/dev/null 2>&1") != 0) {
    return std::nullopt;
  }
  const TempDir dir;
  const std::string page = dir.file("metrics");
  const std::string said = dir.file("said");
  write_file(page, text);
  const std::string command = "promtool check metrics <" + page + " >" + said + " 2>&1";
  const int status = system(command.c_str());
  std::string complaint = read_whole_file(said);
  if (status != 0 && complaint.empty()) {
    complaint = "promtool failed";
  }
  return complaint;
}

}  // namespace distributex::test
