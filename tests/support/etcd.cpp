// SPDX-License-Identifier: MIT
// Elections are quick, and nothing waits for the disk unless it shall.
#include "support/etcd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "support/http.h"
#include "support/memcached.h"

namespace distributex::test {

namespace {

constexpr const char* any_key = R"({"key":"eA=="})";

// The number behind "NAME":" in a flat answer; 0 when it is missing.
uint64_t number_in(const std::string& body, const std::string& name) {
  const size_t at = body.find("\"" + name + "\":\"");
  return at == std::string::npos ? 0 : strtoull(body.c_str() + at + name.size() + 4, nullptr, 10);
}

}  // namespace

bool EtcdCluster::is_installed() {
  static const bool is_there = std::system("command -v etcd >/dev/null 2>&1") == 0;
  if (!is_there) {
    fprintf(stderr, "skipped: there is no etcd (make deps installs it)\n");
  }
  return is_there;
}

EtcdCluster::~EtcdCluster() {
  for (size_t i = 0; i < members_.size(); i++) {
    kill_now(i);
  }
}

bool EtcdCluster::start() {
  for (Member& member : members_) {
    member.client = free_port();
    member.peer = free_port();
    member.tls = has_tls_ ? free_port() : 0;
  }
  for (size_t i = 0; i < members_.size(); i++) {
    spawn(i);
  }
  for (size_t i = 0; i < members_.size(); i++) {
    if (!wait_ready(i)) {
      return false;
    }
  }
  return true;
}

std::string EtcdCluster::url(size_t i) const {
  return "http://127.0.0.1:" + std::to_string(members_[i].client);
}

std::string EtcdCluster::peer_url(size_t i) const {
  return "http://127.0.0.1:" + std::to_string(members_[i].peer);
}

std::string EtcdCluster::tls_url(size_t i) const {
  return "https://127.0.0.1:" + std::to_string(members_[i].tls);
}

// The gateway of a member asks the member itself with the member's own certificate,
// which therefore has to be good for a client as well.
bool EtcdCluster::add_tls() {
  write_file(file("server.ext"),
             "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
  write_file(file("client.ext"), "extendedKeyUsage=clientAuth\n");
  const std::string in = "cd " + dir_.path() + " && ";
  const std::string key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
  const auto sign = [&](const std::string& name) {
    return "openssl x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -in " + name +
           ".csr -extfile " + name + ".ext -out " + name + ".pem";
  };
  const std::string commands[] = {
      key + "-x509 -days 2 -subj /CN=ca -keyout ca.key -out ca.pem",
      key + "-subj /CN=etcd -keyout server.key -out server.csr",
      sign("server"),
      key + "-subj /O=distributex -keyout client.key -out client.csr",
      sign("client"),
  };
  for (const std::string& command : commands) {
    if (std::system((in + command + " >>openssl.log 2>&1").c_str()) != 0) {
      return false;
    }
  }
  has_tls_ = true;
  return true;
}

std::string EtcdCluster::hosts() const {
  std::string list;
  for (size_t i = 0; i < members_.size(); i++) {
    list += (i == 0 ? "" : ",") + url(i);
  }
  return list;
}

std::string EtcdCluster::listened(size_t i) const {
  if (is_everywhere_) {
    return "http://0.0.0.0:" + std::to_string(members_[i].client);
  }
  return has_tls_ ? url(i) + "," + tls_url(i) : url(i);
}

std::vector<std::string> EtcdCluster::words_of(size_t i) const {
  std::string cluster;
  for (size_t k = 0; k < members_.size(); k++) {
    cluster += (k == 0 ? "m" : ",m") + std::to_string(k) + "=" + peer_url(k);
  }
  const std::string peer = peer_url(i);
  std::vector<std::string> words{"etcd",
                                 "--name",
                                 "m" + std::to_string(i),
                                 "--data-dir",
                                 dir_.file("m" + std::to_string(i)),
                                 "--listen-client-urls",
                                 listened(i),
                                 "--advertise-client-urls",
                                 url(i),
                                 "--listen-peer-urls",
                                 peer,
                                 "--initial-advertise-peer-urls",
                                 peer,
                                 "--initial-cluster",
                                 cluster,
                                 "--initial-cluster-state",
                                 members_[i].is_new ? "new" : "existing",
                                 "--strict-reconfig-check=false",
                                 "--heartbeat-interval",
                                 "50",
                                 "--election-timeout",
                                 "500",
                                 "--logger",
                                 "zap",
                                 "--log-outputs",
                                 "stderr"};
  words.insert(words.end(), options_.begin(), options_.end());
  if (!syncs_) {
    words.emplace_back("--unsafe-no-fsync");
  }
  if (has_tls_) {
    words.insert(words.end(), {"--cert-file", file("server.pem"), "--key-file", file("server.key"),
                               "--trusted-ca-file", file("ca.pem"), "--client-cert-auth"});
  }
  return words;
}

void EtcdCluster::spawn(size_t i) {
  std::vector<std::string> words = words_of(i);
  std::vector<char*> args;
  for (std::string& word : words) {
    args.push_back(word.data());
  }
  args.push_back(nullptr);
  const std::string log = dir_.file("m" + std::to_string(i) + ".log");
  members_[i].pid = fork();
  if (members_[i].pid != 0) {
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(fd, STDERR_FILENO);
  dup2(fd, STDOUT_FILENO);
  execvp("etcd", args.data());
  _exit(127);
}

bool EtcdCluster::is_ready(size_t i) const {
  return post(i, "/v3/kv/range", any_key).find("revision") != std::string::npos;
}

bool EtcdCluster::wait_ready(size_t i) const {
  return eventually([&] { return is_ready(i); });
}

std::string EtcdCluster::post(size_t i, std::string_view path, std::string_view body) const {
  Connection connection(members_[i].client);
  if (!connection.connected()) {
    return "";
  }
  const std::string request = "POST " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" +
                              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                              std::string(body);
  if (!connection.send(request)) {
    return "";
  }
  const auto response = connection.response(false, milliseconds(3000));
  return response ? response->body : "";
}

std::optional<size_t> EtcdCluster::leader() const {
  for (size_t i = 0; i < members_.size(); i++) {
    if (members_[i].pid < 0) {
      continue;
    }
    const std::string status = post(i, "/v3/maintenance/status", "{}");
    const uint64_t self = number_in(status, "member_id");
    if (self != 0 && self == number_in(status, "leader")) {
      return i;
    }
  }
  return std::nullopt;
}

double EtcdCluster::metric(size_t i, std::string_view name) const {
  const std::string text = fetch(members_[i].client, "/metrics").body;
  const std::string line = "\n" + std::string(name) + " ";
  const size_t at = text.find(line);
  return at == std::string::npos ? 0 : strtod(text.c_str() + at + line.size(), nullptr);
}

uint64_t EtcdCluster::revision() const {
  return number_in(post(0, "/v3/kv/range", any_key), "revision");
}

void EtcdCluster::stop(size_t i) { stop_process(members_[i].pid); }
void EtcdCluster::go_on(size_t i) { kill(members_[i].pid, SIGCONT); }

void EtcdCluster::kill_now(size_t i) {
  if (members_[i].pid <= 0) {
    return;
  }
  kill(members_[i].pid, SIGKILL);
  waitpid(members_[i].pid, nullptr, 0);
  members_[i].pid = -1;
}

void EtcdCluster::restart(size_t i) { spawn(i); }

// By its address: a member that has just come has no name yet.
std::string EtcdCluster::id_in(const std::string& list, size_t i) const {
  const size_t address = list.find("\"" + peer_url(i) + "\"");
  const size_t at = address == std::string::npos ? address : list.rfind("\"ID\":", address);
  return at == std::string::npos ? "" : std::to_string(number_in(list.substr(at), "ID"));
}

// Uses another address: the new member reads of its predecessors in the log, and would take a
// connection to one of them for a connection to itself.
bool EtcdCluster::replace(size_t i) {
  kill_now(i);
  wipe(i);
  const size_t other = (i + 1) % members_.size();
  std::string said;
  const bool is_out = eventually([&] {
    const std::string list = post(other, "/v3/cluster/member/list", "{}");
    const std::string id = id_in(list, i);
    const bool is_listed = !list.empty() && !id.empty();
    said = is_listed ? post(other, "/v3/cluster/member/remove", R"({"ID":")" + id + R"("})") : list;
    return said.find("\"members\"") != std::string::npos;
  });
  members_[i].peer = free_port();
  members_[i].is_new = false;
  const bool is_in =
      is_out && eventually([&] {
        said = post(other, "/v3/cluster/member/add", R"({"peerURLs":[")" + peer_url(i) + R"("]})");
        return !id_in(said, i).empty() ||
               !id_in(post(other, "/v3/cluster/member/list", "{}"), i).empty();
      });
  if (is_in) {
    spawn(i);
  }
  // Try again: the new member gives up if the member that it asks does not know it yet.
  const auto has_come = [&] {
    if (waitpid(members_[i].pid, nullptr, WNOHANG) != 0) {
      wipe(i);
      spawn(i);
    }
    return is_ready(i);
  };
  const bool is_back = is_in && eventually(has_come, 3 * patience);
  if (!is_back) {
    fprintf(stderr, "member %zu: out %d, in %d: %s\n", i, is_out, is_in, said.c_str());
  }
  return is_back;
}

void EtcdCluster::wipe(size_t i) {
  std::filesystem::remove_all(dir_.file("m" + std::to_string(i)));
}

}  // namespace distributex::test
