// SPDX-License-Identifier: MIT
//
// TLS and proofs on libcurl's handles: sets the files to use and the secret to send, and explains
// failures of certificates. Files are read again for each request, so if a certificate or a secret
// is renewed while a command runs, the next request uses the new one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/proofs.h"
#include "client/server.h"

struct curl_slist;

namespace distributex::client {

class Secure {
 public:
  explicit Secure(Proofs proofs) : proofs_(std::move(proofs)) {}

  // Prepares a request to this server. The returned list must live as long as the handle.
  [[nodiscard]] curl_slist* prepare(void* easy, const Server& server);

  // Whether an answer with this status may be due to a TLS session that was resumed from an earlier
  // certificate. If so, make the same request once more: this and all later ones resume no session.
  [[nodiscard]] bool begins_afresh(void* easy, const Server& server, long status);

  // Explains a failure that certificates caused, which no retry mends; nullopt: another cause.
  [[nodiscard]] std::optional<std::string> explain(void* easy, int code, const char* detail,
                                                   const Server& server) const;

 private:
  [[nodiscard]] const std::string& secret();
  [[nodiscard]] std::string explain_server(void* easy, const char* detail,
                                           const Server& server) const;

  struct CleanUp {
    void operator()(void* share) const noexcept;
  };
  Proofs proofs_;
  std::unique_ptr<void, CleanUp> sessions_;  // TLS sessions to resume, which saves handshakes
  int connections_ = 0;                      // requests over TLS
  bool resumes_ = true;
};

}  // namespace distributex::client
