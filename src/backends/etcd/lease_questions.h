// SPDX-License-Identifier: MIT
// The questions about an existing lease, as state machines: giving it back, and renewing
// it. Pure.
#pragma once

#include "backends/etcd/question.h"
#include "backends/etcd/removal.h"

namespace distributex {

class EtcdRelease : public EtcdQuestion {
 public:
  EtcdRelease(const EtcdWorld& world, Release question, Time now);
  // Repeats a failed release of an untold grant: removes the write at revision `written`,
  // or nothing.
  EtcdRelease(const EtcdWorld& world, Release question, std::optional<uint64_t> written, Time now);

  [[nodiscard]] EtcdStep next(EtcdWorld& world, Time now);
  void take(EtcdWorld& world, const EtcdReply& reply, Time now);
  [[nodiscard]] std::optional<uint64_t> written() const { return written_; }

 private:
  enum class Phase { none, looking, taking_back, removing };

  [[nodiscard]] EtcdStep take_back(EtcdWorld& world);
  [[nodiscard]] EtcdStep remove(EtcdWorld& world, Time now);
  [[nodiscard]] bool fits(const EtcdLease& found) const;
  void take_removal(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_taking_back(EtcdWorld& world, const EtcdReply& reply, Time now);
  [[nodiscard]] Verdict released(const EtcdWorld& world, Time now) const;

  Release question_;
  std::optional<uint64_t> written_{};  // the revision of the write to take back
  Phase phase_ = Phase::none;
  std::optional<EtcdLease> target_{};  // the lease that is being removed
  bool is_unknown_ = false;            // an attempt to remove it may have been carried out
  EtcdRemoval removal_{};
  uint64_t shows_at_ = 0;  // wait until the mirror shows this revision,
  Time told_by_{};         // but not longer than until then
  std::optional<Verdict> verdict_{};
};

class EtcdRenew : public EtcdQuestion {
 public:
  EtcdRenew(const EtcdWorld& world, Renew question, Time now);

  [[nodiscard]] EtcdStep next(EtcdWorld& world, Time now);
  void take(EtcdWorld& world, const EtcdReply& reply, Time now);

 private:
  enum class Phase { none, looking, writing, ending, settling };

  [[nodiscard]] EtcdStep look(const EtcdWorld& world);
  [[nodiscard]] EtcdStep write(const EtcdWorld& world, const EtcdLease& found);
  [[nodiscard]] EtcdStep end(EtcdWorld& world, const EtcdLease& found, Time now);
  void take_write(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_end(EtcdWorld& world, const EtcdReply& reply, Time now);
  void renewed(EtcdWorld& world, const EtcdKept& kept, Time now);
  [[nodiscard]] std::optional<Time> end_of(Time sent) const;

  Renew question_;
  Phase phase_ = Phase::none;
  std::optional<EtcdLease> found_{};
  EtcdRemoval removal_{};
  uint64_t left_ = 0;
  std::optional<Verdict> verdict_{};
};

}  // namespace distributex
