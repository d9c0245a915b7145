// SPDX-License-Identifier: MIT
// All doors, and the way through them: which door a request is for, what that
// door makes of it, and later its answer in the form that the request asked for.
#pragma once

#include <span>

#include "doors/door.h"

namespace distributex {

// A path is for the first door that has it. The first door also answers what is
// for none.
using Doors = std::span<const Door* const>;
[[nodiscard]] Doors all_doors();

// The largest body that a door with a limit of its own takes.
[[nodiscard]] size_t largest_body(Doors doors);

struct Received {
  Mark mark;  // for write_answer
  Reading reading;
};
// Whether the path is for a door that answers each request by one reply.
[[nodiscard]] bool is_brief(Doors doors, std::string_view path);
[[nodiscard]] Received receive(Doors doors, const HttpRequest& request);
// Whether the answer opens a stream that lasts as long as its lock.
[[nodiscard]] bool is_stream(Doors doors, Mark mark, const Answer& answer);
[[nodiscard]] HttpReply write_answer(Doors doors, Mark mark, const Answer& answer);

}  // namespace distributex
