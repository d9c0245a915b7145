// SPDX-License-Identifier: MIT
// A daemon under a fuzzer: carries out steps, and checks after each batch that the daemon
// lives, that its log is clean and that its locks are right.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "http_oracle.h"
#include "http_steps.h"
#include "support/daemon.h"
#include "support/http.h"

namespace distributex::fuzz {

class HttpRun {
 public:
  HttpRun();
  [[nodiscard]] bool start(uint64_t secret);
  // "" when nothing was wrong.
  [[nodiscard]] std::string play(const Steps& steps);
  // Closes all connections, checks that the daemon is as it was at the start, and ends it.
  [[nodiscard]] std::string finish();

  // The last batches that were played, for the file of a finding.
  [[nodiscard]] std::string recent() const;
  [[nodiscard]] std::string log_end() const;
  // "12000 answers (200: 7000, ...), 3000 grants, rss ..."
  [[nodiscard]] std::string figures() const;

 private:
  struct Client {
    test::Connection connection;
    size_t read = 0;  // answers that were counted
  };

  std::string do_step(const Step& step);
  std::string read_from(Client& client);
  std::string leave(unsigned number, bool with_reset);
  std::string check();
  std::string check_log();

  test::Daemon daemon_;
  std::unique_ptr<HttpOracle> oracle_;
  std::map<unsigned, Client> clients_;
  std::deque<Steps> recent_;
  std::map<int, size_t> statuses_;
  size_t checks_ = 0;
  long files_ = 0;
  long rss_kib_ = 0;
};

}  // namespace distributex::fuzz
