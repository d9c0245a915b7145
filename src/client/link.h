// SPDX-License-Identifier: MIT
//
// What connects the two processes of a running client, the front and the keeper: notes of fixed
// size over a socket pair, and a page of shared memory. A link that closes tells that the other
// process has died.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "base/handle.h"

namespace distributex::client {

struct Note {
  enum class Kind {
    signal,   // to the keeper: pass this signal to the command
    resume,   // to the keeper: the front was continued, continue the command
    stopped,  // to the front: the command was stopped by this signal, stop as well
  };
  Kind kind = Kind::signal;
  int signal = 0;
};

// Written by the keeper, read by the front at any time. Notes would not do: they would queue up
// while the front is stopped.
struct Shared {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  // Nanoseconds since boot; when they have passed, the front ends everything. A renewal moves it.
  std::atomic<std::int64_t> guard = never;
  std::atomic<std::int32_t> group = 0;      // the command's process group
  std::atomic<std::int32_t> killed_by = 0;  // the signal that ended the command; 0: none
  std::atomic<bool> has_terminal = false;   // the command was handed the terminal
  std::atomic<bool> is_over = false;        // the keeper ends in order: its exit code is the run's
};

struct UnmapShared {
  void operator()(Shared* shared) const noexcept;
};
[[nodiscard]] std::unique_ptr<Shared, UnmapShared> make_shared_page();

class Link {
 public:
  // Two ends; none is inherited across exec.
  static void make_pair(Link& one, Link& other);

  [[nodiscard]] int fd() const { return fd_.get(); }
  void close_end() noexcept;
  // A note that cannot be sent is dropped: the other process has died, or is stopped and has its
  // buffer full.
  void send(const Note& note) noexcept;
  // Nullopt: there is no note now, or never again, see is_open.
  [[nodiscard]] std::optional<Note> receive() noexcept;
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  Fd fd_;
  bool is_open_ = false;
};

}  // namespace distributex::client
