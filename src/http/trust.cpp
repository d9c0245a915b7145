// SPDX-License-Identifier: MIT
#include "http/trust.h"

#include <algorithm>

#include "base/log.h"
#include "base/network.h"
#include "http/certificate.h"

namespace distributex {

namespace {

constexpr auto log_pause = std::chrono::seconds{1};

}  // namespace

void Trust::configure(bool judging, bool in_clear, Secrets secrets) {
  judging_ = judging;
  in_clear_ = in_clear;
  secrets_ = std::move(secrets);
}

Trust::Verdict Trust::judge(std::span<const std::string_view> headers, const Identity& identity,
                            std::time_t now) const {
  if (headers.empty()) {
    return {};
  }
  if (headers.size() > 1) {
    return {"twice", "there is more than one Authorization header"};
  }
  const auto shown = read_authorization(headers.front());
  if (!shown) {
    return {"malformed",
            "the Authorization header has no secret of this service: send Bearer and the secret, "
            "or Basic with the secret as the password"};
  }
  if (!identity.private_channel && !in_clear_ && !is_local(identity)) {
    return {"clear",
            "a secret came in clear, where others can read it: use https, and a new secret"};
  }
  const Secret* secret = secrets_.find(shown->digest);
  if (!secret) {
    return {"unknown", "this secret is not known here: it was revoked, or is of another server"};
  }
  if (!shown->name.empty() && shown->name != secret->name) {
    return {"name",
            "this secret does not belong to the name that was sent: leave the name empty, or send "
            "the right one"};
  }
  if (secret->until && now >= *secret->until) {
    return {"ended", "this secret ended on " + date_text(*secret->until) + ": ask for a new one"};
  }
  return {.secret = shown->digest};
}

void Trust::add(const Digest& digest, std::time_t now, Identity& identity) const {
  const Secret* secret = secrets_.find(digest);
  if (secret && (!secret->until || now < *secret->until)) {
    identity.secret_name = secret->name;
    identity.secret_hosts = secret->hosts;
  }
}

void Trust::count_failure(std::string_view reason, std::string_view peer, Time now) {
  const auto place = failures_.find(reason);
  ++(place != failures_.end() ? place : failures_.emplace(reason, 0).first)->second;
  if (now - logged_at_ < log_pause) {
    return;
  }
  logged_at_ = now;
  log_line(Level::warning, "proof refused reason=%.*s peer=%.*s", static_cast<int>(reason.size()),
           reason.data(), static_cast<int>(peer.size()), peer.data());
}

}  // namespace distributex
