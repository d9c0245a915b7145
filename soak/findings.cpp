// SPDX-License-Identifier: MIT
// Lines of at most a thousand bytes, written whole.
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <array>

namespace distributex::soak {

namespace {

constexpr size_t most_shown = 50;

void print(const char* what, const char* format, va_list arguments) {
  std::array<char, 1024> text;
  vsnprintf(text.data(), text.size(), format, arguments);
  const time_t now = time(nullptr);
  tm parts{};
  localtime_r(&now, &parts);
  printf("%02d:%02d:%02d %s%s\n", parts.tm_hour, parts.tm_min, parts.tm_sec, what, text.data());
  fflush(stdout);
}

}  // namespace

void Findings::add(const char* format, ...) {
  if (muted_ || ++count_ > most_shown) {
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  print("WRONG: ", format, arguments);
  va_end(arguments);
}

void say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print("", format, arguments);
  va_end(arguments);
}

}  // namespace distributex::soak
