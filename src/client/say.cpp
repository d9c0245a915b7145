// SPDX-License-Identifier: MIT
//
// Lines on stderr. A line that cannot be written is dropped: if nobody reads stderr, the client
// must still renew and give back its lock. complain() and tell() do not allocate.
#include "client/say.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "client/ending.h"

namespace distributex::client {

namespace {

Loudness current = Loudness::normal;

[[gnu::format(printf, 1, 0)]] void write_line(const char* format, va_list arguments) {
  constexpr std::string_view prefix = "distributex: ";
  std::array<char, 1024> line{};
  std::copy(prefix.begin(), prefix.end(), line.begin());
  const std::size_t room = line.size() - prefix.size() - 1;
  const int wanted = vsnprintf(line.data() + prefix.size(), room, format, arguments);
  const std::size_t length =
      prefix.size() + std::min(static_cast<std::size_t>(std::max(wanted, 0)), room - 1);
  line[length] = '\n';
  const ssize_t ignored = write(STDERR_FILENO, line.data(), length + 1);
  (void)ignored;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  unsigned char before = 0;
  for (const char c : text.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_c1 =
        before == 0xc2 && byte < 0xa0;  // U+0080 to U+009F, control characters in UTF-8
    safe += byte < 0x20 || byte == 0x7f || is_c1 ? '?' : c;
    before = byte;
  }
  return safe;
}

void set_loudness(Loudness loudness) { current = loudness; }

void complain(const char* format, ...) {
  if (current == Loudness::quiet) {
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  write_line(format, arguments);
  va_end(arguments);
}

void tell(const char* format, ...) {
  if (current != Loudness::verbose) {
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  write_line(format, arguments);
  va_end(arguments);
}

void give_up(const char* call) noexcept {
  complain("%s: %s", call, strerrordesc_np(errno));
  _exit(exit_system);
}

void give_up_when_out_of_memory() {
  std::set_new_handler([] {
    errno = ENOMEM;
    give_up("memory");
  });
  json_set_alloc_funcs(
      [](std::size_t size) {
        void* memory = std::malloc(size);
        if (memory == nullptr && size > 0) {
          give_up("memory");
        }
        return memory;
      },
      std::free);
}

}  // namespace distributex::client
