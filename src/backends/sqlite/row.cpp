// SPDX-License-Identifier: MIT
// A hash over words of 64 bits; each word is mixed in by a multiplication and a shift.
// Strings go in with their length, so that different rows give different words.
#include "backends/sqlite/row.h"

namespace distributex {

namespace {

class Hash {
 public:
  explicit Hash(uint64_t seed) : state_(seed) {}

  Hash& add(uint64_t word) {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15U;
    state_ ^= state_ >> 32;
    return *this;
  }

  Hash& add(int64_t word) { return add(static_cast<uint64_t>(word)); }

  Hash& add(std::optional<int64_t> word) {
    return add(static_cast<uint64_t>(word.has_value())).add(word.value_or(0));
  }

  Hash& add(std::string_view text) {
    add(static_cast<uint64_t>(text.size()));
    while (!text.empty()) {
      uint64_t word = 0;
      const std::string_view part = text.substr(0, sizeof word);
      for (size_t i = 0; i < part.size(); ++i) {
        word |= uint64_t{static_cast<unsigned char>(part[i])} << (8 * i);
      }
      add(word);
      text.remove_prefix(part.size());
    }
    return *this;
  }

  [[nodiscard]] uint64_t value() const {
    uint64_t h = state_;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9U;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebU;
    return h ^ (h >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace

uint64_t share_of_identity(Token token, std::string_view pool, const Owner& owner,
                           int64_t since_wall, int64_t since_mono) {
  return Hash(1)
      .add(token)
      .add(pool)
      .add(std::string_view{owner.host})
      .add(std::string_view{owner.id})
      .add(since_wall)
      .add(since_mono)
      .value();
}

uint64_t share_of_times(Token token, std::optional<int64_t> length, std::optional<int64_t> ends) {
  return Hash(2).add(token).add(length).add(ends).value();
}

uint64_t share_of(const StoreRow& row) {
  return share_of_identity(row.token, row.pool, row.owner, row.since_wall, row.since_mono) +
         share_of_times(row.token, row.length, row.ends);
}

uint64_t share_of_ruling(const StoreRow& row) {
  return Hash(4)
      .add(static_cast<uint64_t>(row.kind))
      .add(row.token)
      .add(std::string_view{row.pool})
      .add(std::string_view{row.owner.host})
      .add(std::string_view{row.owner.id})
      .add(std::string_view{row.text})
      .add(row.since_wall)
      .add(row.since_mono)
      .add(row.length)
      .add(row.ends)
      .value();
}

uint64_t share_of(const StoreMeta& meta) {
  return Hash(3)
      .add(meta.minor)
      .add(meta.commits)
      .add(meta.rows)
      .add(meta.top)
      .add(std::string_view{meta.boot})
      .add(meta.timens)
      .add(meta.seen_mono)
      .add(meta.seen_wall)
      .add(std::string_view{meta.machine})
      .value();
}

}  // namespace distributex
