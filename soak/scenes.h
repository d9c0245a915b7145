// SPDX-License-Identifier: MIT
// What clients do. A scene lasts half a minute at most, whatever the server
// does, and reports the faults that it finds.
#pragma once

#include <span>

#include "cast.h"

namespace distributex::soak {

struct SceneRow {
  const char* name;
  unsigned weight;
  void (*play)(Actor&);
};

[[nodiscard]] std::span<const SceneRow> scene_rows();

// Locks taken and given back (scenes_lock.cpp).
void get_and_release(Actor& actor);
void wait_and_release(Actor& actor);
void keep_by_renewing(Actor& actor);
void forget(Actor& actor);
void ask_twice_as_one(Actor& actor);
void stand_in_line(Actor& actor);

// Clients that go (scenes_leave.cpp).
void leave_while_waiting(Actor& actor);
void leave_half_a_request(Actor& actor);
void stay_idle(Actor& actor);
void flood_while_waiting(Actor& actor);

// Bytes (scenes_bytes.cpp).
void pipeline(Actor& actor);
void send_garbage(Actor& actor);
void send_mistakes(Actor& actor);

// Readers (scenes_look.cpp).
void look_around(Actor& actor);
void follow_events(Actor& actor);
void follow_and_not_read(Actor& actor);

// Other doors (scenes_doors.cpp).
void hold_by_connection(Actor& actor);
void reboot_a_node(Actor& actor);
void apply_a_plan(Actor& actor);

// Operators, and pools by pattern (scenes_orders.cpp).
void freeze_and_thaw(Actor& actor);
void evict_a_holder(Actor& actor);
void make_and_forget(Actor& actor);

// The real client (scenes_program.cpp).
void run_program(Actor& actor);

}  // namespace distributex::soak
