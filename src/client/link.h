// SPDX-License-Identifier: MIT
//
// What lies between the two processes of a running client: notes of fixed size over a socket pair,
// and a page both can see. That the other end has gone is news as well: each of the two ends the
// command when the other dies.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

namespace distributex::client {

struct Note {
  enum class Kind {
    signal,   // to the keeper: pass this signal to the command
    resume,   // to the keeper: we were continued, let the command go on
    stopped,  // to the front: the command was stopped by this signal, stop as well
  };
  Kind kind = Kind::signal;
  int signal = 0;
};

// Written by the keeper, read by the front at any time: notes would queue up while the front is
// stopped.
struct Shared {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> guard =
      never;  // unless this has moved, everything must be dead then (since boot, ns)
  std::atomic<std::int32_t> group = 0;     // the command's process group
  std::atomic<bool> has_terminal = false;  // it was handed the terminal
};

struct UnmapShared {
  void operator()(Shared* shared) const noexcept;
};
[[nodiscard]] std::unique_ptr<Shared, UnmapShared> make_shared_page();

class Link {
 public:
  // Two ends; none is inherited across exec.
  static void make_pair(Link& one, Link& other);

  Link() = default;
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void close_end() noexcept;
  // A note that cannot be sent is dropped: the other end has gone, or does not read any more.
  void send(const Note& note) noexcept;
  // Nothing: no note now, or none ever again, see is_open.
  [[nodiscard]] std::optional<Note> receive() noexcept;
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  int fd_ = -1;
  bool is_open_ = false;
};

}  // namespace distributex::client
