// SPDX-License-Identifier: MIT
// One transaction is one revision, if it changes anything.
#include "support/fakeetcd.h"

#include <algorithm>
#include <utility>

namespace distributex::test {

namespace {

bool is_write(const EtcdOp& op) { return !std::holds_alternative<EtcdRange>(op); }

}  // namespace

bool FakeEtcd::holds(const EtcdCompare& compare) const {
  if (compare.target == EtcdCompare::Target::value) {
    const auto it = store_.find(compare.key);
    return it != store_.end() && it->second.value == compare.value;
  }
  const auto revision_of = [&](const Entry& entry) {
    return compare.target == EtcdCompare::Target::mod ? entry.mod : entry.create;
  };
  if (compare.range_end.empty()) {
    const auto it = store_.find(compare.key);
    return (it == store_.end() ? 0 : revision_of(it->second)) == compare.revision;
  }
  const auto first = store_.lower_bound(compare.key);
  const auto last = store_.lower_bound(compare.range_end);
  if (first == last) {
    return compare.revision == 0;
  }
  return std::all_of(first, last,
                     [&](const auto& e) { return revision_of(e.second) == compare.revision; });
}

EtcdPart FakeEtcd::range(const EtcdRange& range) const {
  EtcdPart part;
  const auto first = store_.lower_bound(range.key);
  auto last = range.range_end.empty() ? first : store_.lower_bound(range.range_end);
  if (range.range_end.empty() && first != store_.end() && first->first == range.key) {
    last = std::next(first);
  }
  for (auto it = first; it != last; ++it) {
    part.count++;
    if (range.count_only) {
      continue;
    }
    if (range.limit != 0 && part.kvs.size() == range.limit) {
      part.more = true;
      continue;
    }
    part.kvs.push_back({it->first, it->second.value, it->second.create, it->second.mod});
  }
  return part;
}

void FakeEtcd::change(const EtcdOp& op, std::vector<EtcdEvent>& events) {
  if (const auto* put = std::get_if<EtcdPut>(&op)) {
    Entry& entry = store_[put->key];
    if (entry.create == 0) {
      entry.create = revision_ + 1;
    }
    entry.mod = revision_ + 1;
    entry.value = put->value;
    events.push_back({false, {put->key, entry.value, entry.create, entry.mod}});
  } else if (const auto* gone = std::get_if<EtcdDelete>(&op)) {
    if (store_.erase(gone->key) != 0) {
      events.push_back({true, {.key = gone->key, .mod = revision_ + 1}});
    }
  }
}

EtcdAnswer FakeEtcd::apply(const EtcdTxn& txn, Time now, Time sent) {
  EtcdAnswer answer;
  answer.succeeded = std::all_of(txn.compares.begin(), txn.compares.end(),
                                 [&](const EtcdCompare& compare) { return holds(compare); });
  if (std::any_of(txn.success.begin(), txn.success.end(), is_write)) {
    writes_++;
  }
  std::vector<EtcdEvent> events;
  for (const EtcdOp& op : answer.succeeded ? txn.success : txn.failure) {
    change(op, events);
    const auto* read = std::get_if<EtcdRange>(&op);
    answer.parts.push_back(read ? range(*read) : EtcdPart{});
  }
  if (!events.empty()) {
    log_.push_back({++revision_, std::move(events), now, sent});
  }
  answer.revision = revision_;
  return answer;
}

void FakeEtcd::wipe() {
  store_.clear();
  log_.clear();
  revision_ = 1;
}

// --- one server's wire ---

void FakeWire::ask(EtcdTxn txn, Duration limit, Replied replied) {
  asked_.push_back({std::move(txn), now_, now_ + limit, std::move(replied)});
}

bool FakeWire::is_overdue(size_t i) const {
  return std::next(asked_.begin(), static_cast<std::ptrdiff_t>(i))->until <= now_;
}

FakeWire::Asked FakeWire::take(size_t i) {
  const auto it = std::next(asked_.begin(), static_cast<std::ptrdiff_t>(i));
  Asked taken = std::move(*it);
  asked_.erase(it);
  return taken;
}

void FakeWire::carry_out(size_t i) {
  Asked& asked = *std::next(asked_.begin(), static_cast<std::ptrdiff_t>(i));
  asked.answer = etcd_.apply(asked.txn, now_, asked.sent);
}

void FakeWire::answer(size_t i) {
  Asked asked = take(i);
  if (!asked.answer) {
    asked.answer = etcd_.apply(asked.txn, now_, asked.sent);
  }
  asked.replied({.outcome = EtcdOutcome::answered, .answer = *asked.answer, .sent = asked.sent},
                now_);
}

void FakeWire::answer_with(size_t i, const EtcdAnswer& answer) {
  const Asked asked = take(i);
  asked.replied({.outcome = EtcdOutcome::answered, .answer = answer, .sent = asked.sent}, now_);
}

void FakeWire::lose(size_t i) {
  Asked asked = take(i);
  if (!asked.answer) {
    lost_.emplace_back(asked.txn, asked.sent);
  }
  asked.replied({.outcome = EtcdOutcome::unknown, .reason = "lost", .sent = asked.sent}, now_);
}

void FakeWire::refuse(size_t i) {
  Asked asked = take(i);
  const auto outcome = asked.answer ? EtcdOutcome::unknown : EtcdOutcome::not_done;
  asked.replied({.outcome = outcome, .reason = "no leader", .sent = asked.sent}, now_);
}

bool FakeWire::arrive_late(size_t choice) {
  if (lost_.empty()) {
    return false;
  }
  const auto it = lost_.begin() + static_cast<std::ptrdiff_t>(choice % lost_.size());
  (void)etcd_.apply(it->first, now_, it->second);
  lost_.erase(it);
  return true;
}

void FakeWire::cut() {
  end_watch();
  for (size_t open = asked_.size(); open != 0; open--) {
    lose(0);
  }
  lost_.clear();
}

void FakeWire::watch(const std::string& key, const std::string& range_end, Heard heard) {
  from_ = key;
  to_ = range_end;
  heard_ = std::move(heard);
  is_created_ = false;
}

bool FakeWire::tell() {
  if (!heard_) {
    return false;
  }
  const Heard heard = heard_;
  EtcdNews news;
  if (!is_created_) {
    is_created_ = true;
    told_ = etcd_.log().size();
    news.created = true;
    news.revision = etcd_.revision();
    heard(news, now_);
    return true;
  }
  if (told_ >= etcd_.log().size()) {
    return false;
  }
  const FakeEtcd::Logged& logged = etcd_.log()[told_++];
  news.revision = logged.revision;
  for (const EtcdEvent& event : logged.events) {
    if (event.kv.key >= from_ && event.kv.key < to_) {
      news.events.push_back(event);
    }
  }
  heard(news, now_);
  return true;
}

void FakeWire::end_watch() {
  if (!heard_) {
    return;
  }
  const Heard heard = std::exchange(heard_, nullptr);
  EtcdNews news;
  news.ended = true;
  news.reason = "cut";
  heard(news, now_);
}

}  // namespace distributex::test
