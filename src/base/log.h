// SPDX-License-Identifier: MIT
// Log lines: to stderr, or to syslog in the background. One line per event: subject, then
// key=value; the caller escapes texts from outside. Lines gather in memory until
// log_flush() writes them; warnings and errors are written at once. If nobody reads stderr,
// the log does not wait. For the thread of the loop only. The program ignores SIGPIPE.
#pragma once

#include <cstdint>
#include <string_view>

namespace distributex {

enum class Level { error, warning, info, debug };  // the most important first

enum class LogTarget { stderr_plain, syslog };

// May be called again, to change the target or the level. Before the first call: stderr,
// info. If stderr is systemd's journal, a line starts with its priority as "<6>", else with
// the time, UTC to the millisecond, and its level.
void log_open(LogTarget target, Level most_verbose);
[[nodiscard]] bool log_enabled(Level level);

// Logs one line; the format has no newline at its end. Control bytes become \xHH. A line of
// more than 1 KiB is cut and ends in "...".
[[gnu::format(printf, 2, 3)]] void log_line(Level level, const char* format, ...);

// Logs a text as it is, for an event at this wall clock time (microseconds since 1970). The
// text must be printable ASCII of up to 4 KiB.
void log_sound_line(Level level, std::string_view text, uint64_t at_us);

// For a process that is about to end: writes the line at once, before gathered lines. May be
// called in any thread; allocates no memory and writes no time.
void log_last_word(const char* text);

// Writes the gathered lines. The server calls it once in each pass of its loop; a process
// must also call it before it forks or exits. Lines that cannot be written are kept, up to
// 64 KiB. Further lines are dropped and counted; when writing works again, the log has
// "log: dropped=N". If lines are still pending after the call, call again in the next pass
// of the loop, not at once.
void log_flush();
[[nodiscard]] bool log_pending();
// The number of lines dropped since the start.
[[nodiscard]] uint64_t log_dropped();

}  // namespace distributex
