// SPDX-License-Identifier: MIT
// Asks the current endpoint for its status every ten seconds, or every second while it
// reports trouble or does not answer. Logs what an operator should know.
#include "backends/etcd/client.h"
#include "backends/etcd/codec.h"
#include "base/log.h"

namespace distributex {

namespace {

constexpr timeval look_every{10, 0};
constexpr timeval look_at_trouble_every{1, 0};
constexpr std::chrono::milliseconds look_limit{2000};
constexpr uint64_t much = uint64_t{1} << 30;  // bytes: half of etcd's own limit
constexpr uint64_t much_step = much / 4;      // growth after which the log says it again

// A full database comes before other troubles: until somebody acts, etcd takes no grant.
std::string trouble_of(const EtcdHealth& health) {
  if (health.errors.find("NOSPACE") != std::string::npos) {
    return "database space exceeded";
  }
  return health.has_leader ? health.errors : "no leader";
}

std::string warning_of(const EtcdHealth& health) {
  if (health.bytes_in_use < much) {
    return "";
  }
  const uint64_t shown = health.bytes_in_use / much_step * much_step;
  return "its database has more than " + std::to_string(shown >> 20) +
         " MiB: is auto-compaction on?";
}

}  // namespace

void EtcdClient::on_look(int, short, void* self) noexcept {
  static_cast<EtcdClient*>(self)->look_at_health();
}

void EtcdClient::look_at_health() {
  is_looking_ = true;
  http_.post(endpoints_.current() + etcd_status_path, headers(), encode_status(), look_limit,
             [this](const EtcdHttpAnswer& answer) { note_health(answer); });
}

// A refused question may be the first sign of a trouble that the status names.
void EtcdClient::look_soon() {
  if (!is_looking_) {
    evtimer_del(look_.get());
    look_at_health();
  }
}

void EtcdClient::note_health(const EtcdHttpAnswer& answer) {
  is_looking_ = false;
  health_ = answer.status == 200 ? decode_health(answer.body) : std::nullopt;
  const std::string trouble = health_ ? trouble_of(*health_) : "";
  evtimer_add(look_.get(), health_ && trouble.empty() ? &look_every : &look_at_trouble_every);
  const std::string complaint = health_ && trouble.empty() ? warning_of(*health_) : trouble;
  if (!health_ || complaint == complaint_) {
    return;
  }
  if (complaint.empty()) {
    log_line(Level::info, "etcd: well again endpoint=%s", endpoint().c_str());
    log_flush();
  } else {
    log_line(Level::warning, "etcd: endpoint=%s: %s", endpoint().c_str(), complaint.c_str());
  }
  complaint_ = complaint;
}

bool EtcdClient::is_full() const {
  return health_ && health_->errors.find("NOSPACE") != std::string::npos;
}

}  // namespace distributex
