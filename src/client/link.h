// SPDX-License-Identifier: MIT
//
// Connects the two processes of a running client, the front and the keeper: notes of fixed size
// over a socket pair, and a page of shared memory. If the link closes, the other process has died.
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
    resume,   // to the keeper: the front was continued; continue the command
    stopped,  // to the front: this signal stopped the command; stop as well
  };
  Kind kind = Kind::signal;
  int signal = 0;
};

// The keeper writes it, the front reads it at any time. These are not notes, for notes would queue
// up while the front is stopped.
struct Shared {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  // Nanoseconds since boot at which the front ends everything. Each renewal moves it.
  std::atomic<std::int64_t> guard = never;
  std::atomic<std::int32_t> group = 0;      // the command's process group
  std::atomic<std::int32_t> killed_by = 0;  // the signal that ended the command; 0: none
  std::atomic<bool> has_terminal = false;   // the command was given the terminal
  std::atomic<bool> is_over = false;        // the keeper ends in order; the run has its exit code
};

struct UnmapShared {
  void operator()(Shared* shared) const noexcept;
};
[[nodiscard]] std::unique_ptr<Shared, UnmapShared> make_shared_page();

class Link {
 public:
  // Connects the two ends; exec closes both.
  static void make_pair(Link& one, Link& other);

  [[nodiscard]] int fd() const { return fd_.get(); }
  void close_end() noexcept;
  // Drops the note if it cannot be sent: the other process has died, or is stopped and its buffer
  // is full.
  void send(const Note& note) noexcept;
  // Returns nullopt if there is no note now, or, if is_open() is false, never again.
  [[nodiscard]] std::optional<Note> receive() noexcept;
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  Fd fd_;
  bool is_open_ = false;
};

}  // namespace distributex::client
