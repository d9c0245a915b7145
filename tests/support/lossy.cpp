// SPDX-License-Identifier: MIT
// The loop that is the network. The addresses of a packet that is sent back
// change places, which its checksums do not notice.
#include "support/lossy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace distributex::test {
namespace {

constexpr const char* device_name = "lossy";
constexpr size_t source_at = 12;  // in an IPv4 header
constexpr size_t target_at = 16;
constexpr size_t header_size = 20;
constexpr int first_far = 2;  // the last byte of far_side

std::string why(const char* what) { return std::string(what) + ": " + strerror(errno); }

ifreq request_for(const char* name) {
  ifreq request{};
  memcpy(request.ifr_name, name, strlen(name));
  return request;
}

bool set_address(int control, unsigned long what, const char* address) {
  ifreq request = request_for(device_name);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  inet_pton(AF_INET, address, &in.sin_addr);
  memcpy(&request.ifr_addr, &in, sizeof in);
  return ioctl(control, what, &request) == 0;
}

bool switch_on(int control) {
  ifreq request = request_for(device_name);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(control, SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

std::string far_side_of(unsigned number) {
  return "10.99.0." + std::to_string(first_far + static_cast<int>(number));
}

LossyNetwork::LossyNetwork() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  trouble_ = open();
  if (trouble_.empty()) {
    thread_ = std::thread([this] { run(); });
  }
}

LossyNetwork::~LossyNetwork() {
  stopping_ = true;
  set({});
  if (thread_.joinable()) {
    thread_.join();
  }
  if (device_ >= 0) {
    close(device_);
  }
  close(wake_);
}

std::string LossyNetwork::open() {
  device_ = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (device_ < 0) {
    return why("/dev/net/tun");
  }
  ifreq request = request_for(device_name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(device_, TUNSETIFF, &request) != 0) {
    return why("TUNSETIFF");
  }
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool done = set_address(control, SIOCSIFADDR, near_side) &&
                    set_address(control, SIOCSIFNETMASK, "255.255.255.0") && switch_on(control);
  std::string trouble = done ? "" : why("setting the device up");
  close(control);
  return trouble;
}

void LossyNetwork::set(Weather weather) {
  weather_ = weather;
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof one);
}

void LossyNetwork::run() {
  while (!stopping_) {
    int wait_ms = -1;
    if (!travelling_.empty()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(travelling_.begin()->first - Clock::now());
      wait_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
    pollfd fds[] = {{wake_, POLLIN, 0}, {device_, POLLIN, 0}};
    poll(fds, 2, wait_ms);
    uint64_t count = 0;
    (void)!read(wake_, &count, sizeof count);
    take_packet();
    deliver_due();
  }
}

// The far side is the target, for what comes from there goes through here as well, on
// its way to it.
bool LossyNetwork::is_cut_off(const std::vector<char>& packet) const {
  const int number = static_cast<unsigned char>(packet[target_at + 3]) - first_far;
  return number >= 0 && number < 64 && (cut_off_ >> number & 1) != 0;
}

void LossyNetwork::take_packet() {
  const ssize_t size = read(device_, arriving_.data(), arriving_.size());
  if (size < static_cast<ssize_t>(header_size) || arriving_[0] >> 4 != 4) {
    return;
  }
  std::vector<char> packet(arriving_.begin(), arriving_.begin() + size);
  const Weather weather = weather_;
  if (is_cut_off(packet) || roll() % 100 < weather.lost) {
    lost_++;
    return;
  }
  std::swap_ranges(&packet[source_at], &packet[target_at], &packet[target_at]);
  const auto late = [&] {
    return std::chrono::microseconds(roll() % (weather.most_ms * 1000 + 1));
  };
  const auto now = Clock::now();
  if (roll() % 100 < weather.doubled) {
    travelling_.emplace(now + late(), packet);
  }
  travelling_.emplace(now + late(), std::move(packet));
}

void LossyNetwork::deliver_due() {
  const auto now = Clock::now();
  while (!travelling_.empty() && travelling_.begin()->first <= now) {
    const std::vector<char>& packet = travelling_.begin()->second;
    (void)!write(device_, packet.data(), packet.size());
    travelling_.erase(travelling_.begin());
  }
}

}  // namespace distributex::test
