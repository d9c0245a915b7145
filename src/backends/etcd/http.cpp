// SPDX-License-Identifier: MIT
// libcurl tells which sockets and which time it waits for; the event loop tells
// libcurl when they are due. While libcurl is on the stack it takes no new request, so
// lines and ends are collected first and callbacks run afterwards. Connections stay in the
// multi handle's pool.
#include "backends/etcd/http.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace distributex {

namespace {

constexpr size_t received_max = 16u << 20;  // bytes of an answer, or of a line of a stream
constexpr size_t spare_max = 64;
constexpr long connect_ms = 1000;

}  // namespace

struct EtcdHttp::Exchange {
  EtcdHttp* http = nullptr;
  uint64_t id = 0;
  std::string url;
  std::string body;
  size_t sent = 0;
  bool is_read = false;  // libcurl has taken some of the body
  std::chrono::milliseconds limit{0};
  Line line{};  // empty: no stream
  Done done{};
  std::string received{};
  std::unique_ptr<curl_slist, HeadersFree> headers{};
  std::unique_ptr<CURL, EasyFree> handle{};
  char error[CURL_ERROR_SIZE] = "";

  [[nodiscard]] long status() const {
    long code = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
};

EtcdHttp::EtcdHttp(event_base* base, EtcdTls tls)
    : base_(base), tls_(std::move(tls)), timer_(evtimer_new(base, on_timer, this)) {
  [[maybe_unused]] static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_.reset(curl_multi_init());
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, on_timeout);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
}

EtcdHttp::~EtcdHttp() {
  for (const auto& [id, exchange] : exchanges_) {
    curl_multi_remove_handle(multi_.get(), exchange->handle.get());
  }
  multi_.reset();  // may call on_socket() once more while it closes sockets
}

uint64_t EtcdHttp::post(const std::string& url, const std::vector<std::string>& headers,
                        std::string body, std::chrono::milliseconds limit, Done done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->url = url;
  exchange->body = std::move(body);
  exchange->limit = std::max(limit, std::chrono::milliseconds(1));
  exchange->done = std::move(done);
  return start(std::move(exchange), headers);
}

uint64_t EtcdHttp::stream(const std::string& url, const std::vector<std::string>& headers,
                          std::string body, Line line, Done done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->url = url;
  exchange->body = std::move(body);
  exchange->line = std::move(line);
  exchange->done = std::move(done);
  return start(std::move(exchange), headers);
}

uint64_t EtcdHttp::start(std::unique_ptr<Exchange> exchange,
                         const std::vector<std::string>& headers) {
  exchange->http = this;
  exchange->id = ++last_id_;
  exchange->handle = take_handle();
  curl_slist* list = nullptr;
  for (const std::string& header : headers) {
    list = curl_slist_append(list, header.c_str());
  }
  // Without this libcurl waits a second for "100 Continue" before a long body.
  exchange->headers.reset(curl_slist_append(list, "Expect:"));
  set_options(*exchange);
  Exchange& started = *exchange;
  exchanges_.emplace(started.id, std::move(exchange));
  curl_multi_add_handle(multi_.get(), started.handle.get());
  return started.id;
}

std::unique_ptr<CURL, EtcdHttp::EasyFree> EtcdHttp::take_handle() {
  if (spare_.empty()) {
    return std::unique_ptr<CURL, EasyFree>{curl_easy_init()};
  }
  auto handle = std::move(spare_.back());
  spare_.pop_back();
  return handle;
}

void EtcdHttp::set_options(Exchange& exchange) {
  CURL* handle = exchange.handle.get();
  curl_easy_setopt(handle, CURLOPT_URL, exchange.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PRIVATE, &exchange);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, exchange.error);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // ignore proxies of the environment
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, exchange.headers.get());
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  // The body comes from a callback that cannot seek back: if a kept connection turns out to
  // be closed, libcurl would send a body that it has in memory a second time.
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(handle, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(exchange.body.size()));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  if (exchange.line) {
    curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, 10L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, 5L);
  } else {
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.limit.count()));
  }
  set_tls(exchange);
}

void EtcdHttp::set_tls(Exchange& exchange) {
  CURL* handle = exchange.handle.get();
  if (!tls_.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, tls_.ca_file.c_str());
  }
  if (!tls_.cert_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_SSLCERT, tls_.cert_file.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, tls_.key_file.c_str());
  }
  // No cache, so that a new CA file counts at the next connection and not a day later.
  curl_easy_setopt(handle, CURLOPT_CA_CACHE_TIMEOUT, 0L);
}

void EtcdHttp::cancel(uint64_t id) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) {
    return;
  }
  curl_multi_remove_handle(multi_.get(), it->second->handle.get());
  exchanges_.erase(it);
}

// --- what libcurl calls ---

size_t EtcdHttp::on_read(char* to, size_t size, size_t count, void* data) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(data);
  const size_t most = std::min(size * count, exchange.body.size() - exchange.sent);
  std::memcpy(to, exchange.body.data() + exchange.sent, most);
  exchange.sent += most;
  exchange.is_read = true;
  return most;
}

int EtcdHttp::on_seek(void*, curl_off_t, int) noexcept { return CURL_SEEKFUNC_FAIL; }

size_t EtcdHttp::on_write(char* from, size_t size, size_t count, void* data) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(data);
  exchange.received.append(from, size * count);
  if (exchange.line && exchange.status() == 200) {
    exchange.http->talked_.push_back(exchange.id);
  }
  return exchange.received.size() <= received_max ? size * count : 0;
}

int EtcdHttp::on_socket(CURL*, curl_socket_t fd, int what, void* data, void*) noexcept {
  EtcdHttp& self = *static_cast<EtcdHttp*>(data);
  if (what == CURL_POLL_REMOVE) {
    self.sockets_.erase(fd);
    return 0;
  }
  short events = EV_PERSIST;
  if (what & CURL_POLL_IN) {
    events |= EV_READ;
  }
  if (what & CURL_POLL_OUT) {
    events |= EV_WRITE;
  }
  Event& event = self.sockets_[fd];
  event.reset(event_new(self.base_, fd, events, on_ready, data));
  event_add(event.get(), nullptr);
  return 0;
}

int EtcdHttp::on_timeout(CURLM*, long ms, void* data) noexcept {
  EtcdHttp& self = *static_cast<EtcdHttp*>(data);
  if (ms < 0) {
    evtimer_del(self.timer_.get());
  } else {
    const timeval delay{ms / 1000, ms % 1000 * 1000};
    evtimer_add(self.timer_.get(), &delay);
  }
  return 0;
}

void EtcdHttp::on_ready(int fd, short what, void* data) noexcept {
  const int events =
      (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
  static_cast<EtcdHttp*>(data)->drive(fd, events);
}

void EtcdHttp::on_timer(int, short, void* data) noexcept {
  static_cast<EtcdHttp*>(data)->drive(CURL_SOCKET_TIMEOUT, 0);
}

void EtcdHttp::drive(int fd, int what) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, what, &running);
  tell_lines();
  collect();
}

// --- lines and ends ---

void EtcdHttp::tell_lines() {
  for (const uint64_t id : std::exchange(talked_, {})) {
    tell_lines(id);
  }
}

// The callback for a line may cancel the stream.
void EtcdHttp::tell_lines(uint64_t id) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) {
    return;
  }
  std::string received = std::exchange(it->second->received, {});
  const Line line = it->second->line;
  size_t from = 0;
  for (size_t end; (end = received.find('\n', from)) != std::string::npos; from = end + 1) {
    if (end > from) {
      line(std::string_view(received).substr(from, end - from));
    }
    if (!exchanges_.contains(id)) {
      return;
    }
  }
  received.erase(0, from);
  exchanges_.at(id)->received.insert(0, received);
}

void EtcdHttp::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    Exchange* exchange = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    finish(*exchange, message->data.result);
  }
}

void EtcdHttp::finish(Exchange& exchange, CURLcode code) {
  auto node = exchanges_.extract(exchange.id);
  assert(!node.empty());
  curl_multi_remove_handle(multi_.get(), exchange.handle.get());
  EtcdHttpAnswer answer;
  answer.sent = exchange.is_read;
  answer.closed = code == CURLE_GOT_NOTHING || code == CURLE_SEND_FAIL_REWIND;
  if (code == CURLE_OK) {
    answer.status = static_cast<int>(exchange.status());
    answer.body = std::move(exchange.received);
  } else {
    answer.reason = exchange.error[0] != '\0' ? exchange.error : curl_easy_strerror(code);
  }
  const Done done = std::move(exchange.done);
  // After an error the handle is not used again. If libcurl refused to read the body a second
  // time, curl_easy_reset() of curl 8.14 does not forget that, and the next question fails.
  if (code == CURLE_OK && spare_.size() < spare_max) {
    curl_easy_reset(exchange.handle.get());
    spare_.push_back(std::move(exchange.handle));
  }
  node.mapped().reset();
  done(std::move(answer));
}

}  // namespace distributex
