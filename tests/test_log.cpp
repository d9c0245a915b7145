// SPDX-License-Identifier: MIT
// What log lines look like, when they are written, and that none is lost
// without a word. Stderr is a pipe while a test logs; its end is put back
// before anything is asserted, for cmocka reports there.
#include "log.h"

#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>

using namespace distributex;
using namespace distributex::test;
using namespace std::literals;

// In the place of the C library's, to see what it would be given.
std::vector<std::string>* syslog_lines = nullptr;

namespace {
[[gnu::format(printf, 2, 0)]] void note_syslog(int priority, const char* format,
                                               va_list arguments) {
  char text[4096];
  std::vsnprintf(text, sizeof text, format, arguments);
  if (syslog_lines) syslog_lines->push_back("<" + std::to_string(priority) + ">" + text);
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

struct Fixture {
  int terminal = -1;       // the real stderr
  int ends[2] = {-1, -1};  // the pipe that stands for it
  std::string text;        // all that came out of the pipe
  std::string wanted;
  std::vector<std::string> lines;
  std::mt19937 random{20260131};

  Fixture() {
    signal(SIGPIPE, SIG_IGN);
    unsetenv("JOURNAL_STREAM");
    terminal = dup(STDERR_FILENO);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) abort();
    open_log(Level::info);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    logging([] { log_open(LogTarget::stderr_plain, Level::info); });
    drain();
    syslog_lines = nullptr;
    for (const int fd : {terminal, ends[0], ends[1]}) close(fd);
  }

  // Does something with stderr being the pipe.
  template <typename Action>
  void logging(Action action) {
    logging_to(ends[1], action);
  }

  template <typename Action>
  void logging_to(int fd, Action action) {
    dup2(fd, STDERR_FILENO);
    action();
    dup2(terminal, STDERR_FILENO);
  }

  void open_log(Level most_verbose) {
    logging([most_verbose] { log_open(LogTarget::stderr_plain, most_verbose); });
  }

  // Adds what the pipe holds now to text.
  void drain() {
    char bytes[65536];
    for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<size_t>(n));
  }

  // What comes out when one line is logged and flushed, without its time.
  std::string_view written(Level level, const char* line) {
    text.clear();
    logging([&] {
      log_line(level, "%s", line);
      log_flush();
    });
    drain();
    return std::string_view(text).substr(std::min<size_t>(text.size(), 25));
  }

  void split_lines() {
    lines.clear();
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = rest.find('\n');
      lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
  }
};

long long now_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void line_begins_with_the_time_in_utc_and_the_level(void** state) {
  auto& f = fixture_of<Fixture>(state);
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
  auto& f = fixture_of<Fixture>(state);
  f.open_log(Level::debug);
  assert_text(f.written(Level::error, "a"), "error a\n");
  assert_text(f.written(Level::warning, "a"), "warning a\n");
  assert_text(f.written(Level::info, "a"), "info a\n");
  assert_text(f.written(Level::debug, "a"), "debug a\n");
}

void what_is_less_important_than_asked_is_left_out(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int asked = 0; asked <= static_cast<int>(Level::debug); ++asked) {
    f.open_log(static_cast<Level>(asked));
    for (int level = 0; level <= static_cast<int>(Level::debug); ++level) {
      assert_int_equal(log_enabled(static_cast<Level>(level)), level <= asked);
      assert_int_equal(f.written(static_cast<Level>(level), "a").empty(), level > asked);
    }
  }
}

void lines_gather_until_they_are_flushed(void** state) {
  auto& f = fixture_of<Fixture>(state);
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
  auto& f = fixture_of<Fixture>(state);
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
  auto& f = fixture_of<Fixture>(state);
  f.logging([&f] {
    for (int i = 0; i < 40; ++i) log_line(Level::info, "%s", std::string(470, 'x').c_str());
    f.drain();
  });
  assert_in_range(f.text.size(), 16 * 1024, 17 * 1024);
}

void event_is_one_line_whatever_its_bytes(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(f.written(Level::info, "a\nb\r\t\x1b\x7f\\x41\xc3\xbc"),
              "info a\\x0ab\\x0d\\x09\\x1b\\x7f\\x41\xc3\xbc\n");
  assert_text(f.written(Level::info, ""), "info \n");
  for (int round = 0; round < 5000; ++round) {
    f.wanted.clear();
    for (size_t n = f.random() % 2000; n > 0; --n)
      f.wanted += static_cast<char>(1 + f.random() % 255);
    const std::string_view line = f.written(Level::info, f.wanted.c_str());
    assert_int_equal(line.find('\n'), line.size() - 1);
    assert_true(std::none_of(line.begin(), line.end() - 1,
                             [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
    assert_true(line.size() <= 5 + 1024 + 1);
  }
}

void long_line_is_cut_at_a_kibibyte(void** state) {
  auto& f = fixture_of<Fixture>(state);
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
  auto& f = fixture_of<Fixture>(state);
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
  auto& f = fixture_of<Fixture>(state);
  for (const char* stream : {"", "1:1", "journal"}) {
    setenv("JOURNAL_STREAM", stream, 1);
    f.open_log(Level::info);
    assert_text(f.written(Level::info, "a"), "info a\n");
  }
}

// Checks that lines hold 0, 1, 2... with the gaps that they speak of, up to the
// number given; gives the sum of the gaps.
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
  auto& f = fixture_of<Fixture>(state);
  fcntl(f.ends[1], F_SETPIPE_SZ, 4096);
  size_t next = 0;
  for (int round = 0; round < 20; ++round) {
    const size_t burst = round % 3 == 0 ? 3000 : f.random() % 300;
    f.logging([&] {
      for (size_t i = 0; i < burst; ++i) log_line(Level::info, "number=%zu.", next++);
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

// A blocking pipe, as a shell makes it, that nobody reads. Were it waited for,
// the alarm would end this program.
void stuck_pipe_is_not_waited_for(void** state) {
  auto& f = fixture_of<Fixture>(state);
  int stuck[2];
  assert_int_equal(pipe2(stuck, O_CLOEXEC), 0);
  size_t next = 0;
  alarm(60);
  f.logging_to(stuck[1], [&next] {
    while (next < 6000) log_line(Level::info, "number=%zu.", next++);
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
  auto& f = fixture_of<Fixture>(state);
  const std::string line = "event=granted " + std::string(4000, 'x');
  f.logging([&] {
    log_sound_line(Level::debug, "left out");
    log_sound_line(Level::info, line);
    log_flush();
  });
  f.drain();
  assert_text(f.text.substr(25), "info " + line + "\n");
}

void broken_descriptor_neither_kills_nor_loses_silently(void** state) {
  auto& f = fixture_of<Fixture>(state);
  int closed[2];
  assert_int_equal(pipe2(closed, O_CLOEXEC), 0);
  close(closed[0]);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  for (const int fd : {closed[1], full}) {
    size_t next = 0;
    f.logging_to(fd, [&next] {
      while (next < 4000) log_line(Level::info, "number=%zu.", next++);
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

void syslog_gets_each_line_at_once_and_stderr_none(void** state) {
  auto& f = fixture_of<Fixture>(state);
  syslog_lines = &f.lines;
  f.logging([] {
    log_line(Level::info, "before");
    log_open(LogTarget::syslog, Level::info);
    log_line(Level::info, "lease=%d%%s", 1);
    log_line(Level::error, "bad\nthing");
    log_line(Level::debug, "unheard");
  });
  assert_false(log_pending());
  assert_int_equal(f.lines.size(), 2);
  assert_text(f.lines[0], "<6>lease=1%s");
  assert_text(f.lines[1], "<3>bad\\x0athing");
  f.drain();
  assert_text(f.text.substr(25), "info before\n");
  f.open_log(Level::info);
  assert_text(f.written(Level::info, "back"), "info back\n");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Fixture, line_begins_with_the_time_in_utc_and_the_level),
      test_with(Fixture, each_level_has_its_name),
      test_with(Fixture, what_is_less_important_than_asked_is_left_out),
      test_with(Fixture, lines_gather_until_they_are_flushed),
      test_with(Fixture, warning_goes_out_at_once_behind_what_came_before),
      test_with(Fixture, much_goes_out_unasked),
      test_with(Fixture, event_is_one_line_whatever_its_bytes),
      test_with(Fixture, long_line_is_cut_at_a_kibibyte),
      test_with(Fixture, journal_gets_the_priority_and_no_time),
      test_with(Fixture, other_stream_than_the_journals_gets_the_time),
      test_with(Fixture, refused_lines_wait_and_the_dropped_are_counted),
      test_with(Fixture, stuck_pipe_is_not_waited_for),
      test_with(Fixture, sound_line_goes_out_as_it_is),
      test_with(Fixture, broken_descriptor_neither_kills_nor_loses_silently),
      test_with(Fixture, syslog_gets_each_line_at_once_and_stderr_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
