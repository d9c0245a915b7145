// SPDX-License-Identifier: MIT
//
// TLS and proofs on libcurl's handles: which files are used, what is shown to a server, which
// failures are theirs. Files are read again for each request, so a certificate or a secret that is
// renewed while a command runs counts from then on.
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

  // For a request to this server. The list that is returned must live as long as the handle.
  [[nodiscard]] curl_slist* prepare(void* easy, const Server& server);

  // Whether an answer with this status may come of a session of an earlier certificate. Then the
  // same request is to be made once more: the handle begins anew, and so do all later ones.
  [[nodiscard]] bool begins_afresh(void* easy, const Server& server, long status);

  // What a failed request has to do with certificates; nullopt: nothing. Asking again is of no use
  // before somebody mends it.
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
  std::unique_ptr<void, CleanUp> sessions_;  // to be resumed: a handshake is dear
  int connections_ = 0;                      // over TLS, tried
  bool resumes_ = true;
};

}  // namespace distributex::client
