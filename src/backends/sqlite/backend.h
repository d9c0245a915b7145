// SPDX-License-Identifier: MIT
// Leases in memory, in the table that inmemory uses, with a copy on disk. The
// table decides at once; each verdict names the batch that stores its change, and
// the engine tells the client when that batch is stored. Batches go to the writer
// at the end of each pass of the loop, so that a release and the grant that
// follows it are one commit. While the disk refuses, this backend grants nothing,
// undoes nothing, and keeps its changes queued.
// Invariant: if a client was told of a lease, the disk has the lease, and not with
// an earlier end.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/lease_table.h"
#include "backends/sqlite/books.h"
#include "backends/sqlite/figures.h"
#include "backends/sqlite/opening.h"
#include "backends/sqlite/rulings.h"
#include "backends/sqlite/writer.h"
#include "base/handle.h"

namespace distributex {

class SqliteBackend final : public Backend {
 public:
  explicit SqliteBackend(const BackendSetup& setup);

  [[nodiscard]] std::optional<BackendRefusal> begin() override;
  void acquire(const Acquire& question, Time now) override {
    sink_.decided(question.op, decide(question, now));
  }
  void release(const Release& question, Time now) override {
    sink_.decided(question.op, decide(question, now));
  }
  void renew(const Renew& question, Time now) override {
    sink_.decided(question.op, decide(question, now));
  }
  void order(const Order& order, Time now) override { sink_.decided(order.op, decide(order, now)); }
  [[nodiscard]] const Freeze* frozen(std::string_view pool) const override {
    return rulings_.rulings().find(pool);
  }
  [[nodiscard]] std::vector<Freeze> freezes() const override { return rulings_.rulings().all(); }
  void configure(const std::vector<PoolSpec>& pools) override { rulings_.configure(pools); }
  void forget(const std::string& pool) override;
  [[nodiscard]] std::optional<Time> deadline() const override {
    return earlier(table_.first_end(), rulings_.rulings().first_end());
  }
  void tick(Time now) override;
  [[nodiscard]] std::optional<std::string> trouble() const override;
  [[nodiscard]] std::optional<Time> survives_since() const override { return opened_at_; }
  void add_figures(std::vector<Figure>& all, Time now) const override {
    figures_.add_to(all, now - books_.waits_since().value_or(now));
  }
  void survey(std::function<void()> ready, Time now) override;
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const override;
  [[nodiscard]] size_t held(std::string_view pool) const override { return table_.held(pool); }
  [[nodiscard]] std::vector<std::string> used_pools() const override { return table_.used(); }
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const override {
    return table_.rests(pool, most);
  }
  [[nodiscard]] size_t resting(std::string_view pool) const override {
    return table_.resting(pool);
  }

 private:
  struct Surveyor {
    uint64_t number = 0;  // the batch that it waits for
    std::function<void()> ready;
  };

  static void on_hand_over(int, short, void* self) noexcept;
  static void on_late(int, short, void* self) noexcept;
  static void on_news(int, short, void* self) noexcept;

  Verdict decide(const Acquire& question, Time now);
  Verdict decide(const Release& question, Time now);
  Verdict decide(const Renew& question, Time now);
  Verdict decide(const Order& order, Time now);
  Verdict evict(const Order& order, Time now);
  Verdict grant(LeasePool& pool, const Acquire& question, Time now);
  LeasePool& open(const std::string& pool, Time now);
  bool drop(const std::string& pool);
  [[nodiscard]] Verdict failed() const;
  [[nodiscard]] Verdict found(const HeldLease& held) const;
  [[nodiscard]] Verdict without(Verdict::Kind kind, const LeasePool& pool) const;
  [[nodiscard]] uint64_t not_before(uint64_t batch) const;
  void expired(LeasePool& pool, const HeldLease& held);
  void hand_over_soon();
  void hand_over();
  void take_news();
  void note(const BatchesStored& stored);
  void note(const StoreRefused& refused);
  void note(const StoreSized& sized);
  void note(const StoreRemark& remark);
  void watch_disk(Time now);
  [[nodiscard]] std::optional<Time> late_at() const;
  [[nodiscard]] std::string silence(Time now) const;
  void begin_trouble(StoreTrouble trouble, Time now);
  void end_trouble(Time now);
  void answer_surveys();
  void say_opened(const OpenedStore& opened) const;

  BackendSink sink_;
  std::string path_;
  std::chrono::milliseconds timeout_;
  Token last_token_ = 0;
  Time now_{};  // the time of the question or tick under way
  LeaseTable table_;
  StoreBooks books_;
  StoreRulings rulings_;
  std::set<std::string> forgotten_;  // pools to drop once their last change is stored
  StoreFigures figures_;
  std::optional<Time> opened_at_;
  std::optional<StoreTrouble> trouble_;
  Time trouble_since_{};
  Time goes_on_since_{};
  std::vector<Surveyor> surveyors_;
  StoreWriter writer_;
  Event hand_over_;
  Event late_;
  Event news_;
};

}  // namespace distributex
