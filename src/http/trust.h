// SPDX-License-Identifier: MIT
// Checks the secrets of requests, and counts the proofs that were refused.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/secrets.h"
#include "lock/identity.h"

namespace distributex {

class Trust {
 public:
  // judging: whether requests are judged at all. in_clear: whether a secret may come over
  // plain TCP from another machine. Views in earlier identities become invalid.
  void configure(bool judging, bool in_clear, Secrets secrets);
  [[nodiscard]] bool judging() const { return judging_; }

  // On failure: a word for the counter and a sentence for the client. Else the digest of
  // the secret; nullopt: the request has none.
  struct Verdict {
    const char* reason = nullptr;
    std::string sentence{};
    std::optional<Digest> secret{};
  };
  [[nodiscard]] Verdict judge(std::span<const std::string_view> headers, const Identity& identity,
                              std::time_t now) const;
  // Adds to the identity what the secret of an earlier verdict proves now.
  void add(const Digest& secret, std::time_t now, Identity& identity) const;

  // Counts a proof that was refused. Logs at most one line a second: a client that guesses
  // secrets must not fill the disk.
  void count_failure(std::string_view reason, std::string_view peer, Time now);
  using Failures = std::map<std::string, uint64_t, std::less<>>;
  [[nodiscard]] const Failures& failures() const { return failures_; }

 private:
  bool judging_ = false;
  bool in_clear_ = false;
  Secrets secrets_;
  Failures failures_;
  Time logged_at_{};
};

}  // namespace distributex
