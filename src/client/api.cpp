// SPDX-License-Identifier: MIT
//
// How libcurl is used: a connection for each request (requests are seconds apart, and a connection
// that died unnoticed must not cost a renewal), proxies only if asked for, HTTP 1.1 only, no
// redirects, bounded answers, descriptors that no command inherits. TCP keepalive notices that a
// server's host has vanished while the client waits.
#include "client/api.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "client/curl.h"
#include "client/say.h"

namespace distributex::client {

namespace {

constexpr std::size_t body_bound = std::size_t{32}
                                   << 20U;  // the status of a very large server fits
constexpr int keepalive_idle_seconds = 20;
constexpr int keepalive_pause_seconds = 5;
constexpr int keepalive_probes = 4;

#ifndef DISTRIBUTEX_VERSION
#define DISTRIBUTEX_VERSION "dev"
#endif

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* arg) noexcept {
  auto& raw = *static_cast<RawAnswer*>(arg);
  if (raw.body.size() + size * count > body_bound) {
    return 0;
  }
  raw.body.append(data, size * count);
  return size * count;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* arg) noexcept {
  take_header(*static_cast<RawAnswer*>(arg), std::string_view(data, size * count));
  return size * count;
}

curl_socket_t on_socket(void*, curlsocktype, curl_sockaddr* address) noexcept {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int on_socket_options(void*, curl_socket_t fd, curlsocktype) noexcept {
  const int on = 1;
  const int unacknowledged_ms =
      1000 * (keepalive_idle_seconds + keepalive_probes * keepalive_pause_seconds);
  // Ignore failures: without these options a dead server is only noticed later.
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_idle_seconds, sizeof(int));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &keepalive_pause_seconds, sizeof(int));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &keepalive_probes, sizeof(int));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
  return CURL_SOCKOPT_OK;
}

long milliseconds_up(Span span) {
  return std::max(1L, static_cast<long>((span.count() + 999'999) / 1'000'000));
}

std::string make_url(const Server& server, const std::string& target) {
  std::string name = server.address();
  if (const std::size_t zone = name.find('%'); zone != std::string::npos) {
    name.insert(zone + 1, "25");
  }
  return (server.tls ? "https://" : "http://") + name + target;
}

// Uses the system's text for a failed connection, which is clearer than the library's.
std::string describe(CURLcode code, CURL* easy, const char* detail) {
  long system_error = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_error);
  if (code == CURLE_COULDNT_CONNECT && system_error != 0) {
    return strerrordesc_np(static_cast<int>(system_error));
  }
  return printable(detail[0] != '\0' ? detail : curl_easy_strerror(code));
}

}  // namespace

struct Api::Call {
  Ticket ticket = 0;
  Server server;
  HeaderList headers;
  Easy easy;
  RawAnswer raw;
  std::array<char, CURL_ERROR_SIZE> trouble{};
  bool done = false;
};

void Api::CleanUp::operator()(void* multi) const noexcept {
  curl_multi_cleanup(multi);
  curl_global_cleanup();
}

Api::Api(std::string proxy, Proofs proofs) : proxy_(std::move(proxy)), secure_(std::move(proofs)) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    give_up_on_curl("curl_global_init");
  }
  multi_.reset(curl_multi_init());
  if (!multi_) {
    give_up_on_curl("curl_multi_init");
  }
}

Api::~Api() {
  while (!calls_.empty()) {
    drop(calls_.back()->ticket);
  }
}

Api::Ticket Api::begin(const Query& query) {
  auto call = std::make_unique<Call>();
  call->ticket = ++last_ticket_;
  call->server = query.server;
  call->easy.reset(curl_easy_init());
  CURL* easy = call->easy.get();
  if (easy == nullptr) {
    give_up_on_curl("curl_easy_init");
  }
  set(easy, CURLOPT_URL, make_url(query.server, query.target).c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_PROXY, proxy_.c_str());
  set(easy, CURLOPT_NOPROXY, "");
  set(easy, CURLOPT_USERAGENT, "distributex/" DISTRIBUTEX_VERSION);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  if (query.post) {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDS, "");
    set(easy, CURLOPT_POSTFIELDSIZE, 0L);
  }
  set(easy, CURLOPT_QUICK_EXIT, 1L);  // never wait for a name service that hangs
  set(easy, CURLOPT_FORBID_REUSE, 1L);
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_DNS_CACHE_TIMEOUT, query.known_address ? -1L : 0L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds_up(query.connect_limit));
  set(easy, CURLOPT_TIMEOUT_MS, query.limit ? milliseconds_up(*query.limit) : 0L);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &on_socket);
  set(easy, CURLOPT_SOCKOPTFUNCTION, &on_socket_options);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&call->raw));
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&call->raw));
  set(easy, CURLOPT_ERRORBUFFER, call->trouble.data());
  call->headers.reset(secure_.prepare(easy, query.server));
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
    give_up_on_curl("curl_multi_add_handle");
  }
  calls_.push_back(std::move(call));
  int running = 0;
  (void)curl_multi_perform(multi_.get(), &running);
  return last_ticket_;
}

void Api::drop(Ticket ticket) {
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [ticket](const auto& call) { return call->ticket == ticket; });
  if (found != calls_.end()) {
    (void)curl_multi_remove_handle(multi_.get(), (*found)->easy.get());
    calls_.erase(found);
  }
}

void Api::wait(std::span<const int> descriptors) {
  std::vector<curl_waitfd> extra;
  for (const int fd : descriptors) {
    extra.push_back({fd, CURL_WAIT_POLLIN, 0});
  }
  int running = 0;
  collect();  // begin() may have finished a request already, such as a refused one
  if (std::none_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->done; })) {
    (void)curl_multi_poll(multi_.get(), extra.data(), static_cast<unsigned>(extra.size()), 60'000,
                          nullptr);
  }
  (void)curl_multi_perform(multi_.get(), &running);
}

void Api::finish(void* easy, int code) {
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [easy](const auto& c) { return c->easy.get() == easy; });
  if (found == calls_.end()) {
    return;
  }
  Call& call = **found;
  call.done = true;
  curl_off_t connected_after = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_after);
  call.raw.connected = connected_after > 0;
  if (code == CURLE_OK) {
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &call.raw.status);
    if (secure_.begins_afresh(easy, call.server, call.raw.status)) {
      begin_afresh(call);
    }
    return;
  }
  call.raw.status = 0;
  if (auto why = secure_.explain(easy, code, call.trouble.data(), call.server)) {
    call.raw.trouble = std::move(*why);
    call.raw.lasting = true;
    return;
  }
  call.raw.trouble = describe(static_cast<CURLcode>(code), easy, call.trouble.data());
}

// Makes the request again: a server that refused it has done nothing.
void Api::begin_afresh(Call& call) {
  (void)curl_multi_remove_handle(multi_.get(), call.easy.get());
  call.raw = {};
  call.done = false;
  if (curl_multi_add_handle(multi_.get(), call.easy.get()) != CURLM_OK) {
    give_up_on_curl("curl_multi_add_handle");
  }
}

void Api::collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) {
      finish(message->easy_handle, message->data.result);
    }
  }
}

std::optional<Api::Answer> Api::next() {
  collect();
  const auto found =
      std::find_if(calls_.begin(), calls_.end(), [](const auto& call) { return call->done; });
  if (found == calls_.end()) {
    return std::nullopt;
  }
  Answer answer{(*found)->ticket, std::move((*found)->raw)};
  drop(answer.ticket);
  return answer;
}

}  // namespace distributex::client
