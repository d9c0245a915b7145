// SPDX-License-Identifier: MIT
// What log lines look like, when they are written, and that none is lost
// without a word.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "base/log.h"
#include "support/log_pipe.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using namespace std::literals;

namespace {

long long now_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void line_begins_with_the_time_in_utc_and_the_level(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  setenv("TZ", "Asia/Kathmandu", 1);
  const long long before = now_ms();
  f.written(Level::info, "pool=p started");
  const long long after = now_ms();
  unsetenv("TZ");
  assert_int_equal(f.text.size(), 25 + 20);
  assert_text(f.text.substr(24), " info pool=p started\n");
  tm parts{};
  int ms = -1;
  char zone = 0;
  assert_int_equal(
      std::sscanf(f.text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms, &zone),
      8);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const long long said = timegm(&parts) * 1000LL + ms;
  assert_int_equal(zone, 'Z');
  assert_true(before <= said && said <= after);
}

void each_level_has_its_name(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  f.open_log(Level::debug);
  assert_text(f.written(Level::error, "a"), "error a\n");
  assert_text(f.written(Level::warning, "a"), "warning a\n");
  assert_text(f.written(Level::info, "a"), "info a\n");
  assert_text(f.written(Level::debug, "a"), "debug a\n");
}

void what_is_less_important_than_asked_is_left_out(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  for (int asked = 0; asked <= static_cast<int>(Level::debug); ++asked) {
    f.open_log(static_cast<Level>(asked));
    for (int level = 0; level <= static_cast<int>(Level::debug); ++level) {
      assert_int_equal(log_enabled(static_cast<Level>(level)), level <= asked);
      assert_int_equal(f.written(static_cast<Level>(level), "a").empty(), level > asked);
    }
  }
}

void lines_gather_until_they_are_flushed(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  assert_false(log_pending());
  f.logging([] { log_line(Level::info, "one"); });
  f.drain();
  assert_text(f.text, "");
  assert_true(log_pending());
  f.logging([] { log_flush(); });
  f.drain();
  assert_text(f.text.substr(25), "info one\n");
  assert_false(log_pending());
}

void warning_goes_out_at_once_behind_what_came_before(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  for (const Level level : {Level::warning, Level::error}) {
    f.text.clear();
    f.logging([level] {
      log_line(Level::info, "one");
      log_line(level, "two");
    });
    assert_false(log_pending());
    f.drain();
    f.split_lines();
    assert_int_equal(f.lines.size(), 2);
    assert_text(f.lines[0].substr(25), "info one");
  }
}

void much_goes_out_unasked(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  f.logging([&f] {
    for (int i = 0; i < 40; ++i) {
      log_line(Level::info, "%s", std::string(470, 'x').c_str());
    }
    f.drain();
  });
  assert_in_range(f.text.size(), 16 * 1024, 17 * 1024);
}

void event_is_one_line_whatever_its_bytes(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  assert_text(f.written(Level::info, "a\nb\r\t\x1b\x7f\\x41\xc3\xbc"),
              "info a\\x0ab\\x0d\\x09\\x1b\\x7f\\x41\xc3\xbc\n");
  assert_text(f.written(Level::info, ""), "info \n");
  for (int round = 0; round < 5000; ++round) {
    f.wanted.clear();
    for (size_t n = f.random() % 2000; n > 0; --n) {
      f.wanted += static_cast<char>(1 + f.random() % 255);
    }
    const std::string_view line = f.written(Level::info, f.wanted.c_str());
    assert_int_equal(line.find('\n'), line.size() - 1);
    assert_true(std::none_of(line.begin(), line.end() - 1,
                             [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
    assert_true(line.size() <= 5 + 1024 + 1);
  }
}

void long_line_is_cut_at_a_kibibyte(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  const std::string x(1100, 'x');
  for (size_t size = 1015; size < 1040; ++size) {
    f.wanted =
        "info " + x.substr(0, size <= 1024 ? size : 1021) + (size <= 1024 ? "" : "...") + "\n";
    assert_text(f.written(Level::info, x.substr(0, size).c_str()), f.wanted);
  }
  f.wanted = "info " + x.substr(0, 1018) + "...\n";
  assert_text(f.written(Level::info, (x.substr(0, 1018) + "\n" + x).c_str()), f.wanted);
  f.wanted = "info " + x.substr(0, 1020) + "\\x0a\n";
  assert_text(f.written(Level::info, (x.substr(0, 1020) + "\n").c_str()), f.wanted);
}

void journal_gets_the_priority_and_no_time(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  struct stat pipe {};
  fstat(f.ends[1], &pipe);
  f.wanted = std::to_string(pipe.st_dev) + ":" + std::to_string(pipe.st_ino);
  setenv("JOURNAL_STREAM", f.wanted.c_str(), 1);
  f.open_log(Level::debug);
  f.written(Level::error, "a");
  assert_text(f.text, "<3>a\n");
  f.written(Level::warning, "a");
  assert_text(f.text, "<4>a\n");
  f.written(Level::info, "a");
  assert_text(f.text, "<6>a\n");
  f.written(Level::debug, "a");
  assert_text(f.text, "<7>a\n");
}

void other_stream_than_the_journals_gets_the_time(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  for (const char* stream : {"", "1:1", "journal"}) {
    setenv("JOURNAL_STREAM", stream, 1);
    f.open_log(Level::info);
    assert_text(f.written(Level::info, "a"), "info a\n");
  }
}

// Checks that lines hold the numbers 0, 1, 2... up to end, but for gaps that a "dropped" line
// announces; returns the sum of the gaps.
size_t check_sequence(const std::vector<std::string>& lines, size_t end) {
  size_t next = 0, dropped = 0;
  for (const std::string& line : lines) {
    size_t gap = 0;
    if (std::sscanf(line.c_str() + 25, "warning log: dropped=%zu", &gap) == 1) {
      next += gap;
      dropped += gap;
      continue;
    }
    size_t number = 0;
    assert_int_equal(std::sscanf(line.c_str() + 25, "info number=%zu.", &number), 1);
    assert_int_equal(number, next);
    ++next;
  }
  assert_int_equal(next, end);
  return dropped;
}

void refused_lines_wait_and_the_dropped_are_counted(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  fcntl(f.ends[1], F_SETPIPE_SZ, 4096);
  size_t next = 0;
  for (int round = 0; round < 20; ++round) {
    const size_t burst = round % 3 == 0 ? 3000 : f.random() % 300;
    f.logging([&] {
      for (size_t i = 0; i < burst; ++i) {
        log_line(Level::info, "number=%zu.", next++);
      }
      log_flush();
    });
    for (size_t reads = f.random() % 10; reads > 0; --reads) {
      f.drain();
      f.logging([] { log_flush(); });
    }
  }
  while (log_pending()) {
    f.drain();
    f.logging([] { log_flush(); });
  }
  f.drain();
  f.split_lines();
  assert_true(check_sequence(f.lines, next) > 1000);
}

// A blocking pipe, as a shell makes it, that nobody reads. If the log waited for it, the
// alarm would end this program.
void stuck_pipe_is_not_waited_for(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  int stuck[2];
  assert_int_equal(pipe2(stuck, O_CLOEXEC), 0);
  size_t next = 0;
  alarm(60);
  f.logging_to(stuck[1], [&next] {
    while (next < 6000) {
      log_line(Level::info, "number=%zu.", next++);
    }
    log_flush();
  });
  alarm(0);
  assert_true(log_pending());
  assert_int_equal(fcntl(stuck[1], F_GETFL) & O_NONBLOCK, 0);
  close(stuck[0]);
  close(stuck[1]);
  while (log_pending()) {
    f.drain();
    f.logging([] { log_flush(); });
  }
}

void sound_line_goes_out_as_it_is(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  const std::string line = "event=granted " + std::string(4000, 'x');
  f.logging([&] {
    log_sound_line(Level::debug, "left out", 0);
    log_sound_line(Level::info, line, 1);
    log_flush();
  });
  f.drain();
  assert_text(f.text.substr(25), "info " + line + "\n");
}

void broken_descriptor_neither_kills_nor_loses_silently(void** state) {
  auto& f = fixture_of<LogPipe>(state);
  int closed[2];
  assert_int_equal(pipe2(closed, O_CLOEXEC), 0);
  close(closed[0]);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  for (const int fd : {closed[1], full}) {
    size_t next = 0;
    f.logging_to(fd, [&next] {
      while (next < 4000) {
        log_line(Level::info, "number=%zu.", next++);
      }
      log_flush();
    });
    close(fd);
    assert_true(log_pending());
    f.text.clear();
    while (log_pending()) {
      f.drain();
      f.logging([] { log_flush(); });
    }
    f.drain();
    f.split_lines();
    assert_true(check_sequence(f.lines, next) > 1000);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(LogPipe, line_begins_with_the_time_in_utc_and_the_level),
      test_with(LogPipe, each_level_has_its_name),
      test_with(LogPipe, what_is_less_important_than_asked_is_left_out),
      test_with(LogPipe, lines_gather_until_they_are_flushed),
      test_with(LogPipe, warning_goes_out_at_once_behind_what_came_before),
      test_with(LogPipe, much_goes_out_unasked),
      test_with(LogPipe, event_is_one_line_whatever_its_bytes),
      test_with(LogPipe, long_line_is_cut_at_a_kibibyte),
      test_with(LogPipe, journal_gets_the_priority_and_no_time),
      test_with(LogPipe, other_stream_than_the_journals_gets_the_time),
      test_with(LogPipe, refused_lines_wait_and_the_dropped_are_counted),
      test_with(LogPipe, stuck_pipe_is_not_waited_for),
      test_with(LogPipe, sound_line_goes_out_as_it_is),
      test_with(LogPipe, broken_descriptor_neither_kills_nor_loses_silently),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
