// SPDX-License-Identifier: MIT
// A real etcd cluster of one member or several as child processes, on free
// ports of 127.0.0.1: members are stopped in their tracks, continued, killed,
// started again, emptied. They end with the test, whatever the test does.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

class EtcdCluster {
 public:
  // False where there is no etcd; says so, once.
  [[nodiscard]] static bool is_installed();

  explicit EtcdCluster(size_t members, std::vector<std::string> options = {})
      : options_(std::move(options)), members_(members) {}
  // Before start(): each member listens with TLS as well, and wants a client's
  // certificate there. False when openssl(1) cannot make the certificates.
  [[nodiscard]] bool add_tls();
  // Before start(): the members sync what they write, as in service.
  void sync_writes() { syncs_ = true; }
  // Before start(): they serve clients on all addresses.
  void listen_everywhere() { is_everywhere_ = true; }
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  // True when every member answers a linearizable read.
  [[nodiscard]] bool start();
  // All URLs with commas between, as etcdhosts takes them.
  [[nodiscard]] std::string hosts() const;
  [[nodiscard]] std::string url(size_t i) const;
  [[nodiscard]] std::string tls_url(size_t i) const;
  [[nodiscard]] uint16_t port(size_t i) const { return members_[i].client; }
  // "ca.pem"; "client.pem" and "client.key", without a common name.
  [[nodiscard]] std::string file(std::string_view name) const { return dir_.file(name); }
  [[nodiscard]] size_t size() const { return members_.size(); }
  // The member that leads, if one does.
  [[nodiscard]] std::optional<size_t> leader() const;

  void stop(size_t i);      // SIGSTOP, and waits until it stands still
  void go_on(size_t i);     // SIGCONT
  void kill_now(size_t i);  // SIGKILL
  void restart(size_t i);   // where it was
  void wipe(size_t i);      // its data directory; only when it does not run
  // Takes a member out of the cluster, and a new one with empty hands takes its place
  // and name. True when it is ready.
  [[nodiscard]] bool replace(size_t i);
  [[nodiscard]] bool wait_ready(size_t i) const;

  // POST to a member; the body of the answer, "" when there is none.
  [[nodiscard]] std::string post(size_t i, std::string_view path, std::string_view body) const;
  // Of the member's metrics; 0 when it has none of that name.
  [[nodiscard]] double metric(size_t i, std::string_view name) const;
  [[nodiscard]] uint64_t revision() const;

 private:
  struct Member {
    uint16_t client = 0;
    uint16_t peer = 0;
    uint16_t tls = 0;
    pid_t pid = -1;
    bool is_new = true;  // with the cluster; else it joins one
  };
  void spawn(size_t i);
  [[nodiscard]] bool is_ready(size_t i) const;
  [[nodiscard]] std::string peer_url(size_t i) const;
  [[nodiscard]] std::string id_in(const std::string& list, size_t i) const;
  [[nodiscard]] std::string listened(size_t i) const;
  [[nodiscard]] std::vector<std::string> words_of(size_t i) const;

  TempDir dir_;
  std::vector<std::string> options_;
  std::vector<Member> members_;
  bool has_tls_ = false;
  bool syncs_ = false;
  bool is_everywhere_ = false;
};

}  // namespace distributex::test
