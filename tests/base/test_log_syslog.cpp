// SPDX-License-Identifier: MIT
// What goes to syslog, and that stderr is then left alone.
#include <cstdarg>
#include <cstdio>
#include <string>

#include "base/log.h"
#include "support/log_pipe.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;

// Replaces the C library's syslog functions, to see what they are called with.
std::string* heard = nullptr;

namespace {
[[gnu::format(printf, 2, 0)]] void note_syslog(int priority, const char* format,
                                               va_list arguments) {
  char text[4096];
  std::vsnprintf(text, sizeof text, format, arguments);
  if (heard) {
    heard->append("<" + std::to_string(priority) + ">" + text + "\n");
  }
}
}  // namespace

extern "C" {
[[gnu::format(printf, 2, 3)]] void syslog(int priority, const char* format, ...);
[[gnu::format(printf, 3, 4)]] void __syslog_chk(int priority, int flag, const char* format, ...);

void syslog(int priority, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  note_syslog(priority, format, arguments);
  va_end(arguments);
}

void __syslog_chk(int priority, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  note_syslog(priority, format, arguments);
  va_end(arguments);
}
}

namespace {

struct Fixture : LogPipe {
  std::string to_syslog;
};

void syslog_gets_each_line_at_once_and_stderr_none(void** state) {
  auto& f = fixture_of<Fixture>(state);
  heard = &f.to_syslog;
  f.logging([] {
    log_line(Level::info, "before");
    log_open(LogTarget::syslog, Level::info);
    log_line(Level::info, "lease=%d%%s", 1);
    log_line(Level::error, "bad\nthing");
    log_line(Level::debug, "unheard");
  });
  heard = nullptr;
  assert_false(log_pending());
  assert_text(f.to_syslog, "<6>lease=1%s\n<3>bad\\x0athing\n");
  f.drain();
  assert_text(f.text.substr(25), "info before\n");
  f.open_log(Level::info);
  assert_text(f.written(Level::info, "back"), "info back\n");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {test_with(Fixture, syslog_gets_each_line_at_once_and_stderr_none)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
