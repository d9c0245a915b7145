// SPDX-License-Identifier: MIT
// Bytes as one client sends them, in pieces that the byte 0xff ends: a server that takes
// brief requests past evhttp must answer and report the same as one that does not. A brief
// request must lie within its bytes, and be brief without the bytes that follow, too.
#include <string>
#include <vector>

#include "fuzz.h"
#include "http/brief.h"
#include "support/two_ways.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

constexpr size_t most = 2048;

bool is_inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_brief(std::string_view bytes) {
  BriefRequest request{};
  if (!read_brief(bytes, most, request)) {
    return;
  }
  must(request.size <= bytes.size() && request.size <= most, "a brief request is in its bytes");
  const std::string_view whole = bytes.substr(0, request.size);
  must(is_inside(request.target, whole), "its target is in it");
  for (const Field& field : request.fields()) {
    must(is_inside(field.name, whole) && is_inside(field.value, whole), "its headers are in it");
  }
  must(!read_brief(whole.substr(0, whole.size() - 1), most, request), "its end belongs to it");
  must(read_brief(whole, most, request), "what follows does not belong to it");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static test::TwoWays two;  // two servers for all inputs
  std::string_view rest = text_of(data, size);
  std::vector<std::string> pieces;
  while (!rest.empty()) {
    pieces.emplace_back(take_until('\xff', rest));
    check_brief(pieces.back());
  }
  const test::TwoWays::Seen seen = two.send(pieces);
  must(seen.by_evhttp == seen.past_evhttp, "both ways answer and report alike");
  return 0;
}
