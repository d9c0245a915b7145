// SPDX-License-Identifier: MIT
// What is proven about the client of a request: by its connection, and by the request's
// Authorization header.
#include <event2/keyvalq_struct.h>
#include <strings.h>

#include "base/clock.h"
#include "http/server.h"

namespace distributex {

// Adds what the secret of the request proves to request.peer. Counts a secret or a
// certificate that is refused. A brief request has no Authorization header.
void Http::judge(Connection& conn, HttpRequest& request, std::string& complaint) {
  conn.secret.reset();
  if (!trust_.judging()) {
    return;
  }
  std::vector<std::string_view> values;
  const evkeyval* first = request.headers ? request.headers->tqh_first : nullptr;
  for (const evkeyval* h = first; h; h = h->next.tqe_next) {
    if (strcasecmp(h->key, "Authorization") == 0) {
      values.emplace_back(h->value);
    }
  }
  const std::time_t now = wall_seconds();
  Trust::Verdict verdict = trust_.judge(values, request.peer, now);
  if (verdict.secret) {
    conn.secret = std::make_unique<Digest>(*verdict.secret);
    trust_.add(*conn.secret, now, request.peer);
  }
  const std::string_view reason = verdict.reason ? verdict.reason : request.peer.trouble_reason;
  if (!reason.empty()) {
    trust_.count_failure(reason, conn.peer(), steady_now());
  }
  complaint = std::move(verdict.sentence);
  request.proof_complaint = complaint;
}

Identity Http::identity(Ticket ticket) {
  const Connection* conn = at_slot(ticket);
  if (!conn) {
    return {};
  }
  Identity identity = conn->identity();
  if (conn->secret) {
    trust_.add(*conn->secret, wall_seconds(), identity);
  }
  return identity;
}

}  // namespace distributex
