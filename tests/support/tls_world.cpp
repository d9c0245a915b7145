// SPDX-License-Identifier: MIT
#include "support/tls_world.h"

#include <sys/stat.h>

#include <cstdlib>

namespace distributex::test {

TlsWorld::TlsWorld(KeyKind server_key) {
  const Issued server =
      puppet.issuing.issue({.common_name = "localhost", .dns = {"localhost"}, .key = server_key});
  put("server.pem", server.pem + puppet.issuing.pem());
  put("server.key", server.key_pem);
  (void)chmod(file("server.key").c_str(), 0640);
  put("ca.pem", puppet.ca_pem());
  put_crl();
}

std::string TlsWorld::yaml(const std::string& more) const {
  return "listen: [\"tls:127.0.0.1:0\", \"127.0.0.1:0\"]\n"
         "tls_certificate: " +
         file("server.pem") + "\ntls_key: " + file("server.key") + "\n" + more +
         "pools: [{name: p, expire: 60}, {name: q, expire: 60}]\n";
}

bool TlsWorld::start(const std::string& more) {
  daemon.emplace(yaml(more));
  if (!daemon->start({.args = {}})) {
    return false;
  }
  for (const std::string& address : daemon->addresses()) {
    const auto port =
        static_cast<uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str()));
    (address.starts_with("tls:") ? tls_ : plain_) = port;
  }
  return tls_ != 0 && plain_ != 0;
}

bool TlsWorld::reload(const std::string& more) {
  const auto outcome = daemon->reload(yaml(more));
  return outcome && outcome->find("reloaded") != std::string::npos;
}

TlsOptions TlsWorld::with(const Issued& issued, int version) const {
  return {
      .version = version, .certificate = issued.pem + puppet.issuing.pem(), .key = issued.key_pem};
}

}  // namespace distributex::test
