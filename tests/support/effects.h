// SPDX-License-Identifier: MIT
// The engine's effects one by one, each a value of its own.
#pragma once

#include <optional>
#include <utility>

#include "engine/engine.h"

namespace distributex::test {

inline std::optional<Effect> take_effect(Engine& engine) {
  Effect* first = engine.first();
  if (!first) {
    return std::nullopt;
  }
  std::optional<Effect> effect{std::move(*first)};
  engine.drop_first();
  return effect;
}

}  // namespace distributex::test
