// SPDX-License-Identifier: MIT
//
// The table of the options of distributex: one row makes the parser and --help.
#pragma once

#include <span>
#include <string>

#include "client/options.h"

namespace distributex::client {

struct OptionRow {
  char letter;  // 0: none
  const char* name;
  const char* argument;  // nullptr: takes none; "[=...]": it may be left out
  const char* help;
  const char* wants;  // what a right value would be
  bool (*apply)(Options&, const std::string& value);
};

[[nodiscard]] std::span<const OptionRow> option_rows();

}  // namespace distributex::client
