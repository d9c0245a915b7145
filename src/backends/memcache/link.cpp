// SPDX-License-Identifier: MIT
// Calls libmemcached with care. make_handle() sets its behaviours and reads them back. Keys
// are checked before every call: in text protocol a bad key is read as more commands, and a
// unique of 0 shifts all later answers by one. After any answer that outcome() does not
// expect, the handle is dropped.
#include "backends/memcache/link.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <string_view>

#include "backends/memcache/key.h"
#include "backends/memcache/socket.h"
#include "backends/memcache/stats.h"
#include "base/clock.h"

namespace distributex {

namespace {

using std::chrono::seconds;

constexpr time_t relative_max = 60 * 60 * 24 * 30;  // memcached takes more for a date
// A date in 1970: memcached drops the item at once, in both protocols. -1 would mean "for
// ever" in the binary one.
constexpr time_t long_past = relative_max + 1;
constexpr int64_t clock_tolerance = 1;  // seconds: memcached's clock has no fractions

struct BehaviourRow {
  memcached_behavior_t name;
  uint64_t value;
};

// The numeric addresses of a name; if there are none, sets the reason.
std::vector<std::string> resolve(const std::string& host, std::string& reason) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>> all(found);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; error == 0 && one; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  if (addresses.empty()) {
    reason = error != 0 ? gai_strerror(error) : "no address";
  }
  return addresses;
}

}  // namespace

MemcacheLink::MemcacheLink(MemcacheAddress address, std::chrono::milliseconds silence)
    : address_(std::move(address)), silence_(silence) {}

Time MemcacheLink::now() const { return steady_now(); }

// If this machine's clock is far from memcached's, uses memcached's, which all servers ask.
uint64_t MemcacheLink::shared_us() const {
  return static_cast<uint64_t>(static_cast<int64_t>(wall_us()) + clock_apart_ * 1'000'000);
}

std::optional<MemcacheFacts> MemcacheLink::take_facts() {
  return std::exchange(facts_, std::nullopt);
}

void MemcacheLink::interrupt() {
  const std::lock_guard guard(socket_lock_);
  if (socket_) {
    shutdown(socket_.get(), SHUT_RDWR);
  }
}

// --- the connection ---

MemcacheLink::Handle MemcacheLink::make_handle(const std::string& numeric_host) const {
  Handle handle(memcached_create(nullptr));
  if (!handle) {
    return nullptr;
  }
  const auto limit = static_cast<uint64_t>(silence_.count());
  // The failure limits and the retry time make the library ask a server again that is back.
  // Ejecting a server would move its keys to another one and grant its locks twice.
  const BehaviourRow rows[] = {
      {MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 0},
      {MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1},
      {MEMCACHED_BEHAVIOR_VERIFY_KEY, 1},
      {MEMCACHED_BEHAVIOR_TCP_NODELAY, 1},
      {MEMCACHED_BEHAVIOR_TCP_KEEPALIVE, 1},
      {MEMCACHED_BEHAVIOR_NO_BLOCK, 0},
      {MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 0},
      {MEMCACHED_BEHAVIOR_NOREPLY, 0},
      {MEMCACHED_BEHAVIOR_POLL_TIMEOUT, limit},
      {MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, limit},
      {MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 1},
      {MEMCACHED_BEHAVIOR_SERVER_FAILURE_LIMIT, 1000000},
      {MEMCACHED_BEHAVIOR_SERVER_TIMEOUT_LIMIT, 1000000},
      {MEMCACHED_BEHAVIOR_AUTO_EJECT_HOSTS, 0},
  };
  for (const BehaviourRow& row : rows) {
    memcached_behavior_set(handle.get(), row.name, row.value);
    if (memcached_behavior_get(handle.get(), row.name) != row.value) {
      return nullptr;
    }
  }
  const memcached_return_t code =
      address_.path.empty()
          ? memcached_server_add(handle.get(), numeric_host.c_str(), address_.port)
          : memcached_server_add_unix_socket(handle.get(), address_.path.c_str());
  return code == MEMCACHED_SUCCESS ? std::move(handle) : nullptr;
}

bool MemcacheLink::connect() {
  std::vector<std::string> hosts{""};
  if (address_.path.empty()) {
    hosts = resolve(address_.host, reason_);
  }
  for (const std::string& host : hosts) {
    if (now() >= deadline_) {
      reason_ = "no answer in time";
      return false;
    }
    handle_ = make_handle(host);
    if (!handle_) {
      reason_ = "libmemcached refuses its settings";
    } else if (greet()) {
      return true;
    }
  }
  return false;
}

// Asks a short question first and finds the socket after it, so that interrupt() can end the
// long questions that follow.
bool MemcacheLink::greet() {
  if (!hello()) {
    return false;
  }
  const auto* server = memcached_server_instance_by_position(handle_.get(), 0);
  const in_port_t port = address_.path.empty() ? memcached_server_srcport(server) : in_port_t{0};
  {
    Fd found = duplicate_socket(port, address_.path);
    const std::lock_guard guard(socket_lock_);
    socket_ = std::move(found);
  }
  return ask_facts();
}

bool MemcacheLink::ask_facts() {
  MemcacheStats stats;
  const Time asked = now();
  for (const char* group : {static_cast<const char*>(nullptr), "settings"}) {
    const memcached_return_t code = read_stats(handle_.get(), group, stats);
    if (code != MEMCACHED_SUCCESS) {
      lose(code);
      return false;
    }
  }
  const int64_t apart = stats.time - static_cast<int64_t>(wall_us() / 1'000'000);
  const int64_t took = std::chrono::ceil<seconds>(now() - asked).count();
  clock_apart_ = std::abs(apart) > clock_tolerance + took && stats.time != 0 ? apart : 0;
  facts_ = MemcacheFacts{cleaned_version(stats.version), is_old_version(stats.version),
                         stats.evicts, stats.keeps_cas, clock_apart_};
  if (!stats.keeps_cas) {
    lose("it runs without CAS (option -C), which leases need");
  }
  return stats.keeps_cas;
}

bool MemcacheLink::be_ready() {
  if (now() < deadline_) {
    return handle_ || connect();
  }
  reason_ = "no answer in time";
  return false;
}

bool MemcacheLink::ping() { return be_ready() && hello(); }

// Increments a counter that does not exist: if there is no connection, this command tells
// the best reason of all.
bool MemcacheLink::hello() {
  constexpr std::string_view key = "distributex:ping";
  uint64_t value = 0;
  return outcome(memcached_increment(handle_.get(), key.data(), key.size(), 1, &value)) !=
         Stored::failed;
}

void MemcacheLink::lose(memcached_return_t code) {
  const int error = memcached_last_error_errno(handle_.get());
  if (code == MEMCACHED_TIMEOUT) {
    lose("no answer within " + std::to_string(silence_.count()) + " ms");
  } else if (error != 0) {
    lose(strerrordesc_np(error));
  } else if (code == MEMCACHED_CONNECTION_FAILURE) {
    lose("connection lost");
  } else {
    lose(memcached_strerror(handle_.get(), code));
  }
}

void MemcacheLink::lose(std::string reason) {
  reason_ = std::move(reason);
  {
    const std::lock_guard guard(socket_lock_);
    socket_.reset(-1);
  }
  handle_.reset();
}

// --- the commands ---

std::optional<std::vector<MemcacheItem>> MemcacheLink::read(std::span<const std::string> keys) {
  assert(keys.size() <= keys_at_once);
  if (!be_ready()) {
    return std::nullopt;
  }
  std::vector<const char*> names;
  std::vector<size_t> sizes;
  for (const std::string& key : keys) {
    assert(is_sound_key(key));
    names.push_back(key.c_str());
    sizes.push_back(key.size());
  }
  std::vector<MemcacheItem> items;
  memcached_return_t code = memcached_mget(handle_.get(), names.data(), sizes.data(), keys.size());
  if (code == MEMCACHED_SUCCESS) {
    code = fetch(keys, items);
  }
  if (code == MEMCACHED_END || code == MEMCACHED_NOTFOUND) {
    progress_();
    return items;
  }
  if (code == MEMCACHED_SUCCESS) {
    lose("an answer to another question");
  } else {
    lose(code);
  }
  return std::nullopt;
}

// Returns MEMCACHED_END if all was read, MEMCACHED_SUCCESS if an item does not fit the keys.
memcached_return_t MemcacheLink::fetch(std::span<const std::string> keys,
                                       std::vector<MemcacheItem>& items) {
  memcached_return_t code = MEMCACHED_SUCCESS;
  // The library frees a result of its own after the last answer, so bring one.
  memcached_result_st room;
  const std::unique_ptr<memcached_result_st, FreeWith<memcached_result_free>> result(
      memcached_result_create(handle_.get(), &room));
  size_t at = 0;  // answers come in the order of the keys
  while (memcached_fetch_result(handle_.get(), result.get(), &code)) {
    const std::string_view key(memcached_result_key_value(result.get()),
                               memcached_result_key_length(result.get()));
    while (at < keys.size() && key != keys[at]) {
      at++;
    }
    const uint64_t unique = memcached_result_cas(result.get());
    if (at == keys.size() || unique == 0) {
      break;
    }
    items.push_back({at,
                     {memcached_result_value(result.get()), memcached_result_length(result.get())},
                     unique});
  }
  return code;
}

// `lives` as memcached takes it: seconds, or above 30 days a date by memcached's clock.
std::optional<time_t> MemcacheLink::expiry(seconds lives) {
  if (lives.count() <= relative_max) {
    return static_cast<time_t>(lives.count());
  }
  MemcacheStats stats;
  const Time asked = now();
  const memcached_return_t code = read_stats(handle_.get(), nullptr, stats);
  if (code != MEMCACHED_SUCCESS || stats.time == 0) {
    lose(code);
    return std::nullopt;
  }
  const auto since = std::chrono::ceil<seconds>(now() - asked);
  return static_cast<time_t>(stats.time + since.count() + lives.count());
}

Stored MemcacheLink::outcome(memcached_return_t code) {
  switch (static_cast<int>(code)) {
    case MEMCACHED_SUCCESS:
    case MEMCACHED_STORED:
      return Stored::done;
    case MEMCACHED_NOTSTORED:
    case MEMCACHED_DATA_EXISTS:
      return Stored::refused;
    case MEMCACHED_NOTFOUND:
      return Stored::absent;
    default:
      lose(code);
      return Stored::failed;
  }
}

Stored MemcacheLink::add(const std::string& key, const std::string& value, seconds lives) {
  assert(is_sound_key(key));
  if (!be_ready()) {
    return Stored::failed;
  }
  const auto expires = expiry(lives);
  if (!expires) {
    return Stored::failed;
  }
  return outcome(memcached_add(handle_.get(), key.data(), key.size(), value.data(), value.size(),
                               *expires, 0));
}

Stored MemcacheLink::replace(const std::string& key, const std::string& value, seconds lives,
                             uint64_t unique) {
  assert(is_sound_key(key) && unique != 0);
  // A unique is valid on the connection that read it: after a restart of memcached another
  // item may have the same number. So do not connect here.
  if (!handle_ || !be_ready()) {
    return Stored::failed;
  }
  const auto expires = expiry(lives);
  if (!expires) {
    return Stored::failed;
  }
  return outcome(memcached_cas(handle_.get(), key.data(), key.size(), value.data(), value.size(),
                               *expires, 0, unique));
}

Stored MemcacheLink::remove(const std::string& key, uint64_t unique) {
  assert(is_sound_key(key) && unique != 0);
  if (!handle_ || !be_ready()) {
    return Stored::failed;
  }
  return outcome(
      memcached_cas(handle_.get(), key.data(), key.size(), "-", 1, long_past, 0, unique));
}

Stored MemcacheLink::append(const std::string& key, const std::string& text) {
  assert(is_sound_key(key));
  if (!be_ready()) {
    return Stored::failed;
  }
  return outcome(
      memcached_append(handle_.get(), key.data(), key.size(), text.data(), text.size(), 0, 0));
}

Stored MemcacheLink::increment(const std::string& key, uint32_t by, uint64_t& value) {
  assert(is_sound_key(key));
  if (!be_ready()) {
    return Stored::failed;
  }
  return outcome(memcached_increment(handle_.get(), key.data(), key.size(), by, &value));
}

}  // namespace distributex
