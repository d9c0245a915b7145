// SPDX-License-Identifier: MIT
// Where etcd is: the option etcdhosts as a list of URLs, and the URL that is asked now.
// All questions and the watch go to one URL until it fails; then to the next. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace distributex {

// "http://10.0.0.1:2379,https://etcd2.example:2379": one or more URLs with commas between,
// each of http or https, a host and a port. Returns the URLs, or the first part that is not
// such a URL.
[[nodiscard]] std::variant<std::vector<std::string>, std::string> parse_etcd_hosts(
    std::string_view text);

class EtcdEndpoints {
 public:
  explicit EtcdEndpoints(std::vector<std::string> urls) : urls_(std::move(urls)) {}

  [[nodiscard]] const std::string& current() const { return urls_[current_]; }
  [[nodiscard]] size_t count() const { return urls_.size(); }
  // Moves on from the endpoint that failed, if it is still the current one: of many
  // questions that fail together only the first moves on.
  bool leave(const std::string& failed);

 private:
  std::vector<std::string> urls_;
  size_t current_ = 0;
};

}  // namespace distributex
