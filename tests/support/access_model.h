// SPDX-License-Identifier: MIT
// A second, slow reading of the access rules, for tests and the fuzzer: it lists
// every grant that the rules make to a client, one for each rule, `who` and way
// to speak for a host, and then looks for one that fits. Patterns are matched by
// trying every length of every star. Shares no function with engine/access.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/access.h"

namespace distributex::test {

[[nodiscard]] bool model_matches(std::string_view pattern, std::string_view text);

// A client as the model sees it; `identity` shows the same to the rules.
struct ModelClient {
  std::vector<uint8_t> address{};  // 4 bytes; empty: by a unix socket
  uint32_t uid = 0;                // of a unix socket
  bool certified = false;
  std::vector<std::string> names{};
  std::string uri{};
  std::string secret{};
  std::vector<std::string> secret_hosts{};

  [[nodiscard]] Identity identity() const;
};

[[nodiscard]] bool model_allows_lock(std::span<const AccessRule> rules, const ModelClient& client,
                                     std::string_view pool, std::string_view host);
[[nodiscard]] bool model_allows(std::span<const AccessRule> rules, const ModelClient& client,
                                May may, std::string_view pool);

// Reads rules, clients and questions from bytes, so that any bytes make some.
class ModelChoices {
 public:
  explicit ModelChoices(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool done() const { return at_ >= bytes_.size(); }
  [[nodiscard]] unsigned choose(unsigned below);
  [[nodiscard]] std::vector<AccessRule> rules();
  [[nodiscard]] ModelClient client();
  [[nodiscard]] std::string pool();
  [[nodiscard]] std::string host();

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace distributex::test
