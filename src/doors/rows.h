// SPDX-License-Identifier: MIT
// The rows of all doors. Each is defined in the folder of its door.
#pragma once

#include "doors/door.h"

namespace distributex {

extern const Door plain_door;
extern const Door admin_door;
extern const Door pages_door;
extern const Door fleetlock_door;
extern const Door hold_door;
extern const Door terraform_door;

}  // namespace distributex
