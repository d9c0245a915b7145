// SPDX-License-Identifier: MIT
// /metrics as values by name and labels, and what promtool thinks of it. No
// asserts here.
#pragma once

#include <stdint.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace distributex::test {

// From `name{label="value",...}`, as it stands in the text, to the value.
using Samples = std::map<std::string, double>;

// Nothing when a line is no comment and no sample, or stands there twice.
[[nodiscard]] std::optional<Samples> read_samples(std::string_view text);
[[nodiscard]] Samples samples_of(uint16_t port);
[[nodiscard]] double sample_of(uint16_t port, const std::string& name);

// What `promtool check metrics` says of the text: "" when all is well; nothing
// when there is no promtool.
[[nodiscard]] std::optional<std::string> promtool_complaint(std::string_view text);

}  // namespace distributex::test
