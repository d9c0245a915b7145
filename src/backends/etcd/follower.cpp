// SPDX-License-Identifier: MIT
// If the member was cut off or stands still, its watch stays open and silent. So the
// watch must tell what answers tell: if it has not told a change of this server, or a step
// of the clock, deaf_after after the answer, the follower opens another watch. While
// there is something to watch, the clock steps every few seconds.
#include "backends/etcd/follower.h"

#include <algorithm>

#include "base/log.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds open_limit{3000};
constexpr milliseconds page_limit{2000};
constexpr milliseconds page_pause{100};
constexpr milliseconds reopen_pause{100};
constexpr unsigned reopen_doublings = 3;  // the pause doubles so often at most
constexpr milliseconds deaf_after{1500};
constexpr uint32_t page_size = 1000;
constexpr size_t held_back_max = 200'000;

}  // namespace

std::optional<Time> EtcdFollower::deaf_at() const {
  if (!behind_since_) {
    return std::nullopt;
  }
  return *behind_since_ + deaf_after;
}

std::optional<Time> EtcdFollower::deadline() const {
  switch (state_) {
    case State::closed:
      return since_;
    case State::opening:
      return since_ + open_limit;
    case State::listing:
      return is_asking_ ? std::nullopt : std::optional{since_ + page_pause};
    case State::live:
      return deaf_at();
  }
  return std::nullopt;
}

void EtcdFollower::tick(Time now) {
  if (world_.owed_revision <= world_.mirror.revision()) {
    behind_since_.reset();
  } else if (!behind_since_ && state_ == State::live) {
    behind_since_ = now;
  }
  switch (state_) {
    case State::closed:
      if (now >= since_) {
        open(now);
      }
      break;
    case State::opening:
      if (now >= since_ + open_limit) {
        doubt("the watch did not open in time", now);
      }
      break;
    case State::listing:
      if (!is_asking_ && now >= since_ + page_pause) {
        ask_page(now);
      }
      break;
    case State::live:
      if (const auto deaf = deaf_at(); deaf && now >= *deaf) {
        doubt("the watch is silent", now);
      }
      break;
  }
}

void EtcdFollower::open(Time now) {
  state_ = State::opening;
  since_ = now;
  list_.clear();
  held_back_.clear();
  listed_ = 0;
  is_asking_ = false;
  behind_since_.reset();
  world_.counts.watches++;
  const uint64_t attempt = ++attempt_;
  const EtcdSpan all = world_.keys.all();
  wire_.watch(all.from, all.to, [this, attempt](const EtcdNews& news, Time at) {
    if (attempt == attempt_) {
      heard(news, at);
    }
  });
}

void EtcdFollower::doubt(const std::string& reason, Time now) {
  log_line(Level::warning, "etcd: watch lost: %s", reason.c_str());
  wire_.move_on(reason);
  state_ = State::closed;
  since_ = now;
  attempt_++;
  told_.lost(reason, now);
}

void EtcdFollower::heard(const EtcdNews& news, Time now) {
  if (news.ended) {
    const bool was_live = state_ == State::live;
    if (was_live) {
      log_line(Level::warning, "etcd: watch lost: %s", news.reason.c_str());
    }
    state_ = State::closed;
    since_ = now + (was_live ? milliseconds(0) : reopen_pause * (1u << failures_));
    failures_ = std::min(failures_ + 1, reopen_doublings);
    attempt_++;
    return told_.lost(news.reason, now);
  }
  if (news.created && state_ == State::opening) {
    watched_ = news.revision;
    state_ = State::listing;
    ask_page(now);
  }
  if (news.events.empty()) {
    return;
  }
  if (state_ == State::live) {
    return apply(news.events, now);
  }
  held_back_.insert(held_back_.end(), news.events.begin(), news.events.end());
  if (held_back_.size() > held_back_max) {
    doubt("the list is too slow", now);
  }
}

void EtcdFollower::ask_page(Time now) {
  since_ = now;
  is_asking_ = true;
  const EtcdSpan all = world_.keys.all();
  EtcdTxn txn;
  txn.success.emplace_back(EtcdRange{.key = list_.empty() ? all.from : list_.back().key + '\0',
                                     .range_end = all.to,
                                     .limit = page_size,
                                     .revision = listed_});
  wire_.ask(std::move(txn), page_limit,
            [this, attempt = attempt_](const EtcdReply& reply, Time at) {
              if (attempt != attempt_) {
                return;
              }
              is_asking_ = false;
              take_page(reply, at);
            });
}

void EtcdFollower::take_page(const EtcdReply& reply, Time now) {
  since_ = now;
  const bool is_good = reply.outcome == EtcdOutcome::answered && reply.answer.parts.size() == 1 &&
                       (listed_ != 0 || reply.answer.revision >= watched_);
  if (!is_good) {  // perhaps etcd compacted the revision: start with the first page again
    world_.reason = reply.reason;
    list_.clear();
    listed_ = 0;
    return;
  }
  world_.answered = now;
  if (listed_ == 0) {
    listed_ = reply.answer.revision;
  }
  const EtcdPart& page = reply.answer.parts[0];
  list_.insert(list_.end(), page.kvs.begin(), page.kvs.end());
  if (page.more && !page.kvs.empty()) {
    return ask_page(now);
  }
  take_list(now);
}

void EtcdFollower::take_list(Time now) {
  const bool was_set_back = listed_ < world_.mirror.revision();
  if (was_set_back) {
    log_line(
        Level::error,
        "etcd was set back: its revision fell from %llu to %llu; leases were lost or came back",
        static_cast<unsigned long long>(world_.mirror.revision()),
        static_cast<unsigned long long>(listed_));
    world_.set_back();
  }
  state_ = State::live;
  since_ = now;
  failures_ = 0;
  log_line(Level::info, "etcd: watch open revision=%llu", static_cast<unsigned long long>(listed_));
  log_flush();
  const auto changes = world_.mirror.replace(list_, listed_, now);
  list_.clear();
  told_.changed(changes, was_set_back, now);
  const auto events = std::exchange(held_back_, {});
  if (state_ == State::live && !events.empty()) {
    apply(events, now);
  }
}

void EtcdFollower::apply(const std::vector<EtcdEvent>& events, Time now) {
  told_.changed(world_.mirror.apply(events, now), false, now);
}

}  // namespace distributex
