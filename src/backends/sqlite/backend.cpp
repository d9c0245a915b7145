// SPDX-License-Identifier: MIT
// The start of the store, the news from its writer, and its views. questions.cpp decides.
#include "backends/sqlite/backend.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "backends/makers.h"
#include "backends/sqlite/options.h"
#include "base/clock.h"
#include "base/event.h"
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

}  // namespace

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
  must_add(news_.get());
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

// --- time ---

void SqliteBackend::forget(const std::string& pool) {
  if (!drop(pool)) {
    forgotten_.insert(pool);
  }
}

// Returns false while the table must keep the pool, for verdicts about it wait for its last
// change.
bool SqliteBackend::drop(const std::string& pool) {
  if (not_before(table_.open(pool).stored) != 0) {
    return false;
  }
  (void)table_.forget(pool);
  return true;
}

void SqliteBackend::tick(Time now) {
  now_ = now;
  rulings_.end_due(now);
  while (LeasePool* pool = table_.due(now)) {
    table_.end_due(*pool, now);
    sink_.changed(pool->name);
  }
}

// Sets the timer for the oldest change that is not stored, or stops it if all are stored.
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

// When the oldest change will have waited for too long. For changes that were made while
// the disk was in trouble, the time counts from the end of the trouble.
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
  std::erase_if(forgotten_, [this](const std::string& pool) { return drop(pool); });
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

// Logs each trouble once, not each refused commit.
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
  for (const std::string& pool : table_.names("*")) {  // those that were ever asked for
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

// Pages show what is on the disk; while the disk is in trouble, what is in memory.
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

std::unique_ptr<Backend> make_sqlite_backend(const BackendSetup& setup) {
  return std::make_unique<SqliteBackend>(setup);
}

}  // namespace distributex
