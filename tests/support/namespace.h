// SPDX-License-Identifier: MIT
// A view of the machine that a test program and its children have for
// themselves: mounts, or a network, that nobody else sees and that end with them.
#pragma once

#include <string>

namespace distributex::test {

// Kinds are CLONE_NEWNS and CLONE_NEWNET of sched.h; for the whole program, so
// to be called before it has threads. Mounts made afterwards stay here; of a
// network there is a loopback device and nothing else. "" when it worked, else why not: in
// containers it is often forbidden.
[[nodiscard]] std::string enter_namespaces(int kinds);

}  // namespace distributex::test
