// SPDX-License-Identifier: MIT
// A network that loses, doubles and delays packets, and so lets them overtake
// each other: real packets and the kernel's own TCP. What is sent to `far_side` goes
// through a TUN device into this program, which sends it back as if it came from
// there: so far_side is this very machine, a bad network away. Needs a network
// namespace (enter_namespaces) and no tc, whose netem few test machines have.
#pragma once

#include <stdint.h>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace distributex::test {

inline constexpr const char* near_side = "10.99.0.1";
inline constexpr const char* far_side = "10.99.0.2";
// So are all addresses of that network; this one, of 0 to 63, can be cut off alone.
[[nodiscard]] std::string far_side_of(unsigned number);

class LossyNetwork {
 public:
  struct Weather {
    uint16_t lost = 0;     // of a hundred packets
    uint16_t doubled = 0;  // of a hundred packets
    uint32_t most_ms = 0;  // each is late by anything up to this, or to 60
  };

  LossyNetwork();
  ~LossyNetwork();
  LossyNetwork(const LossyNetwork&) = delete;
  LossyNetwork& operator=(const LossyNetwork&) = delete;

  // Why there is no network; "" when there is.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  void set(Weather weather);
  // Nothing gets to these far sides or comes from them; bit i for far_side_of(i).
  void cut_off(uint64_t far_sides) { cut_off_ = far_sides; }
  // Packets lost so far.
  [[nodiscard]] unsigned lost() const { return lost_; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::string open();
  [[nodiscard]] bool is_cut_off(const std::vector<char>& packet) const;
  void run();
  void take_packet();
  void deliver_due();
  [[nodiscard]] unsigned roll() { return (dice_ = dice_ * 1664525U + 1013904223U) >> 16; }

  std::string trouble_;
  int device_ = -1;
  int wake_ = -1;
  std::atomic<Weather> weather_ = Weather{};
  std::atomic<uint64_t> cut_off_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> lost_ = 0;
  unsigned dice_ = 1;
  // A member, for LeakSanitizer cannot see into a thread that is in another namespace.
  std::vector<char> arriving_ = std::vector<char>(65536);
  std::multimap<Clock::time_point, std::vector<char>> travelling_;
  std::thread thread_;
};

}  // namespace distributex::test
