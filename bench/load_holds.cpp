// SPDX-License-Identifier: MIT
// Ten thousand locks that live as long as their connections: what each costs in memory,
// and what they cost together while they stand.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "load.h"

namespace bench {

namespace {

constexpr auto settling = std::chrono::milliseconds(500);
// Longer than a third of the lease, so that the first renewals, which come all at once, are over.
constexpr auto long_enough = std::chrono::seconds(20);

class Holder {
 public:
  Holder(uint16_t port, size_t number) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
      give_up("connect", true);
    }
    const std::string request = "GET /hold/?pool=p0&host=h" + std::to_string(number) +
                                " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
      give_up("send", true);
    }
  }
  ~Holder() { close(fd_); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void wait_for_lock() const {
    std::string heard;
    while (heard.find("YES\n") == heard.npos) {
      char bytes[1024];
      const ssize_t size = recv(fd_, bytes, sizeof bytes, 0);
      if (size <= 0) {
        give_up("a hold was not granted");
      }
      heard.append(bytes, static_cast<size_t>(size));
    }
  }

 private:
  int fd_;
};

}  // namespace

void holds(const Task& task, Line& line) {
  const double empty = resident_kib(task.pid);
  std::vector<std::unique_ptr<Holder>> holders;
  for (size_t i = 0; i < task.clients; ++i) {
    holders.push_back(std::make_unique<Holder>(task.address.port, i));
    holders.back()->wait_for_lock();
  }
  std::this_thread::sleep_for(settling);
  line.add("kib_each", (resident_kib(task.pid) - empty) / static_cast<double>(task.clients), 2);
  const Meter meter(task.pid);
  std::this_thread::sleep_for(std::max<Clock::duration>(task.length(), long_enough));
  line.add("server_cpu", meter.cpu() / meter.seconds(), 3);
  line.add("kib_each_later", (resident_kib(task.pid) - empty) / static_cast<double>(task.clients),
           2);
}

}  // namespace bench
