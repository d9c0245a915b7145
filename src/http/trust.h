// SPDX-License-Identifier: MIT
// What the secrets of requests prove, and how often a proof was no good.
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
  // Whether requests are judged at all; secrets that may come over plain TCP from
  // other machines; and the secrets. Identities made before lose what they view.
  void configure(bool judging, bool in_clear, Secrets secrets);
  [[nodiscard]] bool judging() const { return judging_; }

  // What is wrong with a request's Authorization headers: a word for the counter and
  // a sentence for the client. Nothing wrong: the digest of its secret, if it has one.
  struct Verdict {
    const char* reason = nullptr;
    std::string sentence{};
    std::optional<Digest> secret{};
  };
  [[nodiscard]] Verdict judge(std::span<const std::string_view> headers, const Identity& identity,
                              std::time_t now) const;
  // Adds what the secret of an earlier verdict proves now.
  void add(const Digest& secret, std::time_t now, Identity& identity) const;

  // Counts a proof that was no good; a line of the log a second at most, for
  // guessing must not fill a disk.
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
