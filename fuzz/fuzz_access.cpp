// SPDX-License-Identifier: MIT
// The access rules beside the model of tests/support: the bytes choose rules, a client and
// questions; both must give the same answer, and who may lock must be allowed to look.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "support/access_model.h"

using namespace distributex;
using namespace distributex::test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ModelChoices choices({reinterpret_cast<const char*>(data), size});
  const auto rules = choices.rules();
  const ModelClient client = choices.client();
  const Access access(rules, true);
  for (int i = 0; i < 4; ++i) {
    const std::string pool = choices.pool();
    const std::string host = choices.host();
    const May may = static_cast<May>(choices.choose(3));
    const bool locks = !access.refuses_lock(client.identity(), pool, host);
    if (locks != model_allows_lock(rules, client, pool, host) ||
        access.allows(client.identity(), may, pool) != model_allows(rules, client, may, pool) ||
        (locks && !access.allows(client.identity(), May::look, pool))) {
      std::abort();
    }
  }
  return 0;
}
