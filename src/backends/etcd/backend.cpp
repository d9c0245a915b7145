// SPDX-License-Identifier: MIT
// The backend as the server drives it: the core with a real cluster. It has a timer of
// its own, for the watch moves deadlines at moments when the server does not ask for them.
#include <sys/random.h>

#include <cstdlib>

#include "backends/etcd/client.h"
#include "backends/etcd/core.h"
#include "backends/etcd/options.h"
#include "backends/makers.h"
#include "base/clock.h"
#include "base/time.h"
#include "config/config.h"

namespace distributex {

namespace {

uint64_t random_number() {
  uint64_t number = 0;
  // getrandom() returns up to 256 bytes whole, and waits while the kernel has none.
  if (getrandom(&number, sizeof number, 0) != sizeof number) {
    std::abort();
  }
  return number;
}

std::string server_name() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name;
  for (uint64_t bits = random_number(); name.size() < 12; bits >>= 4) {
    name += digits[bits & 15];
  }
  return name;
}

EtcdSettings settings_of(const EtcdOptions& options) {
  return {.prefix = options.prefix,
          .server = server_name(),
          .timeout = options.timeout,
          .random = random_number,
          .wall_us = wall_us};
}

EtcdAccess access_of(const EtcdOptions& options) {
  const auto urls = parse_etcd_hosts(options.hosts);
  return {.urls = std::get<std::vector<std::string>>(urls),  // the rows have checked it
          .tls = {options.ca_file, options.cert_file, options.key_file},
          .user = options.user,
          .password_file = options.password_file,
          .prefix = options.prefix};
}

// Checks options that belong together.
std::optional<BackendRefusal> refusal_of(const EtcdOptions& options) {
  constexpr int bad_configuration = 78;
  if (options.cert_file.empty() != options.key_file.empty()) {
    return BackendRefusal{bad_configuration, "etcdcertfile and etcdkeyfile belong together"};
  }
  if (options.user.empty() != options.password_file.empty()) {
    return BackendRefusal{bad_configuration, "etcduser and etcdpasswordfile belong together"};
  }
  return std::nullopt;
}

class EtcdBackend final : public Backend {
 public:
  EtcdBackend(const BackendSetup& setup, const EtcdOptions& options)
      : refusal_(refusal_of(options)),
        timer_(evtimer_new(setup.base, on_timer, this)),
        client_(setup.base, access_of(options)),
        core_(client_, settings_of(options), client_.endpoints(), setup.sink,
              [this](Time now) { arm(now); }) {
    core_.tick(steady_now());
  }

  [[nodiscard]] std::optional<BackendRefusal> begin() override { return refusal_; }
  void acquire(const Acquire& question, Time now) override { core_.acquire(question, now); }
  void release(const Release& question, Time now) override { core_.release(question, now); }
  void renew(const Renew& question, Time now) override { core_.renew(question, now); }
  void order(const Order& order, Time now) override { core_.order(order, now); }
  [[nodiscard]] const Freeze* frozen(std::string_view pool) const override {
    return core_.world().frozen(pool);
  }
  [[nodiscard]] std::vector<Freeze> freezes() const override {
    return core_.world().mirror.standing().freezes().all();
  }
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const override {
    return core_.rests(pool, most);
  }
  [[nodiscard]] size_t resting(std::string_view pool) const override { return core_.resting(pool); }
  void forget(const std::string& pool) override { core_.forget(pool); }
  void idle(const std::string& pool, Time now) override { core_.idle(pool, now); }
  void configure(const std::vector<PoolSpec>& pools) override { core_.configure(pools); }
  [[nodiscard]] std::optional<Time> deadline() const override { return std::nullopt; }
  void tick(Time) override {}
  [[nodiscard]] std::optional<std::string> trouble() const override;
  [[nodiscard]] std::optional<StoreState> store() const override;
  [[nodiscard]] std::optional<size_t> waiting_elsewhere(std::string_view pool) const override {
    return core_.waiting_elsewhere(pool);
  }
  void add_figures(std::vector<Figure>& all, Time now) const override;
  void survey(std::function<void()> ready, Time now) override {
    core_.survey(std::move(ready), now);
  }
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const override {
    return core_.leases(pool, most, steady_now());
  }
  [[nodiscard]] size_t held(std::string_view pool) const override { return core_.held(pool); }

 private:
  static void on_timer(int, short, void* self) noexcept {
    static_cast<EtcdBackend*>(self)->core_.tick(steady_now());
  }
  void arm(Time now) {
    const auto due = core_.deadline();
    if (!due) {
      return;
    }
    // If the deadline has passed, the loop still handles its other events first.
    const timeval delay = to_timeval(std::max<Duration>(*due - now, std::chrono::milliseconds(1)));
    evtimer_add(timer_.get(), &delay);
  }

  std::optional<BackendRefusal> refusal_;
  Event timer_;
  EtcdClient client_;
  EtcdCore core_;
};

void EtcdBackend::add_figures(std::vector<Figure>& all, Time now) const {
  add_etcd_figures(all, client_.traffic(), core_.world().counts, core_.watch_behind(now));
  if (client_.health()) {
    all.push_back({.kind = Figure::Kind::gauge,
                   .name = "etcd_database_bytes",
                   .help = "The database of the member that is asked.",
                   .value = static_cast<double>(client_.health()->bytes)});
  }
}

std::optional<std::string> EtcdBackend::trouble() const {
  return client_.is_full() ? "etcd: database space exceeded" : core_.trouble();
}

std::optional<StoreState> EtcdBackend::store() const {
  return StoreState{.address = client_.endpoint(), .trouble = trouble()};
}

}  // namespace

std::unique_ptr<Backend> make_etcd_backend(const BackendSetup& setup) {
  return std::make_unique<EtcdBackend>(setup, setup.config.read<EtcdOptions>());
}

}  // namespace distributex
