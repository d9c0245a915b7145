// SPDX-License-Identifier: MIT
// Room holds the thread's data: the members before waker_ are shared with the loop and
// guarded by lock_, the others belong to the thread. If a commit is refused, the thread
// keeps its changes and commits the same again, which is harmless; later batches wait.
#include "backends/sqlite/writer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/thread.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t changes_of_a_commit = 4096;
constexpr int frames_of_a_checkpoint = 1000;
constexpr milliseconds first_retry{200};
constexpr milliseconds last_retry{1000};
constexpr seconds idle_time{1};    // without a commit, before the log is moved
constexpr seconds beat_every{10};  // a commit without changes renews the time in the store
constexpr seconds sizes_every{1};
constexpr seconds look_every{1};  // whether the file is still there
constexpr seconds farewell_limit{4};
constexpr int64_t jump_us = 10'000'000;  // a step of the wall clock that is logged

}  // namespace

class StoreWriter::Room {
 public:
  [[nodiscard]] StoreFile& file() { return file_; }
  [[nodiscard]] std::optional<StoreTrouble> start(StoreStart start);
  [[nodiscard]] bool stop();
  [[nodiscard]] int wake_fd() const { return waker_.fd(); }
  void post(StoreBatch batch);
  [[nodiscard]] std::vector<StoreNews> take();

 private:
  static void* run(void* room) noexcept;
  void work();
  [[nodiscard]] bool wait_for_work();
  void gather();
  [[nodiscard]] Time next_chore() const;
  [[nodiscard]] std::optional<StoreTrouble> prepare();
  void commit();
  void refused(StoreTrouble trouble);
  void do_chores(Time now);
  void commit_time();
  void move_log();
  void watch_clock(const StoreMoment& now);
  void tell_sizes(Time now);
  void end();
  void report(StoreNews news);

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<StoreBatch> queue_;
  std::vector<StoreNews> news_;
  bool stopping_ = false;
  bool ended_ = false;

  Waker waker_;
  pthread_t thread_{};
  bool has_thread_ = false;
  StoreFile file_;
  std::optional<StoreStart> start_;   // until the store is prepared
  std::vector<StoreChange> changes_;  // of the commit under way, or refused
  StoreTotals totals_;
  uint64_t number_ = 0;  // the last batch in changes_
  bool has_commit_ = false;
  bool gave_up_ = false;
  bool has_news_for_file_ = false;  // the log has changes, not the time only
  bool moves_badly_ = false;
  milliseconds retry_in_ = first_retry;
  Time retry_at_{};
  Time committed_at_{};
  Time sized_at_{};
  Time looked_at_{};
  std::optional<int64_t> wall_ahead_;  // wall clock minus monotonic clock, in microseconds
  StoreMoment moment_;
};

// --- the loop's side ---

std::optional<StoreTrouble> StoreWriter::Room::start(StoreStart start) {
  moment_ = store_moment();
  totals_ = start.totals;
  start_ = std::move(start);
  std::optional<StoreTrouble> trouble = prepare();
  thread_ = start_thread("store", run, this);
  has_thread_ = true;
  return trouble;
}

bool StoreWriter::Room::stop() {
  if (!has_thread_) {
    file_.close();
    return true;
  }
  std::unique_lock guard(lock_);
  stopping_ = true;
  changed_.notify_all();
  if (!changed_.wait_for(guard, farewell_limit, [this] { return ended_; })) {
    pthread_detach(thread_);
    return false;
  }
  guard.unlock();
  pthread_join(thread_, nullptr);
  return true;
}

// Notifies after the unlock: else the thread would wake and wait for the lock.
void StoreWriter::Room::post(StoreBatch batch) {
  {
    const std::lock_guard guard(lock_);
    queue_.push_back(std::move(batch));
  }
  changed_.notify_all();
}

std::vector<StoreNews> StoreWriter::Room::take() {
  waker_.calm();
  const std::lock_guard guard(lock_);
  return std::exchange(news_, {});
}

// --- the thread's side ---

void* StoreWriter::Room::run(void* room) noexcept {
  static_cast<Room*>(room)->work();
  return nullptr;
}

void StoreWriter::Room::work() {
  tell_sizes(steady_now());
  while (wait_for_work()) {
    const Time now = steady_now();
    if (has_commit_ && now >= retry_at_) {
      commit();
    } else {
      do_chores(now);
    }
  }
  end();
  const std::lock_guard guard(lock_);
  ended_ = true;
  changed_.notify_all();
}

// Returns false if the thread shall end.
bool StoreWriter::Room::wait_for_work() {
  std::unique_lock guard(lock_);
  const Time due = next_chore();
  const auto something = [this] { return stopping_ || (!has_commit_ && !queue_.empty()); };
  if (due == Time::max()) {
    changed_.wait(guard, something);
  } else {
    changed_.wait_until(guard, due, something);
  }
  if (!has_commit_ && !queue_.empty()) {
    gather();
  }
  if (!stopping_) {
    return true;
  }
  retry_at_ = {};
  return has_commit_ && !start_ && !gave_up_;
}

// Takes batches from the queue, up to changes_of_a_commit, into one commit. The caller holds
// the lock.
void StoreWriter::Room::gather() {
  do {
    StoreBatch& batch = queue_.front();
    if (changes_.empty()) {
      changes_ = std::move(batch.changes);
    } else {
      std::move(batch.changes.begin(), batch.changes.end(), std::back_inserter(changes_));
    }
    totals_ = batch.totals;
    number_ = batch.number;
    queue_.pop_front();
  } while (!queue_.empty() &&
           changes_.size() + queue_.front().changes.size() <= changes_of_a_commit);
  has_commit_ = true;
}

// When the thread has something to do even if no batch comes.
Time StoreWriter::Room::next_chore() const {
  if (has_commit_ || start_) {
    return retry_at_;
  }
  Time due = looked_at_ + look_every;
  if (has_news_for_file_ && !moves_badly_) {
    due = std::min(due, committed_at_ + idle_time);
  }
  return totals_.ending > 0 ? std::min(due, committed_at_ + beat_every) : due;
}

std::optional<StoreTrouble> StoreWriter::Room::prepare() {
  std::string doubt;
  moment_ = store_moment();
  auto trouble = file_.prepare(start_->carried, start_->totals, moment_, doubt);
  committed_at_ = steady_now();
  if (trouble) {
    retry_at_ = committed_at_ + first_retry;
    return trouble;
  }
  if (!doubt.empty()) {
    report(StoreRemark{Level::warning, "no room could be set aside: " + doubt});
  }
  start_.reset();
  return std::nullopt;
}

void StoreWriter::Room::commit() {
  if (start_) {
    if (auto trouble = prepare()) {
      return refused(*std::move(trouble));
    }
  }
  const Time began = steady_now();
  moment_.mono = std::chrono::nanoseconds(began.time_since_epoch()).count();
  moment_.wall = static_cast<int64_t>(wall_us());
  if (auto trouble = file_.commit(changes_, totals_, moment_)) {
    return refused(*std::move(trouble));
  }
  committed_at_ = steady_now();
  retry_in_ = first_retry;
  retry_at_ = {};
  has_commit_ = false;
  report(BatchesStored{number_, changes_.size(), committed_at_ - began});
  has_news_for_file_ = has_news_for_file_ || !changes_.empty();
  changes_.clear();
  watch_clock(moment_);
  tell_sizes(committed_at_);
  if (file_.frames() >= frames_of_a_checkpoint) {
    move_log();
  }
}

void StoreWriter::Room::refused(StoreTrouble trouble) {
  retry_at_ = steady_now() + retry_in_;
  retry_in_ = std::min(2 * retry_in_, last_retry);
  report(StoreRefused{std::move(trouble)});
  const std::lock_guard guard(lock_);
  gave_up_ = stopping_;  // there is no time for another try
}

void StoreWriter::Room::do_chores(Time now) {
  if (now < next_chore()) {
    return;
  }
  if (start_) {
    if (auto trouble = prepare()) {
      return refused(*std::move(trouble));
    }
    return report(BatchesStored{number_, 0, {}});
  }
  if (has_commit_) {
    return;
  }
  looked_at_ = now;
  if (!file_.is_there()) {
    return commit_time();
  }
  if (has_news_for_file_ && !moves_badly_ && now >= committed_at_ + idle_time) {
    return move_log();
  }
  if (totals_.ending > 0 && now >= committed_at_ + beat_every) {
    commit_time();
  }
}

// If the file is gone, this commit is refused, and repeated until the file is back.
void StoreWriter::Room::commit_time() {
  has_commit_ = true;
  commit();
}

// If it fails, the log only grows; nothing is lost.
void StoreWriter::Room::move_log() {
  auto trouble = file_.checkpoint();
  if (trouble && !moves_badly_) {
    report(StoreRemark{Level::warning, "the log cannot be moved: " + trouble->what});
  }
  moves_badly_ = trouble.has_value();
  has_news_for_file_ = false;
}

void StoreWriter::Room::watch_clock(const StoreMoment& now) {
  const int64_t ahead = now.wall - now.mono / 1000;
  const int64_t jump = wall_ahead_ ? ahead - *wall_ahead_ : 0;
  wall_ahead_ = ahead;
  if (jump > -jump_us && jump < jump_us) {
    return;
  }
  report(StoreRemark{Level::warning, "the wall clock was set " +
                                         std::to_string((jump < 0 ? -jump : jump) / 1'000'000) +
                                         " s " + (jump < 0 ? "back" : "ahead")});
}

void StoreWriter::Room::tell_sizes(Time now) {
  if (now < sized_at_ + sizes_every) {
    return;
  }
  sized_at_ = now;
  report(StoreSized{file_.sizes()});
}

// The last commit stores the time until which this daemon ended leases.
void StoreWriter::Room::end() {
  if (!start_ && !has_commit_) {
    moment_.mono = std::chrono::nanoseconds(steady_now().time_since_epoch()).count();
    moment_.wall = static_cast<int64_t>(wall_us());
    (void)file_.commit({}, totals_, moment_);
  }
  file_.close();
}

void StoreWriter::Room::report(StoreNews news) {
  {
    const std::lock_guard guard(lock_);
    news_.push_back(std::move(news));
  }
  waker_.wake();
}

// --- the handle ---

StoreWriter::StoreWriter() : room_(std::make_unique<Room>()) {}

StoreWriter::~StoreWriter() {
  if (room_->stop()) {
    return;
  }
  Room* left = room_.release();  // the thread still uses it; the process is about to end
  (void)left;
}

StoreFile& StoreWriter::file() { return room_->file(); }
std::optional<StoreTrouble> StoreWriter::start(StoreStart start) {
  return room_->start(std::move(start));
}
int StoreWriter::wake_fd() const { return room_->wake_fd(); }
void StoreWriter::post(StoreBatch batch) { room_->post(std::move(batch)); }
std::vector<StoreNews> StoreWriter::take() { return room_->take(); }

}  // namespace distributex
