// SPDX-License-Identifier: MIT
// Leases in memory, by the table that inmemory uses, with a copy on disk. The
// table decides at once; what tells of a change says with which batch it is
// stored, and whoever hears of it must wait for that. Batches are handed over
// at the end of each pass of the loop, so that a release and the grant that
// follows it are one commit. While the disk refuses, nothing new is promised,
// nothing is undone, and what has changed stays queued.
// Invariant: the disk knows each lease that somebody was told of, and no
// earlier end for it.
#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "backends/lease_table.h"
#include "backends/makers.h"
#include "backends/sqlite/books.h"
#include "backends/sqlite/figures.h"
#include "backends/sqlite/opening.h"
#include "backends/sqlite/options.h"
#include "backends/sqlite/rulings.h"
#include "backends/sqlite/writer.h"
#include "base/clock.h"
#include "base/handle.h"
#include "base/log.h"
#include "config/config.h"

namespace distributex {

namespace {

// The working directory may change after the start.
std::string absolute(const std::string& path) {
  std::error_code error;
  const std::string whole = std::filesystem::absolute(path, error).string();
  return error ? path : whole;
}

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
  void configure(const std::vector<PoolSpec>& pools) override;
  void forget(const std::string& pool) override { forgotten_.push_back(pool); }
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
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const override {
    return table_.rests(pool, most);
  }
  [[nodiscard]] size_t resting(std::string_view pool) const override {
    return table_.resting(pool);
  }

 private:
  struct Surveyor {
    uint64_t number = 0;  // of the batch that it waits for
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
  Time now_{};  // of the question or tick that is at work
  LeaseTable table_;
  StoreBooks books_;
  StoreRulings rulings_;
  std::vector<std::string> pools_;
  std::vector<std::string> forgotten_;  // once all that was changed there is stored
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

SqliteBackend::SqliteBackend(const BackendSetup& setup)
    : sink_(setup.sink),
      path_(absolute(setup.config.read<SqliteOptions>().file)),
      timeout_(setup.config.read<SqliteOptions>().timeout),
      table_([this](LeasePool& pool, const HeldLease& held) { expired(pool, held); },
             [this](LeasePool& pool, Token token) { rulings_.rest_is_over(pool, token, now_); }),
      rulings_(table_, books_, sink_, [this] { hand_over_soon(); }),
      hand_over_(event_new(setup.base, -1, 0, on_hand_over, this)),
      late_(evtimer_new(setup.base, on_late, this)),
      news_(event_new(setup.base, writer_.wake_fd(), EV_READ | EV_PERSIST, on_news, this)) {
  event_add(news_.get(), nullptr);
}

std::optional<BackendRefusal> SqliteBackend::begin() {
  OpenedStore opened;
  if (auto refusal = open_store(path_, writer_, table_, books_, rulings_, opened)) {
    return refusal;
  }
  last_token_ = opened.top;
  opened_at_ = steady_now();
  say_opened(opened);
  if (opened.trouble) {
    begin_trouble(*std::move(opened.trouble), steady_now());
  }
  return std::nullopt;
}

void SqliteBackend::say_opened(const OpenedStore& opened) const {
  const char* boot = opened.is_new ? "none" : opened.same_boot ? "same" : "other";
  log_line(Level::info, "store opened leases=%zu boot=%s gone=%.3f file=%s", opened.leases, boot,
           std::chrono::duration<double>(opened.gone).count(), path_.c_str());
}

// --- questions ---

uint64_t SqliteBackend::not_before(uint64_t batch) const {
  return batch > books_.stored() ? batch : 0;
}

Verdict SqliteBackend::failed() const {
  Verdict verdict = LeaseTable::without(Verdict::Kind::failed);
  verdict.reason = trouble_->what;
  return verdict;
}

// What is not stored while the disk refuses is no promise.
Verdict SqliteBackend::found(const HeldLease& held) const {
  const uint64_t stored = not_before(held.stored);
  if (trouble_ && stored != 0) {
    return failed();
  }
  Verdict verdict = LeaseTable::found(Verdict::Kind::held, held);
  verdict.stored = stored;
  return verdict;
}

Verdict SqliteBackend::without(Verdict::Kind kind, const LeasePool& pool) const {
  Verdict verdict = LeaseTable::without(kind);
  verdict.stored = not_before(pool.stored);
  return verdict;
}

Verdict SqliteBackend::decide(const Acquire& question, Time now) {
  now_ = now;
  LeasePool& pool = table_.open(question.pool, now);
  if (const HeldLease* held = LeaseTable::find(pool, question.owner, std::nullopt)) {
    return found(*held);
  }
  if (trouble_) {
    return failed();
  }
  rulings_.end_due(now);
  if (const Freeze* freeze = rulings_.rulings().find(question.pool)) {
    return LeaseTable::full(*freeze);
  }
  if (question.find_only || pool.taken() >= question.slots) {
    return LeaseTable::full(pool);
  }
  return grant(pool, question, now);
}

// A token follows the wall clock, so that a store, or a machine, that is put
// back to an earlier state gives none for the second time.
Verdict SqliteBackend::grant(LeasePool& pool, const Acquire& question, Time now) {
  const uint64_t wall = wall_us();
  last_token_ = std::max(last_token_ + 1, std::min(wall, max_token / 2));
  HeldLease& held = table_.grant(pool, question, last_token_, now);
  books_.granted(pool, held, static_cast<int64_t>(wall), now);
  hand_over_soon();
  Verdict verdict = LeaseTable::granted(pool, held, question.slots, now);
  verdict.stored = books_.gathering();
  return verdict;
}

Verdict SqliteBackend::decide(const Release& question, Time now) {
  now_ = now;
  LeasePool& pool = table_.open(question.pool, now);
  if (trouble_ && !question.undelivered) {
    return failed();
  }
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return without(Verdict::Kind::not_held, pool);
  }
  const Lease lease = held->lease();
  books_.ended(pool, *held, now);
  hand_over_soon();
  Verdict verdict = table_.release(pool, *held);
  if (!question.undelivered) {
    rulings_.released(pool, lease, question, now);
  }
  verdict.stored = books_.gathering();
  return verdict;
}

Verdict SqliteBackend::decide(const Renew& question, Time now) {
  now_ = now;
  LeasePool& pool = table_.open(question.pool, now);
  if (trouble_) {
    return failed();
  }
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return without(Verdict::Kind::lost, pool);
  }
  const auto length = held->length;
  const auto ends = held->ends;
  table_.renew(pool, *held, question.length, now);
  books_.renewed(pool, *held, length, ends, now);
  hand_over_soon();
  Verdict verdict = LeaseTable::found(Verdict::Kind::renewed, *held);
  verdict.stored = books_.gathering();
  return verdict;
}

Verdict SqliteBackend::decide(const Order& order, Time now) {
  now_ = now;
  if (trouble_) {
    return failed();
  }
  switch (order.kind) {
    case Order::Kind::freeze:
      return rulings_.freeze(order, now);
    case Order::Kind::thaw:
      return rulings_.thaw(order, now);
    case Order::Kind::evict:
      return evict(order, now);
  }
  return {};
}

Verdict SqliteBackend::evict(const Order& order, Time now) {
  LeasePool& pool = table_.open(order.pool, now);
  HeldLease* held = LeaseTable::find(pool, order.token);
  if (!held) {
    return without(Verdict::Kind::not_held, pool);
  }
  const Happening happening = LeaseTable::evicted(pool, *held, order, now);
  books_.ended(pool, *held, now);
  hand_over_soon();
  const Lease lease = held->lease();
  (void)table_.release(pool, *held);
  sink_.happened(happening, books_.gathering());
  rulings_.cut(pool, lease, now, "evicted", now);
  Verdict verdict = LeaseTable::without(Verdict::Kind::done);
  verdict.owner = happening.owner;
  verdict.stored = books_.gathering();
  return verdict;
}

void SqliteBackend::expired(LeasePool& pool, const HeldLease& held) {
  books_.ended(pool, held, now_);
  hand_over_soon();
  const Lease lease = held.lease();
  sink_.expired(pool.name, lease, books_.gathering());
  rulings_.cut(pool, lease, *lease.ends, "its lock ended by time", now_);
}

// --- time ---

void SqliteBackend::configure(const std::vector<PoolSpec>& pools) {
  rulings_.configure(pools);
  pools_.clear();
  for (const PoolSpec& pool : pools) {
    pools_.push_back(pool.name);
  }
}

void SqliteBackend::tick(Time now) {
  now_ = now;
  rulings_.end_due(now);
  while (LeasePool* pool = table_.due(now)) {
    table_.end_due(*pool, now);
    sink_.changed(pool->name);
  }
}

// One timer for the oldest change, while there is one that is not stored.
void SqliteBackend::watch_disk(Time now) {
  const auto late = late_at();
  if (!late) {
    evtimer_del(late_.get());
    return;
  }
  const auto us = std::chrono::ceil<std::chrono::microseconds>(std::max(*late - now, Duration{}));
  const timeval delay{us.count() / 1'000'000, us.count() % 1'000'000};
  evtimer_add(late_.get(), &delay);
}

void SqliteBackend::on_late(int, short, void* self) noexcept {
  SqliteBackend& backend = *static_cast<SqliteBackend*>(self);
  const Time now = steady_now();
  const auto late = backend.late_at();
  if (late && *late <= now) {
    backend.begin_trouble({StoreTrouble::Kind::slow, backend.silence(now)}, now);
  } else {
    backend.watch_disk(now);
  }
}

// What gathered while the disk was in trouble has its time from then on.
std::optional<Time> SqliteBackend::late_at() const {
  const auto waits = trouble_ ? std::nullopt : books_.waits_since();
  return waits ? std::optional{std::max(*waits, goes_on_since_) + timeout_} : std::nullopt;
}

std::string SqliteBackend::silence(Time now) const {
  const Duration silent = now - books_.waits_since().value_or(now);
  return "the disk has not answered for " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(silent).count()) +
         " s: " + folder_of(path_);
}

// --- the disk ---

void SqliteBackend::hand_over_soon() { event_active(hand_over_.get(), EV_TIMEOUT, 0); }

void SqliteBackend::on_hand_over(int, short, void* self) noexcept {
  static_cast<SqliteBackend*>(self)->hand_over();
}

void SqliteBackend::hand_over() {
  auto batch = books_.take_batch();
  if (!batch) {
    return;
  }
  writer_.post(*std::move(batch));
  if (!evtimer_pending(late_.get(), nullptr)) {
    watch_disk(now_);
  }
}

void SqliteBackend::on_news(int, short, void* self) noexcept {
  static_cast<SqliteBackend*>(self)->take_news();
}

void SqliteBackend::take_news() {
  for (const StoreNews& news : writer_.take()) {
    std::visit([this](const auto& one) { note(one); }, news);
  }
}

void SqliteBackend::note(const BatchesStored& stored) {
  figures_.committed(stored.took, stored.changes);
  books_.stored(stored.number);
  if (!books_.waits_since()) {
    for (const std::string& pool : std::exchange(forgotten_, {})) {
      (void)table_.forget(pool);
    }
  }
  sink_.stored(stored.number);
  const Time now = steady_now();
  if (trouble_) {
    end_trouble(now);
  }
  watch_disk(now);
  answer_surveys();
}

void SqliteBackend::note(const StoreRefused& refused) {
  begin_trouble(refused.trouble, steady_now());
}

void SqliteBackend::note(const StoreSized& sized) { figures_.sized(sized.sizes); }

void SqliteBackend::note(const StoreRemark& remark) {
  log_line(remark.level, "store: %s", remark.text.c_str());
}

// Said once, and again when it is another trouble.
void SqliteBackend::begin_trouble(StoreTrouble trouble, Time now) {
  const bool is_new = !trouble_;
  figures_.refused(trouble.kind);
  if (is_new || trouble_->what != trouble.what) {
    log_line(Level::error, "store refuses: %s", trouble.what.c_str());
  }
  trouble_ = std::move(trouble);
  if (!is_new) {
    return;
  }
  trouble_since_ = now;
  sink_.unstored(trouble_->what);
  answer_surveys();
}

void SqliteBackend::end_trouble(Time now) {
  trouble_.reset();
  goes_on_since_ = now;
  log_line(Level::info, "store goes on after=%.3f",
           std::chrono::duration<double>(now - trouble_since_).count());
  for (const std::string& pool : std::vector<std::string>(pools_)) {
    sink_.changed(pool);
  }
}

std::optional<std::string> SqliteBackend::trouble() const {
  if (!trouble_) {
    return std::nullopt;
  }
  return trouble_->kind == StoreTrouble::Kind::slow ? silence(steady_now()) : trouble_->what;
}

// --- views ---

// What is shown is on the disk, unless the disk is in trouble.
void SqliteBackend::survey(std::function<void()> ready, Time) {
  if (trouble_ || !books_.waits_since()) {
    return ready();
  }
  surveyors_.push_back({books_.gathering(), std::move(ready)});
}

void SqliteBackend::answer_surveys() {
  std::vector<Surveyor> later;
  for (Surveyor& surveyor : std::exchange(surveyors_, {})) {
    if (trouble_ || !books_.waits_since() || surveyor.number <= books_.stored()) {
      surveyor.ready();
    } else {
      later.push_back(std::move(surveyor));
    }
  }
  surveyors_.insert(surveyors_.begin(), std::make_move_iterator(later.begin()),
                    std::make_move_iterator(later.end()));
}

std::vector<Lease> SqliteBackend::leases(std::string_view pool, size_t most) const {
  std::vector<Lease> leases = table_.leases(pool, most);
  std::erase_if(leases, [this](const Lease& lease) { return !books_.knows(lease.token); });
  return leases;
}

}  // namespace

std::unique_ptr<Backend> make_sqlite_backend(const BackendSetup& setup) {
  return std::make_unique<SqliteBackend>(setup);
}

}  // namespace distributex
