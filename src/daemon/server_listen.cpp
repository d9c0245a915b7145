// SPDX-License-Identifier: MIT
// Opens the server's listeners: those of the service manager if there are any, else those of
// the command line and the configuration.
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include "base/log.h"
#include "daemon/server.h"

namespace distributex {

std::optional<std::string> Server::open() {
  successor_listens_ = !setup_.inherited.empty();
  for (Listener& listener : setup_.inherited) {
    if (auto error = serve_on(std::move(listener))) {
      return error;
    }
  }
  if (successor_listens_) {
    return std::nullopt;
  }
  bool listens = false;
  for (const std::string& address : addresses_of(setup_.listen, setup_.settings.service.listen)) {
    auto opened = open_listeners(address);
    if (auto* error = std::get_if<std::string>(&opened)) {
      return std::move(*error);
    }
    auto& listeners = std::get<std::vector<Listener>>(opened);
    if (listeners.empty()) {
      log_line(Level::warning, "left out address=%s reason=\"this machine has no IPv6\"",
               address.c_str());
    }
    for (Listener& listener : listeners) {
      if (auto error = serve_on(std::move(listener))) {
        return error;
      }
      listens = true;
    }
  }
  if (!listens) {
    return "cannot listen: this machine has no IPv6, and no other address is given";
  }
  return std::nullopt;
}

std::optional<std::string> Server::serve_on(Listener listener) {
  const std::string name = listener.address;
  if (!listener.unix_path.empty()) {
    unix_paths_.push_back(listener.unix_path);
  }
  if (successor_listens_) {
    inherited_addresses_.push_back(name);
  }
  if (listener.tls) {
    tls_.start();
  }
  const size_t transport = listener.tls ? tls_transport_ : Http::plain_transport;
  if (!http_.listen_on(std::move(listener), transport)) {
    return "cannot listen on " + name + ": " + std::strerror(errno);
  }
  log_line(Level::info, "listening address=%s%s", name.c_str(),
           successor_listens_ ? " inherited" : "");
  return std::nullopt;
}

}  // namespace distributex
