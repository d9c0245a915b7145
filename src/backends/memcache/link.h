// SPDX-License-Identifier: MIT
// One connection to one memcached, by libmemcached in text protocol. Connects by itself, to each
// address of the name in turn; any unexpected answer ends the connection, for what follows on it
// may belong to another question. Blocks; belongs to one thread, but for interrupt().
#pragma once

#include <libmemcached/memcached.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/memcache/address.h"
#include "backends/memcache/commands.h"
#include "base/handle.h"

namespace distributex {

// What memcached told of itself after a new connection.
struct MemcacheFacts {
  std::string version;
  bool is_old = false;      // older than the versions that were tested
  bool evicts = false;      // it drops leases when its memory is full
  bool keeps_cas = true;    // else no lease can be given back or renewed
  int64_t clock_apart = 0;  // seconds that its clock is ahead of this machine's
};

class MemcacheLink final : public MemcacheCommands {
 public:
  // silence: if memcached sends nothing for so long, a command fails.
  MemcacheLink(MemcacheAddress address, std::chrono::milliseconds silence);

  // Commands after this moment fail.
  void set_deadline(Time deadline) { deadline_ = deadline; }
  // Calls progress after each read: one job may consist of many reads.
  void on_progress(std::function<void()> progress) { progress_ = std::move(progress); }
  // Whether memcached answers; connects if there is no connection.
  [[nodiscard]] bool ping();
  [[nodiscard]] bool is_connected() const { return handle_ != nullptr; }
  // Why the last command failed, without the address.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  // Returns the facts once after each new connection, else nullopt.
  [[nodiscard]] std::optional<MemcacheFacts> take_facts();

  // Ends the command under way if there is a connection. For any thread.
  void interrupt();

  std::optional<std::vector<MemcacheItem>> read(std::span<const std::string> keys) override;
  Stored add(const std::string& key, const std::string& value, std::chrono::seconds lives) override;
  Stored replace(const std::string& key, const std::string& value, std::chrono::seconds lives,
                 uint64_t unique) override;
  Stored remove(const std::string& key, uint64_t unique) override;
  Stored append(const std::string& key, const std::string& text) override;
  Stored increment(const std::string& key, uint32_t by, uint64_t& value) override;
  Time now() const override;
  uint64_t shared_us() const override;

 private:
  using Handle = std::unique_ptr<memcached_st, FreeWith<memcached_free>>;

  [[nodiscard]] bool be_ready();
  [[nodiscard]] bool connect();
  [[nodiscard]] bool greet();
  [[nodiscard]] bool hello();
  [[nodiscard]] Handle make_handle(const std::string& numeric_host) const;
  [[nodiscard]] bool ask_facts();
  [[nodiscard]] memcached_return_t fetch(std::span<const std::string> keys,
                                         std::vector<MemcacheItem>& items);
  [[nodiscard]] std::optional<time_t> expiry(std::chrono::seconds lives);
  [[nodiscard]] Stored outcome(memcached_return_t code);
  void lose(memcached_return_t code);
  void lose(std::string reason);

  MemcacheAddress address_;
  std::chrono::milliseconds silence_;
  Time deadline_ = Time::max();
  std::function<void()> progress_ = [] {};
  Handle handle_;
  std::string reason_ = "not connected yet";
  std::optional<MemcacheFacts> facts_;
  int64_t clock_apart_ = 0;

  std::mutex socket_lock_;
  Fd socket_;
};

}  // namespace distributex
