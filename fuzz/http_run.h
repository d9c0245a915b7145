// SPDX-License-Identifier: MIT
// A daemon under a fuzzer: steps are done to it, and after each check it must
// be as alive, as silent and as right as before.
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
  // Lets all go, wants everything as it was at the start, and ends the daemon.
  [[nodiscard]] std::string finish();

  // The last batches that were played: what a finding is made of.
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
