// SPDX-License-Identifier: MIT
// A buffer of finished lines for stderr, and the count of lines that did not fit into it.
// If the buffer is full the newest line is dropped: so the reader gets all earlier lines,
// then the number of dropped ones. Syslog has a queue of its own and gets each line at
// once.
#include "base/log.h"

#include <poll.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/clock.h"

namespace distributex {
namespace {

constexpr size_t text_max = 1024;  // bytes of one event's text
constexpr size_t prefix_max = 64;  // bytes of a line beside its text
constexpr size_t line_max = 4096 + prefix_max;
constexpr size_t write_at = 16 * 1024;    // when so many bytes have gathered, write them
constexpr size_t buffer_max = 64 * 1024;  // kept while stderr cannot be written

struct LevelRow {
  std::string_view name;
  int priority;
};

// In the order of Level.
constexpr LevelRow levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}};

const LevelRow& row_of(Level level) { return levels[static_cast<size_t>(level)]; }

// Text of bounded size; bytes that do not fit are left out.
template <size_t N>
struct Text {
  std::array<char, N> bytes;
  size_t size = 0;

  void add(std::string_view text) {
    if (text.size() > N - size) {
      text = text.substr(0, N - size);
    }
    std::memcpy(bytes.data() + size, text.data(), text.size());
    size += text.size();
  }
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};

struct Log {
  LogTarget target = LogTarget::stderr_plain;
  Level most_verbose = Level::info;
  bool journal = false;
  unsigned long dropped = 0;  // lines whose loss was not logged yet
  uint64_t dropped_ever = 0;
  time_t second = 0;  // the time that `date` has
  std::array<char, 32> date{};
  size_t date_size = 0;
};

constinit Log state;
constinit Text<buffer_max> waiting{};  // whole lines; a short write may cut the first one

// systemd sets JOURNAL_STREAM to DEVICE:INODE of the stderr that it has opened. stderr may
// have been redirected since, so both numbers are compared.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat own {};
  if (!stream || fstat(STDERR_FILENO, &own) != 0) {
    return false;
  }
  std::array<char, 48> name;
  std::snprintf(name.data(), name.size(), "%ju:%ju", static_cast<uintmax_t>(own.st_dev),
                static_cast<uintmax_t>(own.st_ino));
  return std::string_view(stream) == name.data();
}

// Whether a write of up to PIPE_BUF bytes would not block. stderr is not set to
// non-blocking instead, because other processes share its open file.
bool is_writable() {
  pollfd stream{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&stream, 1, 0) == 1 && (stream.revents & POLLOUT) != 0;
}

// Writes until no bytes are left or stderr is not writable. The pieces are small enough for
// the room that poll() promises in a pipe.
void write_waiting() {
  size_t done = 0;
  while (done < waiting.size && is_writable()) {
    const size_t piece = std::min<size_t>(waiting.size - done, PIPE_BUF);
    const ssize_t n = write(STDERR_FILENO, waiting.bytes.data() + done, piece);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  waiting.size -= done;
  std::memmove(waiting.bytes.data(), waiting.bytes.data() + done, waiting.size);
}

// The text is made once a second.
std::string_view date_of(time_t second) {
  if (second != state.second) {
    tm parts{};
    gmtime_r(&second, &parts);
    state.date_size =
        std::strftime(state.date.data(), state.date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    state.second = second;
  }
  return {state.date.data(), state.date_size};
}

using Line = Text<line_max>;

template <size_t N>
void add_prefix(Level level, uint64_t now, Text<N>& line) {
  if (state.journal) {
    const char priority[] = {'<', static_cast<char>('0' + row_of(level).priority), '>'};
    line.add({priority, sizeof priority});
    return;
  }
  const uint64_t milliseconds = now / 1000 % 1000;
  line.add(date_of(static_cast<time_t>(now / 1000000)));
  const char rest[] = {'.',
                       static_cast<char>('0' + milliseconds / 100),
                       static_cast<char>('0' + milliseconds / 10 % 10),
                       static_cast<char>('0' + milliseconds % 10),
                       'Z',
                       ' '};
  line.add({rest, sizeof rest});
  line.add(row_of(level).name);
  line.add(" ");
}

template <size_t N>
void add_line(Level level, std::string_view text, uint64_t now, Text<N>& to) {
  add_prefix(level, now, to);
  to.add(text);
  to.add("\n");
}

// Appends a line to the buffer; if lines were dropped, their number comes before it.
// Returns false if it does not fit.
[[nodiscard]] bool append(Level level, std::string_view text, uint64_t now) {
  if (state.dropped == 0 && buffer_max - waiting.size >= text.size() + prefix_max) {
    add_line(level, text, now, waiting);
    return true;
  }
  Line line;
  if (!text.empty()) {
    add_line(level, text, now, line);
  }
  Line gap;
  if (state.dropped > 0) {
    std::array<char, 48> count;
    std::snprintf(count.data(), count.size(), "log: dropped=%lu", state.dropped);
    add_line(Level::warning, count.data(), now, gap);
  }
  if (waiting.size + gap.size + line.size > buffer_max) {
    return false;
  }
  waiting.add(gap.view());
  waiting.add(line.view());
  state.dropped = 0;
  return true;
}

void emit(Level level, std::string_view text, uint64_t now) {
  if (state.target == LogTarget::syslog) {
    syslog(row_of(level).priority, "%.*s", static_cast<int>(text.size()), text.data());
    return;
  }
  if (!append(level, text, now)) {
    write_waiting();
    if (!append(level, text, now)) {
      ++state.dropped;
      ++state.dropped_ever;
    }
  }
  if (level <= Level::warning || waiting.size > write_at) {
    log_flush();
  }
}

// The text of an event with its control bytes as \xHH, cut to text_max.
Text<text_max> one_line(std::string_view raw) {
  constexpr char digits[] = "0123456789abcdef";
  constexpr std::string_view dots = "...";
  Text<text_max> text;
  size_t keep = 0;  // so many bytes leave room for the dots
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    const char hex[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    const bool control = byte < 0x20 || byte == 0x7f;
    const std::string_view piece = control ? std::string_view(hex, 4) : std::string_view(&c, 1);
    if (text.size + piece.size() > text_max) {
      text.size = keep;
      text.add(dots);
      break;
    }
    text.add(piece);
    if (text.size + dots.size() <= text_max) {
      keep = text.size;
    }
  }
  return text;
}

}  // namespace

void log_open(LogTarget target, Level most_verbose) {
  log_flush();
  if (state.target == LogTarget::syslog) {
    closelog();
  }
  state.target = target;
  state.most_verbose = most_verbose;
  state.journal = stderr_is_journal();
  if (target == LogTarget::syslog) {
    openlog(nullptr, LOG_PID | LOG_NDELAY, LOG_DAEMON);
  }
}

bool log_enabled(Level level) { return level <= state.most_verbose; }

void log_line(Level level, const char* format, ...) {
  if (!log_enabled(level)) {
    return;
  }
  std::array<char, text_max + 2> raw;  // one byte more than text_max: one_line() cuts it then
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(raw.data(), raw.size(), format, arguments);
  va_end(arguments);
  if (length < 0) {
    return;
  }
  const size_t size = std::min(static_cast<size_t>(length), raw.size() - 1);
  emit(level, one_line({raw.data(), size}).view(), wall_us());
}

void log_sound_line(Level level, std::string_view text, uint64_t at_us) {
  if (log_enabled(level)) {
    emit(level, text, at_us);
  }
}

void log_last_word(const char* text) {
  if (state.target == LogTarget::syslog) {
    return syslog(LOG_ERR, "%s", text);
  }
  Text<line_max> line;
  line.add(state.journal ? "<3>" : "error ");
  line.add(text);
  line.add("\n");
  (void)!write(STDERR_FILENO, line.bytes.data(), line.size);
}

void log_flush() {
  if (waiting.size > 0) {
    write_waiting();
  }
  if (waiting.size > 0 || state.dropped == 0) {
    return;
  }
  if (append(Level::info, {}, wall_us())) {
    write_waiting();
  }
}

bool log_pending() { return waiting.size > 0 || state.dropped > 0; }

uint64_t log_dropped() { return state.dropped_ever; }

}  // namespace distributex
