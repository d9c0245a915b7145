// SPDX-License-Identifier: MIT
// The bytes choose a stream of events for the engine in one of the worlds of the tests: beside
// the oracle on the in-memory backend, with a witness on a slow backend that fails, or on a
// backend that stores later. The worlds check that each ticket has one answer, that there is no
// holder too many, and that no waiter is overtaken or forgotten.
#include <memory>
#include <optional>
#include <string>

#include "fuzz.h"
#include "support/model_world.h"
#include "support/slow_world.h"
#include "support/stored_world.h"

using namespace distributex;
using namespace distributex::test;

namespace {

constexpr int most_steps = 4000;

std::optional<std::string> play(std::string_view bytes) {
  const auto world = fuzz::take_number(1, bytes) % 4;
  if (world == 2) {
    return std::make_unique<StoredWorld>(Choices(bytes))->run(most_steps);
  }
  if (world % 2 != 0) {
    return std::make_unique<SlowWorld>(Choices(bytes))->run(most_steps);
  }
  return std::make_unique<ModelWorld>(Choices(bytes))->run(most_steps);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto wrong = play(fuzz::text_of(data, size));
  fuzz::must(!wrong, wrong ? wrong->c_str() : "");
  return 0;
}
