// SPDX-License-Identifier: MIT
// All doors. receive() finds the door of a request and lets the door read it;
// write_answer() lets the same door write the answer, in the form that the request asked
// for.
#pragma once

#include <span>

#include "doors/door.h"

namespace distributex {

// A request is for the first door that has its path. If no door has the path, the first
// door answers.
using Doors = std::span<const Door* const>;
[[nodiscard]] Doors all_doors();

// The largest body_limit of the doors, in bytes.
[[nodiscard]] size_t largest_body(Doors doors);

struct Received {
  Mark mark;  // for write_answer
  Reading reading;
};
// Whether the path is for a door that answers each request with one reply.
[[nodiscard]] bool is_brief(Doors doors, std::string_view path);
[[nodiscard]] Received receive(Doors doors, const HttpRequest& request);
// Whether the answer opens a stream that lasts as long as its lock.
[[nodiscard]] bool is_stream(Doors doors, Mark mark, const Answer& answer);
[[nodiscard]] HttpReply write_answer(Doors doors, Mark mark, const Answer& answer);

}  // namespace distributex
