// SPDX-License-Identifier: MIT
// Log lines: to stderr, or to syslog in the background. One line per event:
// subject, then key=value; what came from outside is escaped by the caller.
// Lines gather in memory and are written by log_flush(), warnings and errors
// at once; a stderr that nobody reads is not waited for. For the loop's thread
// only; SIGPIPE is ignored by the program.
#pragma once

#include <cstdint>
#include <string_view>

namespace distributex {

enum class Level { error, warning, info, debug };  // as important as they stand

enum class LogTarget { stderr_plain, syslog };

// May be called again, to change either. Before the first call: stderr, info.
// Under systemd (stderr is the journal) a line starts with its priority as
// "<6>", else with the time, UTC to the millisecond, and its level.
void log_open(LogTarget target, Level most_verbose);
[[nodiscard]] bool log_enabled(Level level);

// One line, without a newline at its end; control bytes in it become \xHH and
// what is longer than 1 KiB ends in "...".
[[gnu::format(printf, 2, 3)]] void log_line(Level level, const char* format, ...);

// The same for a text that is sound already, printable ASCII of up to 4 KiB, of an event
// at this wall clock time (microseconds since 1970).
void log_sound_line(Level level, std::string_view text, uint64_t at_us);

// For a process that ends here and now: past what has gathered, from any
// thread, and without memory or the time.
void log_last_word(const char* text);

// Writes what has gathered. The server calls it once a pass of its loop; so
// must whoever forks or leaves. What cannot be written waits, up to 64 KiB;
// lines beyond that are dropped, counted, and reported when writing works
// again as "log: dropped=N". Something stays pending while the descriptor
// refuses: try again with the next pass, not at once.
void log_flush();
[[nodiscard]] bool log_pending();
// Lines dropped since the start.
[[nodiscard]] uint64_t log_dropped();

}  // namespace distributex
