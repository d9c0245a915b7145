// SPDX-License-Identifier: MIT
// /status/ of many pools: whole, in slices between which others are served, and
// without the memory of the whole. Times are compared with that of the whole page
// in the same moment, never with the clock alone.
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

struct Fixture {
  explicit Fixture(size_t count) : pool_count(count) {}
  size_t pool_count;
  std::unique_ptr<Daemon> daemon;

  bool begin() {
    std::string config = "pools:\n";
    for (size_t i = 0; i < pool_count; ++i) {
      config += "  - name: p" + std::to_string(i) + "\n";
    }
    daemon = std::make_unique<Daemon>(config);
    return daemon->start();
  }
  bool finish() { return daemon->stop(); }
  uint16_t port() const { return daemon->port(); }
};

struct Some : Fixture {
  Some() : Fixture(3000) {}
};
struct Many : Fixture {
  Many() : Fixture(60'000) {}
};

size_t pools_in(const Response& response) {
  const Json status = parse_json(response.body);
  return json_array_size(json_object_get(status.get(), "pools"));
}

void shows_all_pools_once(void** state) {
  Fixture& f = fixture_of<Some>(state);
  Connection line(f.port());
  for (int round = 0; round < 2; ++round) {
    assert_true(line.send(get_request("/status/")));
    const std::optional<Response> page = line.response();
    assert_true(page.has_value());
    assert_int_equal(page->status, 200);
    assert_int_equal(pools_in(*page), f.pool_count);
    const Json status = parse_json(page->body);
    const json_t* last = json_array_get(json_object_get(status.get(), "pools"), f.pool_count - 1);
    assert_text(json_text(last, "name"), "p" + std::to_string(f.pool_count - 1));
  }
  assert_true(line.send("HEAD /status/ HTTP/1.1\r\nHost: x\r\n\r\n"));
  assert_int_equal(line.response(true).value_or(Response{}).status, 200);
  assert_text(word(f.port(), "/livez"), "ok\n");
  Connection old(f.port());
  assert_true(old.send("GET /status/ HTTP/1.0\r\n\r\n"));
  const std::optional<Response> page = old.response();
  assert_true(page.has_value());
  assert_int_equal(pools_in(*page), f.pool_count);
  assert_int_equal(old.wait_end(), End::eof);
}

// The longest time that a probe beside a page took, as a part of the page's time.
double longest_probe_beside_a_page(const Fixture& f) {
  using Seconds = std::chrono::duration<double>;
  Connection reader(f.port());
  Connection prober(f.port());
  std::string bytes(256 * 1024, '\0');
  assert_true(reader.send(get_request("/status/")));
  const Clock::time_point start = Clock::now();
  Clock::time_point asked = start;
  Seconds longest{};
  for (bool done = false; !done; asked = Clock::now()) {
    assert_text(word(prober, "/livez"), "ok\n");
    longest = std::max<Seconds>(longest, Clock::now() - asked);
    const ssize_t n = recv(reader.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    assert_true(n != 0);
    done = n > 0 &&
           std::string_view(bytes).substr(0, static_cast<size_t>(n)).ends_with("\r\n0\r\n\r\n");
  }
  return longest / Seconds(Clock::now() - start);
}

// If the page were made as a whole, two probes would be apart by most of the page's time.
void serves_others_between_the_slices(void** state) {
  Fixture& f = fixture_of<Many>(state);
  double least = 1;
  for (int round = 0; round < 5 && least >= 0.25; ++round) {
    least = std::min(least, longest_probe_beside_a_page(f));
  }
  assert_that(least < 0.25, "a probe took %.2f of the page's time", least);
}

void keeps_no_page_in_memory_for_who_does_not_read(void** state) {
  Fixture& f = fixture_of<Many>(state);
  const long before = f.daemon->rss_kib();
  std::vector<Connection> readers;
  for (int i = 0; i < 20; ++i) {
    readers.emplace_back(f.port());
    assert_true(readers.back().send(get_request("/status/")));
    assert_true(readers.back().wait_readable());
  }
  assert_text(word(f.port(), "/livez"), "ok\n");
  const long grown = f.daemon->rss_kib() - before;
  assert_that(sanitized || grown < 8 * 1024, "it has grown by %ld KiB", grown);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Some, shows_all_pools_once),
      test_with(Many, serves_others_between_the_slices),
      test_with(Many, keeps_no_page_in_memory_for_who_does_not_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
