// SPDX-License-Identifier: MIT
// Streams of events as the bytes have it, on the engine and one of the worlds
// that the tests use: beside the oracle on the in-memory backend, under the eyes
// of a witness on a slow one that fails, or on one that stores later. One answer a ticket, no
// holder too many, nobody overtaken or forgotten: the worlds see to it.
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
