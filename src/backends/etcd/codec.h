// SPDX-License-Identifier: MIT
// Questions and answers as the bytes that etcd's JSON gateway takes and gives. Only this
// file knows the gateway's field names: for another encoding, replace these functions. In
// that JSON integers of 64 bits are strings, bytes are base64, and fields that are zero are
// left out of an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backends/etcd/messages.h"

namespace distributex {

inline constexpr const char* etcd_txn_path = "/v3/kv/txn";
inline constexpr const char* etcd_watch_path = "/v3/watch";
inline constexpr const char* etcd_login_path = "/v3/auth/authenticate";
inline constexpr const char* etcd_status_path = "/v3/maintenance/status";

[[nodiscard]] std::string encode_txn(const EtcdTxn& txn);
// Asks for changes from now on; the gateway takes no second request on a watch's stream.
[[nodiscard]] std::string encode_watch(const std::string& key, const std::string& range_end);
[[nodiscard]] std::string encode_login(const std::string& user, const std::string& password);
[[nodiscard]] std::string encode_status();

// Each returns nullopt if the text is not such an answer.
[[nodiscard]] std::optional<EtcdAnswer> decode_answer(std::string_view body);
[[nodiscard]] std::optional<EtcdNews> decode_news(std::string_view line);
[[nodiscard]] std::optional<std::string> decode_token(std::string_view body);
[[nodiscard]] std::optional<EtcdHealth> decode_health(std::string_view body);
// The words of a refusal; empty if there are none.
[[nodiscard]] std::string decode_refusal(std::string_view body);

}  // namespace distributex
