// SPDX-License-Identifier: MIT
// Leases that begin, go on and end are info, and so are requests that had to be
// turned away; a lock that is busy is everyday life: debug.
#include "server_log.h"

#include "log.h"
#include "reply.h"
#include "request.h"

namespace distributex {

namespace {

Level level_of(Result result) {
  switch (result) {
    case Result::granted:
    case Result::released:
    case Result::timeout:
    case Result::lost:
    case Result::invalid:
    case Result::unavailable:
      return Level::info;
    case Result::held:
    case Result::busy:
    case Result::not_held:
    case Result::renewed:
      return Level::debug;
  }
  return Level::info;
}

// pool="..." host="..." id="...", the quotes inside escaped as well.
std::string quoted(const char* key, std::string_view text) {
  std::string out = std::string{key} + "=\"";
  for (const char c : escaped(text)) {
    if (c == '"')
      out += "\\x22";
    else
      out += c;
  }
  return out + '"';
}

std::string names(std::string_view pool, const Owner& owner) {
  std::string out = quoted("pool", pool) + " " + quoted("host", owner.host);
  if (!owner.id.empty()) out += " " + quoted("id", owner.id);
  return out;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void log_answer(const Answered& answered, Time now) {
  const Answer& answer = answered.answer;
  const Level level = level_of(answer.result);
  if (!log_enabled(level)) return;
  std::string line = std::string{result_name(answer.result)} +
                     " verb=" + std::string{verb_name(answered.verb)} + " " +
                     names(answer.pool, answer.owner);
  if (answer.token != 0) line += " token=" + std::to_string(answer.token);
  if (!answer.error.empty()) line += " " + quoted("error", answer.error);
  log_line(level, "%s waited=%.3f", line.c_str(), seconds_of(now - answered.since));
}

void log_expiry(const std::string& pool, const Lease& lease) {
  if (!log_enabled(Level::info)) return;
  log_line(Level::info, "expired %s token=%llu held=%.3f", names(pool, lease.owner).c_str(),
           static_cast<unsigned long long>(lease.token),
           lease.ends ? seconds_of(*lease.ends - lease.since) : 0.0);
}

}  // namespace distributex
