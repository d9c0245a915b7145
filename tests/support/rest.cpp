// SPDX-License-Identifier: MIT
// Asks the daemon as any client would, and /proc for its descriptors.
#include "support/rest.h"

#include "support/http.h"
#include "support/status.h"

namespace distributex::test {
namespace {

std::string take_and_give_back_all(uint16_t port, const std::string& pool, size_t slots) {
  const auto ask = [&](const char* verb, size_t who) {
    return fetch(port, verb + ("?pool=" + pool + "&host=rest" + std::to_string(who)))
        .header("Distributex-Result");
  };
  for (size_t i = 0; i < slots; i++) {
    if (const std::string result = ask("/get", i); result != "granted") {
      return "slot " + std::to_string(i) + " of " + pool + ": " + result;
    }
  }
  if (const std::string result = ask("/get", slots); result != "busy") {
    return "one slot too many of " + pool + ": " + result;
  }
  for (size_t i = 0; i < slots; i++) {
    if (const std::string result = ask("/release", i); result != "released") {
      return "giving back slot " + std::to_string(i) + " of " + pool + ": " + result;
    }
  }
  return "";
}

}  // namespace

std::string unrest(const Daemon& daemon, const std::string& pool, size_t slots, long open_files) {
  const uint16_t port = daemon.port();
  if (!eventually([&] { return word(port, "/livez") == "ok\n"; })) {
    return "/livez does not answer";
  }
  if (!eventually([&] { return fetch(port, "/readyz").status == 200; })) {
    return "it is not ready";
  }
  if (!wait_for_waiting(port, pool, 0)) {
    return "somebody waits: " + waiters_of(port, pool);
  }
  if (!wait_for_holders(port, pool, 0)) {
    return "somebody holds: " + holders_of(port, pool);
  }
  if (std::string wrong = take_and_give_back_all(port, pool, slots); !wrong.empty()) {
    return wrong;
  }
  if (!eventually([&] { return daemon.open_files() <= open_files; })) {
    return std::to_string(daemon.open_files()) + " descriptors are open, not " +
           std::to_string(open_files);
  }
  return "";
}

}  // namespace distributex::test
