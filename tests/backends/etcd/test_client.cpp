// SPDX-License-Identifier: MIT
// Questions over real connections to servers that answer as the test says:
// what is sent and how often, which endpoint is asked, logins, the watch.
#include <string.h>

#include <atomic>

#include "backends/etcd/client.h"
#include "backends/etcd/codec.h"
#include "support/log_pipe.h"
#include "support/loop.h"
#include "support/memcached.h"
#include "support/scripted.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string answered = scripted_answer(R"({"header":{"revision":"5"},"succeeded":true})");
const std::string health =
    scripted_answer(R"({"header":{"revision":"5"},"version":"3.4.23","leader":"1"})");

std::string refused_url() { return "http://127.0.0.1:" + std::to_string(free_port()); }

// A member that answers transactions by txn, and everything else as a healthy member does.
ScriptedHttp::Reply member(ScriptedHttp::Reply txn) {
  return [txn](const ScriptedRequest& request) -> std::optional<std::string> {
    if (request.path == etcd_status_path) {
      return health;
    }
    if (request.path == etcd_login_path) {
      return scripted_answer(R"({"token":"t.1"})");
    }
    return txn(request);
  };
}

struct Fixture {
  Loop loop;
  TempDir dir;
  std::vector<std::unique_ptr<ScriptedHttp>> servers;
  std::unique_ptr<EtcdClient> client;
  std::vector<EtcdNews> news;

  ScriptedHttp& serve(ScriptedHttp::Reply reply) {
    servers.push_back(std::make_unique<ScriptedHttp>(std::move(reply)));
    return *servers.back();
  }
  void connect(std::vector<std::string> urls, const std::string& user = "") {
    write_file(dir.file("password"), "secret\n");
    client = std::make_unique<EtcdClient>(
        loop.base(), EtcdAccess{std::move(urls), {}, user, dir.file("password"), "locks/"});
  }
  EtcdReply ask(Duration limit = seconds(10)) {
    std::optional<EtcdReply> got;
    client->ask({.compares = {}, .success = {EtcdPut{"k", "v"}}, .failure = {}}, limit,
                [&](const EtcdReply& reply, Time) { got = reply; });
    assert_true(loop.until([&] { return got.has_value(); }));
    return *got;
  }
  void watch() {
    client->watch("a", "b", [this](const EtcdNews& each, Time) { news.push_back(each); });
  }
};

Fixture& fixture(void** state) { return fixture_of<Fixture>(state); }

void a_question_and_its_answer(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) { return answered; }));
  f.connect({server.url()});
  const EtcdReply reply = f.ask();
  assert_true(reply.outcome == EtcdOutcome::answered);
  assert_true(reply.answer.succeeded && reply.answer.revision == 5);
  assert_int_equal(server.count(etcd_txn_path), 1);
  for (const ScriptedRequest& request : server.requests()) {
    assert_that(request.head.find("Grpc-Metadata-hasleader: true") != std::string::npos, "%s",
                request.head.c_str());
    assert_true(request.head.find("Expect:") == std::string::npos);
  }
}

// By default libcurl would send the question again over a new connection.
void a_kept_connection_that_closes_gets_a_question_once(void** state) {
  Fixture& f = fixture(state);
  std::atomic<int> asked = 0;
  ScriptedHttp& server = f.serve(member([&](const auto&) -> std::optional<std::string> {
    if (++asked == 2) {
      return std::nullopt;
    }
    return answered;
  }));
  f.connect({server.url()});
  assert_true(f.ask().outcome == EtcdOutcome::answered);
  const EtcdReply second = f.ask();
  assert_true(second.outcome == EtcdOutcome::unknown);
  assert_int_equal(asked, 2);
  assert_true(f.ask().outcome == EtcdOutcome::answered);
  assert_int_equal(server.count(etcd_txn_path), 3);
}

void an_answer_that_does_not_come_is_unknown(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) { return ""; }));
  f.connect({server.url()});
  assert_true(f.ask(milliseconds(500)).outcome == EtcdOutcome::unknown);
  assert_int_equal(server.count(etcd_txn_path), 1);
}

void what_cannot_be_read_is_unknown(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) { return scripted_answer("<html>"); }));
  f.connect({server.url()});
  assert_true(f.ask().outcome == EtcdOutcome::unknown);
}

void an_endpoint_that_refuses_costs_no_answer(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) { return answered; }));
  f.connect({refused_url(), refused_url(), server.url()});
  assert_true(f.ask().outcome == EtcdOutcome::answered);
  assert_text(f.client->endpoint(), server.url());
}

void a_member_without_leader_costs_no_answer(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& lost = f.serve(member(
      [](const auto&) { return scripted_answer(R"({"error":"etcdserver: no leader"})", 503); }));
  ScriptedHttp& good = f.serve(member([](const auto&) { return answered; }));
  f.connect({lost.url(), good.url()});
  assert_true(f.ask().outcome == EtcdOutcome::answered);
  assert_true(f.ask().outcome == EtcdOutcome::answered);
  assert_int_equal(lost.count(etcd_txn_path), 1);
}

void an_unknown_outcome_is_asked_nowhere_else(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& bad = f.serve(member([](const auto&) {
    return scripted_answer(R"({"error":"etcdserver: request timed out"})", 503);
  }));
  ScriptedHttp& good = f.serve(member([](const auto&) { return answered; }));
  f.connect({bad.url(), good.url()});
  const EtcdReply reply = f.ask();
  assert_true(reply.outcome == EtcdOutcome::unknown);
  assert_text(reply.reason, "request timed out");
  assert_int_equal(good.count(etcd_txn_path), 0);
  assert_text(f.client->endpoint(), good.url());
}

void when_none_answers_the_question_was_not_done(void** state) {
  Fixture& f = fixture(state);
  f.connect({refused_url(), refused_url()});
  const EtcdReply reply = f.ask();
  assert_true(reply.outcome == EtcdOutcome::not_done);
  assert_that(reply.reason.find("onnect") != std::string::npos, "%s", reply.reason.c_str());
}

void a_user_logs_in_once_for_all(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const ScriptedRequest& request) {
    const bool ok = request.head.find("Authorization: t.1") != std::string::npos;
    return ok ? answered : scripted_answer(R"({"error":"etcdserver: user name is empty"})", 400);
  }));
  f.connect({server.url()}, "dx");
  for (int i = 0; i < 3; i++) {
    assert_true(f.ask().outcome == EtcdOutcome::answered);
  }
  assert_int_equal(server.count(etcd_login_path), 1);
  for (const ScriptedRequest& request : server.requests()) {
    if (request.path == etcd_login_path) {
      assert_text(request.body, R"({"name":"dx","password":"secret"})");
    }
  }
}

void a_token_that_expired_costs_no_answer(void** state) {
  Fixture& f = fixture(state);
  std::atomic<int> token = 0;
  ScriptedHttp& server = f.serve([&](const ScriptedRequest& request) -> std::optional<std::string> {
    if (request.path == etcd_status_path) {
      return health;
    }
    if (request.path == etcd_login_path) {
      return scripted_answer(R"({"token":"t.)" + std::to_string(++token) + R"("})");
    }
    const bool ok = request.head.find("Authorization: t.2") != std::string::npos;
    return ok ? answered : scripted_answer(R"({"error":"etcdserver: invalid auth token"})", 401);
  });
  f.connect({server.url()}, "dx");
  assert_true(f.ask().outcome == EtcdOutcome::answered);
  assert_int_equal(token, 2);
}

// Some builds of etcd close the connection instead of refusing an old token.
void a_connection_that_closes_makes_a_user_log_in_again(void** state) {
  Fixture& f = fixture(state);
  std::atomic<int> token = 0;
  ScriptedHttp& server = f.serve([&](const ScriptedRequest& request) -> std::optional<std::string> {
    if (request.path == etcd_status_path) {
      return health;
    }
    if (request.path == etcd_login_path) {
      return scripted_answer(R"({"token":"t.)" + std::to_string(++token) + R"("})");
    }
    if (request.head.find("Authorization: t.2") == std::string::npos) {
      return std::nullopt;
    }
    return answered;
  });
  f.connect({server.url()}, "dx");
  assert_true(f.ask().outcome == EtcdOutcome::unknown);
  assert_true(f.ask().outcome == EtcdOutcome::answered);
}

void a_wrong_password_is_refused_and_not_tried_by_everybody(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve([](const ScriptedRequest& request) -> std::optional<std::string> {
    if (request.path == etcd_status_path) {
      return health;
    }
    return scripted_answer(
        R"({"error":"etcdserver: authentication failed, invalid user ID or password"})", 400);
  });
  f.connect({server.url()}, "dx");
  for (int i = 0; i < 3; i++) {
    const EtcdReply reply = f.ask();
    assert_true(reply.outcome == EtcdOutcome::refused);
    assert_text(reply.reason, "user or password refused");
  }
  assert_true(server.count(etcd_login_path) < 3);
}

void a_user_that_is_missing_is_said(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) {
    return scripted_answer(R"({"error":"etcdserver: user name is empty"})", 400);
  }));
  f.connect({server.url()});
  const EtcdReply reply = f.ask();
  assert_true(reply.outcome == EtcdOutcome::refused);
  assert_text(reply.reason, "user name is empty: set etcduser and etcdpasswordfile");
}

void a_permission_that_is_missing_is_said_with_the_prefix(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) {
    return scripted_answer(R"({"error":"etcdserver: permission denied"})", 403);
  }));
  f.connect({server.url()}, "dx");
  const EtcdReply reply = f.ask();
  assert_true(reply.outcome == EtcdOutcome::refused);
  assert_text(reply.reason,
              "permission denied: etcduser dx needs a role that may read and write all keys that "
              "begin with locks/");
}

// The log of a daemon whose member answers the status request with that text.
std::string log_of(Fixture& f, const std::string& health_of_member) {
  LogPipe pipe;
  ScriptedHttp& server = f.serve([&](const auto&) { return scripted_answer(health_of_member); });
  bool was_heard = false;
  pipe.open_log(Level::info);
  pipe.logging([&] {
    f.connect({server.url()});
    was_heard = f.loop.until([&] { return f.client->health().has_value(); });
    f.client.reset();
  });
  pipe.drain();
  assert_true(was_heard);
  return pipe.text;
}

std::string health_with(const std::string& more) {
  return R"({"header":{"revision":"5"},"version":"3.4.23","leader":"1")" + more + "}";
}

void a_database_that_grows_without_end_is_warned_of(void** state) {
  Fixture& f = fixture(state);
  const std::string warned = log_of(f, health_with(R"(,"dbSizeInUse":"1342177280")"));
  assert_that(warned.find("its database has more than 1280 MiB: is auto-compaction on?") !=
                  std::string::npos,
              "%s", warned.c_str());
  assert_text(log_of(f, health_with(R"(,"dbSizeInUse":"1073741823")")), "");
}

void a_watch_tells_line_by_line_and_its_end(void** state) {
  Fixture& f = fixture(state);
  const std::string created = R"({"result":{"header":{"revision":"5"},"created":true}})";
  const std::string event =
      R"({"result":{"header":{"revision":"6"},"events":[{"kv":{"key":"YQ==","mod_revision":"6"}}]}})";
  const std::string canceled = R"({"result":{"header":{"revision":"7"},"canceled":true}})";
  ScriptedHttp& server = f.serve(member([&](const auto&) {
    return scripted_stream(created + "\n" + event + "\n" + canceled + "\n" + event + "\n");
  }));
  f.connect({server.url()});
  f.watch();
  // The member says that the watch has ended and keeps the stream open; what comes later is
  // ignored.
  assert_true(f.loop.until([&] { return !f.news.empty() && f.news.back().ended; }));
  assert_int_equal(f.news.size(), 3);
  assert_true(f.news[0].created && f.news[1].events.size() == 1);
  assert_int_equal(f.news.size(), 3);
  for (const ScriptedRequest& request : server.requests()) {
    // Without this header a member that has lost its majority is silent for ever.
    assert_non_null(strstr(request.head.c_str(), "Grpc-Metadata-hasleader: true"));
    assert_null(strstr(request.body.c_str(), "start_revision"));
  }
}

void a_watch_that_is_refused_moves_on(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& bad = f.serve(member(
      [](const auto&) { return scripted_answer(R"({"error":"etcdserver: no leader"})", 503); }));
  ScriptedHttp& good = f.serve(member([](const auto&) {
    return scripted_stream(R"({"result":{"header":{"revision":"5"},"created":true}})"
                           "\n");
  }));
  f.connect({bad.url(), good.url()});
  f.watch();
  assert_true(f.loop.until([&] { return f.news.size() == 1; }));
  assert_true(f.news[0].ended);
  assert_text(f.news[0].reason, "etcdserver: no leader");
  f.watch();
  assert_true(f.loop.until([&] { return f.news.size() == 2; }));
  assert_true(f.news[1].created);
}

// The callback that reports the end of a watch may open the next one.
void a_watch_can_be_renewed_from_within(void** state) {
  Fixture& f = fixture(state);
  std::atomic<int> opened = 0;
  ScriptedHttp& server = f.serve(member([&](const auto&) -> std::optional<std::string> {
    if (++opened < 5) {
      return std::nullopt;
    }
    return scripted_stream(R"({"result":{"header":{"revision":"5"},"created":true}})"
                           "\n");
  }));
  f.connect({server.url()});
  std::function<void(const EtcdNews&, Time)> heard = [&](const EtcdNews& each, Time) {
    f.news.push_back(each);
    if (each.ended) {
      f.client->watch("a", "b", heard);
    }
  };
  f.client->watch("a", "b", heard);
  assert_true(f.loop.until([&] { return !f.news.empty() && f.news.back().created; }));
  assert_int_equal(f.news.size(), 5);
}

void many_questions_at_once_are_all_answered(void** state) {
  Fixture& f = fixture(state);
  ScriptedHttp& server = f.serve(member([](const auto&) { return answered; }));
  f.connect({server.url()});
  size_t got = 0;
  for (int i = 0; i < 500; i++) {
    f.client->ask({.compares = {}, .success = {EtcdPut{"k", "v"}}, .failure = {}}, seconds(20),
                  [&](const EtcdReply& reply, Time) {
                    if (reply.outcome == EtcdOutcome::answered) {
                      got++;
                    }
                  });
  }
  assert_true(f.loop.until([&] { return got == 500; }));
  assert_int_equal(server.count(etcd_txn_path), 500);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_question_and_its_answer),
      test_with(Fixture, a_kept_connection_that_closes_gets_a_question_once),
      test_with(Fixture, an_answer_that_does_not_come_is_unknown),
      test_with(Fixture, what_cannot_be_read_is_unknown),
      test_with(Fixture, an_endpoint_that_refuses_costs_no_answer),
      test_with(Fixture, a_member_without_leader_costs_no_answer),
      test_with(Fixture, an_unknown_outcome_is_asked_nowhere_else),
      test_with(Fixture, when_none_answers_the_question_was_not_done),
      test_with(Fixture, a_user_logs_in_once_for_all),
      test_with(Fixture, a_token_that_expired_costs_no_answer),
      test_with(Fixture, a_connection_that_closes_makes_a_user_log_in_again),
      test_with(Fixture, a_wrong_password_is_refused_and_not_tried_by_everybody),
      test_with(Fixture, a_user_that_is_missing_is_said),
      test_with(Fixture, a_permission_that_is_missing_is_said_with_the_prefix),
      test_with(Fixture, a_database_that_grows_without_end_is_warned_of),
      test_with(Fixture, a_watch_tells_line_by_line_and_its_end),
      test_with(Fixture, a_watch_that_is_refused_moves_on),
      test_with(Fixture, a_watch_can_be_renewed_from_within),
      test_with(Fixture, many_questions_at_once_are_all_answered),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
