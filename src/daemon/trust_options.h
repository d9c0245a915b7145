// SPDX-License-Identifier: MIT
// The rows of the options about encryption, proofs and rights.
#pragma once

#include "config/option.h"

namespace distributex {

[[nodiscard]] OptionRows trust_rows();

}  // namespace distributex
