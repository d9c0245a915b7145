// SPDX-License-Identifier: MIT
// HTTP/1.1 to etcd: the only file that calls libcurl, by its multi interface on
// the event loop, without a thread. A request is sent at most once: if its connection
// breaks before the answer, the request fails; libcurl alone would send it again.
// Knows neither JSON nor etcd's words.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"

namespace distributex {

struct EtcdTls {
  std::string ca_file;    // empty: those that the system trusts
  std::string cert_file;  // empty: no client certificate
  std::string key_file;
};

struct EtcdHttpAnswer {
  int status = 0;        // 0: none came
  std::string body;      // empty for the lines of a stream
  std::string reason{};  // why no answer came
  bool sent = false;     // libcurl took some of the request's body to send it
  bool closed = false;   // the other side ended the connection and said nothing
};

class EtcdHttp {
 public:
  using Done = std::function<void(EtcdHttpAnswer)>;
  using Line = std::function<void(std::string_view)>;

  EtcdHttp(event_base* base, EtcdTls tls);
  ~EtcdHttp();
  EtcdHttp(const EtcdHttp&) = delete;
  EtcdHttp& operator=(const EtcdHttp&) = delete;

  // Calls done exactly once, never from inside post(), after about `limit` at the latest.
  // Returns an id for cancel().
  uint64_t post(const std::string& url, const std::vector<std::string>& headers, std::string body,
                std::chrono::milliseconds limit, Done done);
  // Opens a connection of its own for an answer that does not end. Calls line for each
  // line of a 200; calls done if the answer ends, with the body if its status is not 200.
  uint64_t stream(const std::string& url, const std::vector<std::string>& headers, std::string body,
                  Line line, Done done);
  // Ends the exchange; calls neither line nor done any more.
  void cancel(uint64_t id);

 private:
  struct Exchange;
  struct EasyFree {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  };
  struct MultiFree {
    void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
  };
  struct HeadersFree {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };

  static int on_socket(CURL*, curl_socket_t, int what, void* self, void*) noexcept;
  static int on_timeout(CURLM*, long ms, void* self) noexcept;
  static void on_ready(int fd, short what, void* self) noexcept;
  static void on_timer(int, short, void* self) noexcept;
  static size_t on_read(char* to, size_t size, size_t count, void* exchange) noexcept;
  static int on_seek(void*, curl_off_t, int) noexcept;
  static size_t on_write(char* from, size_t size, size_t count, void* exchange) noexcept;

  uint64_t start(std::unique_ptr<Exchange> exchange, const std::vector<std::string>& headers);
  void set_options(Exchange& exchange);
  void set_tls(Exchange& exchange);
  void drive(int fd, int what);
  void tell_lines();
  void tell_lines(uint64_t id);
  void collect();
  void finish(Exchange& exchange, CURLcode code);
  [[nodiscard]] std::unique_ptr<CURL, EasyFree> take_handle();

  event_base* base_;
  EtcdTls tls_;
  std::vector<std::unique_ptr<CURL, EasyFree>> spare_;
  std::map<uint64_t, std::unique_ptr<Exchange>> exchanges_;
  std::vector<uint64_t> talked_;  // streams that have received something
  std::map<int, Event> sockets_;
  Event timer_;
  uint64_t last_id_ = 0;
  std::unique_ptr<CURLM, MultiFree> multi_;
};

}  // namespace distributex
