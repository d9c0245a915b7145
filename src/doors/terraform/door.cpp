// SPDX-License-Identifier: MIT
// The door of Terraform and OpenTofu: the locks of their `http` backend. The path below
// /terraform/ names the pool, and the ID alone names the lock. The state itself is kept by
// another server.
#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "doors/query.h"
#include "doors/refusal.h"
#include "doors/rows.h"
#include "doors/terraform/info.h"
#include "lock/note.h"

namespace distributex {

namespace {

constexpr size_t body_limit = 65536;
constexpr std::string_view prefix = "terraform/";
constexpr size_t holders_searched = 1'000'000;  // the largest maxlocks

// A client asks again after 1, 2, 4, 8 and then each 16 s. With a mere get it would never
// be granted a lock while others wait: so each request waits for a moment, and keeps its
// place in the line until the next one.
constexpr std::chrono::milliseconds patience{500};
constexpr std::chrono::seconds pause_at_most{40};

enum Operation : Form { lock, unlock, look };

bool has(std::string_view path) { return path.starts_with(prefix); }

Form form_of(const HttpRequest& request) {
  switch (request.method) {
    case HttpMethod::lock:
    case HttpMethod::post:
    case HttpMethod::put:
      return lock;
    case HttpMethod::unlock:
    case HttpMethod::remove:
      return unlock;
    case HttpMethod::get:
    case HttpMethod::head:
    case HttpMethod::options:
    case HttpMethod::other:
      return look;
  }
  return look;
}

Verb verb_of(Form form) { return form == unlock ? Verb::release : Verb::wait; }

HttpReply text_reply(int status, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.headers.add("Cache-Control", "no-store");
  if (status == 503) {
    reply.headers.add("Retry-After", "1");
  }
  if (!text.empty()) {
    reply.body = std::move(text) + "\n";
  }
  return reply;
}

// A client reads from the body of 423 or 409 who has the lock.
HttpReply info_reply(int status, const LockInfo& info) {
  HttpReply reply = text_reply(status, lock_info_json(info));
  reply.content_type = "application/json";
  return reply;
}

// If a holder has the ID of the client, the client itself has the lock: it may have sent
// another `who` then, which makes another owner.
HttpReply locked(const Answer& answer) {
  LockInfo info{.id = "unknown",
                .operation = "held through Distributex",
                .info = "no slot of the pool is free",
                .who = "unknown",
                .version = {},
                .created = rfc3339(wall_us()),
                .path = {}};
  if (answer.standing && !answer.standing->holders.empty()) {
    for (const Standing::Holder& holder : answer.standing->holders) {
      if (holder.owner.id == answer.owner.id && door_of(holder.note) == "terraform") {
        return text_reply(200, {});
      }
    }
    const Standing::Holder& oldest = answer.standing->holders.front();
    info = info_of(oldest.owner, oldest.token, oldest.note, oldest.held, wall_us());
  }
  if (answer.frozen) {
    info.info = answer.frozen->reason;
    info.who = answer.frozen->by;
  }
  return info_reply(423, info);
}

HttpReply write(const Answer& answer, Form) {
  switch (answer.result) {
    case Result::granted:
    case Result::held:
    case Result::released:
    case Result::not_held:
    case Result::renewed:
    case Result::evicted:   // force-unlock has ended the lease
    case Result::no_lease:  // the lease had ended before
      return text_reply(200, {});
    case Result::busy:
    case Result::timeout:
    case Result::lost:
      return locked(answer);
    case Result::frozen:  // this and the next two: no request of this door gets them
    case Result::thawed:
    case Result::not_frozen:
    case Result::invalid: {
      HttpReply reply = text_reply(fault_status(answer.fault), answer.error);
      add_login(reply);
      return reply;
    }
    case Result::unavailable:
      return text_reply(503, answer.error);
  }
  return text_reply(503, answer.error);
}

Refused refuse(Form form, std::string pool, Fault fault, std::string why) {
  Answer answer;
  answer.pool = std::move(pool);
  answer.result = Result::invalid;
  answer.fault = fault;
  answer.error = std::move(why);
  HttpReply reply = write(answer, form);
  return {.verb = verb_of(form), .answer = std::move(answer), .reply = std::move(reply)};
}

// In a path + is a plus, but read_name() decodes it to a space: so it is encoded before.
Complaint read_pool(std::string_view path, std::string& pool) {
  std::string raw;
  for (const char c : path.substr(prefix.size())) {
    c == '+' ? raw.append("%2B") : raw.append(1, c);
  }
  return read_name("pool", raw, pool);
}

LockInfo info_of_lease(const Lease& lease, Time now) {
  return info_of(lease.owner, lease.token, lease.note, now - lease.since, wall_us());
}

Consult::Settled settle_look(const std::string& pool, const Sight& sight, Time now) {
  if (!sight.find_pool(pool)) {
    return text_reply(404, "there is no such pool on this server");
  }
  const std::vector<Lease> leases = sight.leases(pool, 1);
  if (leases.empty()) {
    return text_reply(404, {});
  }
  return info_reply(200, info_of_lease(leases.front(), now));
}

Command release_of(const std::string& pool, const Lease& lease) {
  Command command;
  command.verb = Verb::release;
  command.pool = pool;
  command.owner = lease.owner;
  command.token = lease.token;
  return command;
}

// A client that repeats a release because its answer was lost gets 200, even if another
// client has the lock already.
Consult::Settled settle_unlock(const std::string& pool, const std::string& id, const Sight& sight,
                               Time now) {
  const std::vector<Lease> leases = sight.leases(pool, holders_searched);
  const auto own = std::find_if(leases.begin(), leases.end(),
                                [&](const Lease& lease) { return lease.owner.id == id; });
  if (own != leases.end()) {
    return release_of(pool, *own);
  }
  if (sight.was_released(pool, id)) {
    return text_reply(200, {});
  }
  // Comes after was_released(): the engine forgets an unused pool that a pattern has made.
  if (!sight.find_pool(pool)) {
    return refuse(unlock, pool, Fault::not_found, "there is no such pool on this server");
  }
  if (leases.empty()) {
    return text_reply(200, {});
  }
  Refused refused = refuse(unlock, pool, Fault::bad_request, "another ID has the lock");
  refused.answer.owner.id = id;
  refused.reply = info_reply(409, info_of_lease(leases.front(), now));
  return refused;
}

// An unlock without an ID, force-unlock: evicts the holder. The rules of the engine decide
// whether the client may evict.
Consult::Settled settle_force(const std::string& pool, const Sight& sight) {
  if (!sight.find_pool(pool)) {
    return refuse(unlock, pool, Fault::not_found, "there is no such pool on this server");
  }
  const std::vector<Lease> leases = sight.leases(pool, 1);
  if (leases.empty()) {
    return text_reply(200, {});
  }
  Command command;
  command.verb = Verb::evict;
  command.pool = pool;
  command.token = leases.front().token;
  command.reason = "unlocked by force, through terraform";
  return command;
}

Reading read_lock(const HttpRequest& request, std::string pool) {
  auto read = read_lock_info(request.body);
  if (auto* complaint = std::get_if<std::string>(&read)) {
    return refuse(lock, std::move(pool), Fault::bad_request, std::move(*complaint));
  }
  auto& info = std::get<LockInfo>(read);
  Command command;
  command.verb = Verb::wait;
  command.timeout = patience;
  command.comes_back_within = pause_at_most;
  command.pool = std::move(pool);
  command.owner = owner_of(info);
  command.note = note_of(std::move(info));
  command.identity = request.peer;
  return command;
}

Reading read_unlock(const HttpRequest& request, std::string pool) {
  if (request.body.empty()) {
    return Consult{.shows_leases = true,
                   .then = [pool](const Sight& sight, Time) { return settle_force(pool, sight); },
                   .pool = pool};
  }
  auto read = read_lock_info(request.body);
  if (auto* complaint = std::get_if<std::string>(&read)) {
    return refuse(unlock, std::move(pool), Fault::bad_request, std::move(*complaint));
  }
  return Consult{
      .shows_leases = true,
      .then = [pool, id = std::move(std::get<LockInfo>(read).id)](
                  const Sight& sight, Time now) { return settle_unlock(pool, id, sight, now); },
      .pool = pool};
}

Reading read(const HttpRequest& request, Form form) {
  std::string pool;
  if (Complaint complaint = read_pool(request.path, pool); !complaint.empty()) {
    return refuse(form, {}, Fault::bad_request, std::move(complaint));
  }
  switch (form) {
    case lock:
      return read_lock(request, std::move(pool));
    case unlock:
      return read_unlock(request, std::move(pool));
    default:
      return Consult{
          .shows_leases = true,
          .then = [pool](const Sight& sight, Time now) { return settle_look(pool, sight, now); },
          .pool = pool};
  }
}

}  // namespace

constinit const Door terraform_door{
    .name = "terraform",
    .has = has,
    .methods = methods_of({HttpMethod::get, HttpMethod::post, HttpMethod::put, HttpMethod::remove,
                           HttpMethod::lock, HttpMethod::unlock}),
    .body_limit = body_limit,
    .read = read,
    .form = form_of,
    .write = write,
};

}  // namespace distributex
