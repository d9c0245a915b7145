// SPDX-License-Identifier: MIT
// Two servers of src/http on one loop, behind the same doors: one reads every request
// by evhttp, the other takes brief ones past it. Clients of both must get the same answers,
// and both must report the same. There are no leases and no backend: the answer shows what
// the door has read.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace distributex::test {

class TwoWays {
 public:
  TwoWays();
  ~TwoWays();
  TwoWays(const TwoWays&) = delete;
  TwoWays& operator=(const TwoWays&) = delete;

  // All that a client gets that sends these pieces, one when the last one was dealt
  // with, and no more; then what was reported.
  struct Seen {
    std::string by_evhttp;
    std::string past_evhttp;
    size_t brief;  // of the requests; by evhttp none is
  };
  // leaves: the client closes instead of waiting for what comes.
  [[nodiscard]] Seen send(std::span<const std::string> pieces, bool leaves = false);

 private:
  struct Way;
  std::unique_ptr<Way> by_evhttp_;
  std::unique_ptr<Way> past_evhttp_;
};

// Whole requests as clients send them, and as they should not: each in one piece.
[[nodiscard]] std::vector<std::string> raw_requests();

}  // namespace distributex::test
