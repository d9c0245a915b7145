// SPDX-License-Identifier: MIT
// A visitor of a std::variant, made of one lambda for each alternative.
#pragma once

namespace distributex {

template <typename... Each>
struct Overloaded : Each... {
  using Each::operator()...;
};
// clang 14 does not deduce an aggregate by itself.
template <typename... Each>
Overloaded(Each...) -> Overloaded<Each...>;

}  // namespace distributex
