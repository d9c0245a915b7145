// SPDX-License-Identifier: MIT
// The loop's side of a worker: it starts and ends the thread, hands it jobs and
// takes its results.
#include "backends/memcache/worker.h"

#include <utility>

#include "backends/memcache/room.h"

namespace distributex {

namespace {

constexpr std::chrono::milliseconds farewell_limit{1000};

struct OpOf {
  OpId operator()(const Acquire& question) const { return question.op; }
  OpId operator()(const Release& question) const { return question.op; }
  OpId operator()(const Renew& question) const { return question.op; }
  OpId operator()(const Order& order) const { return order.op; }
  OpId operator()(const ExpireLease&) const { return 0; }
  OpId operator()(const SurveyPools&) const { return 0; }
};

}  // namespace

OpId op_of(const MemcacheJob& job) { return std::visit(OpOf{}, job.what); }

MemcacheWorker::Room::Room(const MemcacheAddress& address, const MemcacheSettings& settings)
    : link_(address, settings.silence),
      slots_(link_, settings.prefix, settings.server),
      freezes_(link_, settings.prefix),
      leftovers_(slots_, [this](const std::string& pool) { report(PoolFreed{pool}); }),
      next_ping_(steady_now()) {
  link_.on_progress([this] { note_progress(); });
}

void MemcacheWorker::Room::start() { thread_ = start_thread("memcache", run, this); }

bool MemcacheWorker::Room::stop() {
  std::unique_lock guard(lock_);
  stopping_ = true;
  changed_.notify_all();
  link_.interrupt();
  if (!changed_.wait_for(guard, farewell_limit, [this] { return ended_; })) {
    pthread_detach(thread_);
    return false;
  }
  guard.unlock();
  pthread_join(thread_, nullptr);
  return true;
}

void MemcacheWorker::Room::post(MemcacheJob job) {
  const std::lock_guard guard(lock_);
  if (const OpId op = op_of(job)) {
    open_.insert(op);
  }
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

std::vector<MemcacheResult> MemcacheWorker::Room::take() {
  waker_.calm();
  const std::lock_guard guard(lock_);
  return std::exchange(results_, {});
}

bool MemcacheWorker::Room::abandon(OpId op) {
  const std::lock_guard guard(lock_);
  if (!open_.contains(op)) {
    return false;
  }
  abandoned_.insert(op);
  if (running_ == op) {
    link_.interrupt();
  }
  return true;
}

// --- the handle ---

MemcacheWorker::MemcacheWorker(const MemcacheAddress& address, const MemcacheSettings& settings)
    : room_(std::make_unique<Room>(address, settings)) {
  room_->start();
}

MemcacheWorker::~MemcacheWorker() {
  if (room_->stop()) {
    return;
  }
  Room* left = room_.release();  // the thread still uses it; the process is about to end
  (void)left;
}

int MemcacheWorker::wake_fd() const { return room_->wake_fd(); }
void MemcacheWorker::post(MemcacheJob job) { room_->post(std::move(job)); }
std::vector<MemcacheResult> MemcacheWorker::take() { return room_->take(); }
bool MemcacheWorker::abandon(OpId op) { return room_->abandon(op); }
void MemcacheWorker::interrupt() { room_->interrupt(); }

}  // namespace distributex
