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

// What a memcached told of itself at a new connection.
struct MemcacheFacts {
  std::string version;
  bool is_old = false;      // older than what this was tested with
  bool evicts = false;      // it drops leases when its memory is full
  bool keeps_cas = true;    // without, no lease can be given back or renewed
  int64_t clock_apart = 0;  // seconds that its clock is ahead of ours
};

class MemcacheLink final : public MemcacheCommands {
 public:
  // silence: how long it may send nothing before it counts as out of reach.
  MemcacheLink(MemcacheAddress address, std::chrono::milliseconds silence);

  // Commands after this moment fail.
  void set_deadline(Time deadline) { deadline_ = deadline; }
  // Called after each read, for a job may consist of many.
  void on_progress(std::function<void()> progress) { progress_ = std::move(progress); }
  // Whether it answers; connects when it must.
  [[nodiscard]] bool ping();
  [[nodiscard]] bool is_connected() const { return handle_ != nullptr; }
  // Why the last command failed, without the address.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  // Once after each new connection.
  [[nodiscard]] std::optional<MemcacheFacts> take_facts();

  // From any thread: ends the call that is under way, if it has come so far
  // as to have a connection.
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
