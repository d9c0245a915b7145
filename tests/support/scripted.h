// SPDX-License-Identifier: MIT
// An HTTP server on a free port of 127.0.0.1 that answers as a test says: with
// any bytes, by closing the connection, not at all. It keeps every request that
// arrived whole. One thread; the test's function is called there.
#pragma once

#include <stdint.h>

#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace distributex::test {

struct ScriptedRequest {
  std::string path;
  std::string head;  // the request line and the headers
  std::string body;
};

// A 200, or another status, with that body; the connection stays open.
[[nodiscard]] std::string scripted_answer(std::string_view body, int status = 200);
// The head of a 200 without an end.
[[nodiscard]] std::string scripted_stream(std::string_view first);

class ScriptedHttp {
 public:
  // The bytes of the answer; "": none; nothing: the connection is closed.
  using Reply = std::function<std::optional<std::string>(const ScriptedRequest&)>;

  explicit ScriptedHttp(Reply reply);
  ~ScriptedHttp();
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<ScriptedRequest> requests() const;
  [[nodiscard]] size_t count(std::string_view path) const;

 private:
  struct Client {
    int fd = -1;
    std::string unread{};
  };
  void run();
  bool serve(Client& client);
  [[nodiscard]] static bool take(std::string& unread, ScriptedRequest& request);

  Reply reply_;
  uint16_t port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  mutable std::mutex lock_;
  std::vector<ScriptedRequest> requests_;
  std::list<Client> clients_;
  std::thread thread_;
};

}  // namespace distributex::test
