// SPDX-License-Identifier: MIT
// The text that goes to etcd and comes from it: base64, JSON, refusals, URLs.
// No sockets.
#include "backends/etcd/base64.h"
#include "backends/etcd/codec.h"
#include "backends/etcd/endpoints.h"
#include "backends/etcd/outcome.h"
#include "support/test.h"

namespace distributex::test {
namespace {

void base64_has_the_alphabet_and_padding_of_rfc_4648(void**) {
  const std::pair<std::string, const char*> rows[] = {
      {"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {std::string("\xff\xfe\xfd\x00\x10", 5), "//79ABA="},
  };
  for (const auto& [bytes, text] : rows) {
    assert_text(base64(bytes), text);
    assert_true(from_base64(text) == bytes);
  }
}

void base64_takes_nothing_else(void**) {
  for (const char* text :
       {"Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Z-9v", "Zm9v\n", "Zh==", "Zm9="}) {
    assert_that(!from_base64(text), "%s", text);
  }
}

void a_transaction_is_what_the_gateway_takes(void**) {
  const EtcdTxn txn{
      .compares =
          {{.target = EtcdCompare::Target::mod, .key = "a", .range_end = {}, .revision = 7},
           {.target = EtcdCompare::Target::create, .key = "w/", .range_end = "w0", .revision = 0},
           {.target = EtcdCompare::Target::value, .key = "a", .range_end = {}, .value = "1"}},
      .success = {EtcdPut{"a", "1"}, EtcdDelete{"b"}},
      .failure = {EtcdRange{.key = "l/", .range_end = "l0", .count_only = true},
                  EtcdRange{.key = "a", .limit = 3, .revision = 9}}};
  assert_text(
      encode_txn(txn),
      R"({"compare":[{"result":"EQUAL","key":"YQ==","target":"MOD","mod_revision":"7"},)"
      R"({"result":"EQUAL","key":"dy8=","range_end":"dzA=","target":"CREATE","create_revision":"0"},)"
      R"({"result":"EQUAL","key":"YQ==","target":"VALUE","value":"MQ=="}],)"
      R"("success":[{"request_put":{"key":"YQ==","value":"MQ=="}},)"
      R"({"request_delete_range":{"key":"Yg=="}}],)"
      R"("failure":[{"request_range":{"key":"bC8=","range_end":"bDA=","count_only":true}},)"
      R"({"request_range":{"key":"YQ==","limit":"3","revision":"9"}}]})");
}

// The gateway leaves out what is zero: succeeded, count, kvs, value, responses.
void an_answer_is_read_with_all_that_is_left_out(void**) {
  const auto bare = decode_answer(R"({"header":{"revision":"5"}})");
  assert_true(bare && bare->revision == 5 && !bare->succeeded && bare->parts.empty());
  const auto full = decode_answer(
      R"({"header":{"cluster_id":"1","revision":"9007199254740993","raft_term":"2"},"succeeded":true,)"
      R"("responses":[{"response_put":{"header":{"revision":"9"}}},)"
      R"({"response_range":{"header":{},"more":true,"count":"2","kvs":[)"
      R"({"key":"YQ==","create_revision":"3","mod_revision":"4","version":"2"}]}}],"new":1})");
  assert_true(full && full->succeeded && full->revision == 9007199254740993u);
  assert_int_equal(full->parts.size(), 2);
  const EtcdPart& range = full->parts[1];
  assert_true(range.count == 2 && range.more && range.kvs.size() == 1);
  assert_text(range.kvs[0].key, "a");
  assert_text(range.kvs[0].value, "");
  assert_true(range.kvs[0].create == 3 && range.kvs[0].mod == 4);
}

void half_an_answer_is_none(void**) {
  for (const char* body :
       {"", "{", "[]", "null", R"({"succeeded":true})", R"({"header":{"revision":"x"}})",
        R"({"header":{"revision":"-1"}})", R"({"header":{"revision":-1}})",
        R"({"header":{"revision":"1"},"succeeded":"true"})",
        R"({"header":{"revision":"1"},"responses":{}})",
        R"({"header":{"revision":"1"},"responses":[7]})",
        R"({"header":{"revision":"1"},"responses":[{"response_range":{"kvs":[{"key":"!"}]}}]})",
        R"({"header":{"revision":"1"},"responses":[{"response_range":{"count":"2x"}}]})"}) {
    assert_that(!decode_answer(body), "%s", body);
  }
}

void news_tell_of_changes_in_their_order(void**) {
  const auto created = decode_news(R"({"result":{"header":{"revision":"8"},"created":true}})");
  assert_true(created && created->created && created->revision == 8 && created->events.empty());
  const auto news = decode_news(
      R"({"result":{"header":{"revision":"9"},"events":[{"kv":{"key":"YQ==","value":"MQ==",)"
      R"("create_revision":"9","mod_revision":"9"}},{"type":"DELETE","kv":{"key":"Yg==",)"
      R"("mod_revision":"9"}}]}})");
  assert_true(news && !news->ended && news->events.size() == 2);
  assert_true(!news->events[0].deleted && news->events[0].kv.create == 9);
  assert_true(news->events[1].deleted && news->events[1].kv.key == "b");
}

// The stream stays open with status 200 after each of these.
void every_end_of_a_watch_is_seen(void**) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"result":{"header":{"revision":"9"},"canceled":true,"compact_revision":"7"}})",
       "the watch was canceled"},
      {R"({"result":{"header":{"revision":"9"},"created":true,"canceled":true,)"
       R"("cancel_reason":"rpc error: code = PermissionDenied desc = etcdserver: permission denied"}})",
       "rpc error: code = PermissionDenied desc = etcdserver: permission denied"},
      {R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})",
       "etcdserver: no leader"},
      {R"({"error":"x"})", "x"},
  };
  for (const auto& [line, reason] : rows) {
    const auto news = decode_news(line);
    assert_true(news && news->ended);
    assert_text(news->reason, reason);
  }
  for (const char* line : {"{}", "x", R"({"result":1})", R"({"result":{"events":[{}]}})"}) {
    assert_that(!decode_news(line), "%s", line);
  }
}

void a_refusal_is_read_in_both_forms(void**) {
  assert_text(decode_refusal(R"({"error":"e","message":"m","code":14})"), "m");
  assert_text(decode_refusal(R"({"error":"e","code":14})"), "e");
  assert_text(decode_refusal(R"({"code":14, "message":"m"})"), "m");
  assert_text(decode_refusal("Not Found"), "");
}

void health_tells_version_size_and_errors(void**) {
  const auto health = decode_health(
      R"({"header":{"revision":"1"},"version":"3.4.23","dbSize":"20480","leader":"5",)"
      R"("dbSizeInUse":"16384","errors":["memberID:1 alarm:NOSPACE ","etcdserver: no leader"]})");
  assert_true(health && health->bytes == 20480 && health->bytes_in_use == 16384);
  assert_true(health->has_leader);
  assert_text(health->errors, "memberID:1 alarm:NOSPACE , etcdserver: no leader");
  assert_false(decode_health(R"({"version":"3.4.23"})")->has_leader);
  assert_false(decode_health("{}").has_value());
}

// A question that may have been carried out must never count as not done.
void only_what_was_surely_not_done_counts_as_not_done(void**) {
  struct Row {
    int status;
    const char* words;
    EtcdOutcome outcome;
  };
  const Row rows[] = {
      {200, "", EtcdOutcome::answered},
      {503, "etcdserver: no leader", EtcdOutcome::not_done},
      {404, "Not Found", EtcdOutcome::not_done},
      {429, "etcdserver: too many requests", EtcdOutcome::not_done},
      {429, "etcdserver: mvcc: database space exceeded", EtcdOutcome::refused},
      {403, "etcdserver: permission denied", EtcdOutcome::refused},
      {400, "etcdserver: duplicate key given in txn request", EtcdOutcome::refused},
      {412, "etcdserver: authentication is not enabled", EtcdOutcome::refused},
      {400, "etcdserver: authentication is not enabled", EtcdOutcome::refused},
      {401, "etcdserver: invalid auth token", EtcdOutcome::log_in},
      {400, "etcdserver: user name is empty", EtcdOutcome::log_in},
      {503, "etcdserver: request timed out", EtcdOutcome::unknown},
      {503, "etcdserver: request timed out, possibly due to previous leader failure",
       EtcdOutcome::unknown},
      {503, "etcdserver: leader changed", EtcdOutcome::unknown},
      {500, "context deadline exceeded", EtcdOutcome::unknown},
      {504, "context deadline exceeded", EtcdOutcome::unknown},
      {503, "connection closed", EtcdOutcome::unknown},
      {500, "", EtcdOutcome::unknown},
  };
  for (const Row& row : rows) {
    assert_that(outcome_of(row.status, row.words, true) == row.outcome, "%s", row.words);
  }
  assert_true(outcome_of(0, "Connection refused", false) == EtcdOutcome::not_done);
  assert_true(outcome_of(0, "Empty reply from server", true) == EtcdOutcome::unknown);
}

void a_reason_is_etcds_own_words(void**) {
  assert_text(outcome_reason(503, "etcdserver: no leader"), "no leader");
  assert_text(outcome_reason(429, "etcdserver: mvcc: database space exceeded"),
              "database space exceeded");
  assert_text(outcome_reason(404, ""),
              "it answers 404: etcd 3.4 or newer is needed, with enable-grpc-gateway: true");
  assert_text(outcome_reason(502, ""), "it answers with status 502");
}

void hosts_are_urls_with_a_port(void**) {
  const auto urls =
      parse_etcd_hosts("http://10.0.0.1:2379, https://e-2.example:1/,http://[::1]:99");
  assert_true(std::holds_alternative<std::vector<std::string>>(urls));
  const std::vector<std::string> wanted{"http://10.0.0.1:2379", "https://e-2.example:1",
                                        "http://[::1]:99"};
  assert_true(std::get<0>(urls) == wanted);
  for (const char* text :
       {"", "localhost", "localhost:2379", "http://localhost", "http://:1", "http://a:0",
        "http://a:65536", "ftp://a:1", "http://a:1,", "http://a b:1", "http://u:p@a:1",
        "http://a:1/v3", "http://[::1:1", "http://a:1 2"}) {
    assert_that(std::holds_alternative<std::string>(parse_etcd_hosts(text)), "%s", text);
  }
}

void an_endpoint_is_left_once_by_all_that_failed_there(void**) {
  EtcdEndpoints endpoints({"a", "b", "c"});
  assert_true(endpoints.leave("a"));
  assert_false(endpoints.leave("a"));
  assert_text(endpoints.current(), "b");
  assert_true(endpoints.leave("b") && endpoints.leave("c"));
  assert_text(endpoints.current(), "a");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(base64_has_the_alphabet_and_padding_of_rfc_4648),
      cmocka_unit_test(base64_takes_nothing_else),
      cmocka_unit_test(a_transaction_is_what_the_gateway_takes),
      cmocka_unit_test(an_answer_is_read_with_all_that_is_left_out),
      cmocka_unit_test(half_an_answer_is_none),
      cmocka_unit_test(news_tell_of_changes_in_their_order),
      cmocka_unit_test(every_end_of_a_watch_is_seen),
      cmocka_unit_test(a_refusal_is_read_in_both_forms),
      cmocka_unit_test(health_tells_version_size_and_errors),
      cmocka_unit_test(only_what_was_surely_not_done_counts_as_not_done),
      cmocka_unit_test(a_reason_is_etcds_own_words),
      cmocka_unit_test(hosts_are_urls_with_a_port),
      cmocka_unit_test(an_endpoint_is_left_once_by_all_that_failed_there),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
