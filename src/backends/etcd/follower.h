// SPDX-License-Identifier: MIT
// Fills the mirror and keeps it: first a watch from now on, then a list that is
// not older, then the watch's events. A watch from a revision of the past would
// miss what was compacted. On any doubt all of it is done anew, perhaps at
// another member.
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
    // The mirror has changed so. was_set_back: it is of a store that was
    // restored or wiped, whose revisions have fallen.
    std::function<void(const std::vector<EtcdChange>&, bool was_set_back, Time now)> changed;
    std::function<void(const std::string& reason, Time now)> lost;
  };

  EtcdFollower(EtcdWire& wire, EtcdWorld& world, Told told)
      : wire_(wire), world_(world), told_(std::move(told)) {}

  // The mirror is filled and followed.
  [[nodiscard]] bool is_live() const { return state_ == State::live; }
  [[nodiscard]] std::optional<Time> deadline() const;
  // Opens and reopens; looks whether the watch has become deaf.
  void tick(Time now);
  void doubt(const std::string& reason, Time now);
  // For how long a change of this server was not heard of.
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
  uint64_t attempt_ = 0;   // what belongs to an earlier one is not heard
  Time since_{};           // of the state; closed: not to be opened before
  unsigned failures_ = 0;  // watches that ended before the mirror was filled, in a row
  uint64_t watched_ = 0;   // the revision from which the watch tells
  uint64_t listed_ = 0;    // of the list; 0: its first page is still to come
  std::vector<EtcdKv> list_;
  std::vector<EtcdEvent> held_back_;  // while the list is read
  bool is_asking_ = false;
  std::optional<Time> behind_since_;  // a change that was not heard yet
};

}  // namespace distributex
