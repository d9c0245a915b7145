// SPDX-License-Identifier: MIT
// Fills the mirror and keeps it up to date: opens a watch from now on, then reads a list
// that is not older, then applies the watch's events. A watch from a past revision would
// fail once etcd has compacted that revision. On any doubt the follower starts anew,
// at the next member.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/etcd/wire.h"
#include "backends/etcd/world.h"

namespace distributex {

class EtcdFollower {
 public:
  struct Told {
    // The mirror has changed in these ways. was_set_back: the store was restored or wiped,
    // so that its revision fell.
    std::function<void(const std::vector<EtcdChange>&, bool was_set_back, Time now)> changed;
    std::function<void(const std::string& reason, Time now)> lost;
  };

  EtcdFollower(EtcdWire& wire, EtcdWorld& world, Told told)
      : wire_(wire), world_(world), told_(std::move(told)) {}

  // Whether the mirror is filled and follows the watch.
  [[nodiscard]] bool is_live() const { return state_ == State::live; }
  [[nodiscard]] std::optional<Time> deadline() const;
  // Opens the watch when that is due; doubts a watch that has become silent.
  void tick(Time now);
  void doubt(const std::string& reason, Time now);
  // For how long the watch has not told a change that an answer told.
  [[nodiscard]] Duration behind(Time now) const {
    return behind_since_ ? now - *behind_since_ : Duration::zero();
  }

 private:
  enum class State { closed, opening, listing, live };

  void open(Time now);
  void heard(const EtcdNews& news, Time now);
  void ask_page(Time now);
  void take_page(const EtcdReply& reply, Time now);
  void take_list(Time now);
  void apply(const std::vector<EtcdEvent>& events, Time now);
  [[nodiscard]] std::optional<Time> deaf_at() const;

  EtcdWire& wire_;
  EtcdWorld& world_;
  Told told_;
  State state_ = State::closed;
  uint64_t attempt_ = 0;   // messages and replies of earlier attempts are ignored
  Time since_{};           // when the state began; closed: when to open
  unsigned failures_ = 0;  // watches that ended before the mirror was filled, in a row
  uint64_t watched_ = 0;   // the revision from which the watch tells
  uint64_t listed_ = 0;    // the revision of the list; 0: no page of it has come
  std::vector<EtcdKv> list_;
  std::vector<EtcdEvent> held_back_;  // events that came while the list is read
  bool is_asking_ = false;
  std::optional<Time> behind_since_;  // since when the watch lacks a change
};

}  // namespace distributex
