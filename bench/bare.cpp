// SPDX-License-Identifier: MIT
// The server that the daemon is compared with: evhttp with nothing behind it. It answers
// "YES" to every request. With --lock it has a queue for each pool, but no owners,
// leases, checks or limits. It is no lock server.
//
// --ours gives it the daemon's limits, as many headers, and epoll's change list,
// which is libevent's fastest setting; without --ours evhttp has its defaults.
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string_view>
#include <vector>

namespace {

constexpr size_t most_pools = 100000;

struct Pool {
  bool held = false;
  std::deque<evhttp_request*> line;
};

struct Bare {
  bool lock = false;
  bool ours = false;
  evbuffer* body = nullptr;
  std::vector<Pool> pools;
};

void add_headers(evhttp_request* request) {
  evkeyvalq* out = evhttp_request_get_output_headers(request);
  evhttp_add_header(out, "Content-Type", "text/plain; charset=utf-8");
  evhttp_add_header(out, "Cache-Control", "no-store");
  evhttp_add_header(out, "Distributex-Result", "granted");
  evhttp_add_header(out, "Distributex-Token", "1700000000000000");
  evhttp_add_header(out, "Distributex-Expires", "1800.000");
}

void say(const Bare& bare, evhttp_request* request, std::string_view word) {
  if (bare.ours) {
    add_headers(request);
  }
  evbuffer_add(bare.body, word.data(), word.size());
  evhttp_send_reply(request, 200, "OK", bare.body);
}

Pool& pool_of(Bare& bare, const char* uri) {
  const char* found = strstr(uri, "pool=p");
  size_t number = found ? strtoul(found + 6, nullptr, 10) : 0;
  if (number >= most_pools) {
    number = 0;
  }
  if (number >= bare.pools.size()) {
    bare.pools.resize(number + 1);
  }
  return bare.pools[number];
}

void release(Bare& bare, Pool& pool) {
  pool.held = !pool.line.empty();
  if (!pool.held) {
    return;
  }
  evhttp_request* next = pool.line.front();
  pool.line.pop_front();
  say(bare, next, "YES");
}

void on_request(evhttp_request* request, void* self) noexcept {
  Bare& bare = *static_cast<Bare*>(self);
  const char* uri = evhttp_request_get_uri(request);
  if (!bare.lock) {
    return say(bare, request, "YES");
  }
  Pool& pool = pool_of(bare, uri);
  const std::string_view path = uri;
  if (path.starts_with("/release")) {
    release(bare, pool);
    return say(bare, request, "OK");
  }
  if (pool.held && path.starts_with("/wait")) {
    return pool.line.push_back(request);
  }
  say(bare, request, pool.held ? "NO" : "YES");
  pool.held = true;
}

// Listens on a free port of the loopback, and announces it as the daemon does.
int listening_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in at{};
  socklen_t size = sizeof at;
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    perror("bare");
    exit(EXIT_FAILURE);
  }
  fprintf(stderr, "listening address=127.0.0.1:%d\n", ntohs(at.sin_port));
  return fd;
}

void raise_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return;
  }
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int main(int argc, char** argv) {
  Bare bare;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--lock") == 0) {
      bare.lock = true;
    }
    if (strcmp(argv[i], "--ours") == 0) {
      bare.ours = true;
    }
  }
  raise_limit();
  signal(SIGPIPE, SIG_IGN);
  bare.body = evbuffer_new();
  event_config* config = event_config_new();
  if (bare.ours) {
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
  }
  event_base* base = event_base_new_with_config(config);
  evhttp* http = evhttp_new(base);
  if (bare.ours) {
    evhttp_set_max_headers_size(http, 8192);
    evhttp_set_max_body_size(http, 8192);
    evhttp_set_default_content_type(http, nullptr);
  }
  evhttp_set_gencb(http, on_request, &bare);
  evhttp_accept_socket(http, listening_socket());
  event_base_dispatch(base);
  return EXIT_FAILURE;
}
