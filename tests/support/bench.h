// SPDX-License-Identifier: MIT
// A backend alone with an event loop, as the server would drive it: questions
// are asked and waited for, and all that the sink was told is kept.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "base/handle.h"

namespace distributex::test {

class BackendBench {
 public:
  // options: more lines of the configuration, such as memcachehost.
  explicit BackendBench(const std::string& backend, const std::string& options = "");

  // Each asks and waits for the verdict.
  Verdict get(const Owner& owner, uint32_t slots = 1, int length_s = 100);
  Verdict find(const Owner& owner, uint32_t slots = 1);
  Verdict release(const Owner& owner, std::optional<Token> token = {}, uint32_t slots = 1);
  Verdict renew(const Owner& owner, std::optional<Token> token = {}, int length_s = 0);

  Verdict freeze(const std::string& pool, std::optional<Duration> lasts = {});
  OpId ask_freeze(const std::string& pool, std::optional<Duration> lasts = {});
  Verdict thaw(const std::string& pool);
  Verdict evict(Token token, uint32_t slots = 1);
  // The one pool that there is from now on.
  void configure(const PoolSpec& pool) { backend_->configure({pool}); }
  Verdict release_with(const Owner& owner, Outcome outcome, uint8_t status);
  // What has happened since it was asked last: "frozen p bad release by ann; ...".
  [[nodiscard]] std::string news();

  // The same without waiting; length_s 0: never ends.
  OpId ask_get(const Owner& owner, uint32_t slots = 1, int length_s = 100, bool find_only = false);
  OpId ask_release(const Owner& owner, std::optional<Token> token = {}, uint32_t slots = 1);
  // Gives back a lease that its client has not heard of.
  OpId ask_give_back(const Owner& owner, Token token);
  OpId ask_renew(const Owner& owner, std::optional<Token> token = {}, int length_s = 0);

  // Drives the loop until it is so; false after patience.
  [[nodiscard]] bool until(const std::function<bool()>& so);
  [[nodiscard]] Verdict verdict_of(OpId op);
  // The holders' hosts after a survey, by token, with a space between.
  [[nodiscard]] std::string holders();

  [[nodiscard]] Backend& backend() { return *backend_; }
  [[nodiscard]] const std::vector<OpId>& order() const { return order_; }
  [[nodiscard]] const std::vector<Lease>& expired() const { return expired_; }
  [[nodiscard]] size_t changes() const { return changes_; }
  // Why it cannot be opened; empty when it is.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  // How far the backend has come with storing, and why it did not.
  [[nodiscard]] uint64_t stored() const { return stored_; }
  [[nodiscard]] const std::vector<std::string>& unstored() const { return unstored_; }
  void use_pool(std::string pool) { pool_ = std::move(pool); }

  static std::string name_of(const Verdict& verdict);  // "granted"

 private:
  void arm();

  EventBase base_;
  Event timer_;
  std::unique_ptr<Backend> backend_;
  std::string pool_ = "p";
  OpId last_op_ = 0;
  std::map<OpId, Verdict> verdicts_;
  std::vector<OpId> order_;  // in which they were decided
  std::vector<Lease> expired_;
  size_t changes_ = 0;
  std::vector<Happening> happened_;
  std::string refusal_;
  uint64_t stored_ = 0;
  std::vector<std::string> unstored_;
};

}  // namespace distributex::test
