// SPDX-License-Identifier: MIT
// What a daemon may send over a connection, whatever it was sent: answers that
// can be told apart, of known statuses, with nothing raw in their headers.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <string_view>
#include <vector>

namespace distributex::fuzz {

struct HttpAnswer {
  int status = 0;
  std::string result{};  // Distributex-Result; "" when there is none
  uint64_t token = 0;
};

struct HttpAnswers {
  std::vector<HttpAnswer> whole{};
  std::string fault{};  // "" while all is right
};

// Reads all that has come so far; checks an incomplete answer as far as it goes.
[[nodiscard]] HttpAnswers read_answers(std::string_view bytes);

}  // namespace distributex::fuzz
