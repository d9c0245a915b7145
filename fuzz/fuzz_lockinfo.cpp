// SPDX-License-Identifier: MIT
// A LockInfo: if it is accepted, jansson must read it as JSON that says the same, its note
// must be short, and the lock that is told from the note must be the same.
#include "base/json.h"
#include "doors/query.h"
#include "doors/terraform/info.h"
#include "fuzz.h"
#include "lock/note.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

constexpr uint64_t some_time = 1795682400'000000;

void check_told(const LockInfo& info) {
  const Json json{json_loads(lock_info_json(info).c_str(), JSON_REJECT_DUPLICATES, nullptr)};
  must(json_object_size(json.get()) == 7, "a LockInfo has seven members");
  for (const char* name : {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}) {
    must(json_is_string(json_object_get(json.get(), name)), "each is a text");
  }
  must(json_string_length(json_object_get(json.get(), "ID")) > 0, "the ID is not empty");
  must(json_string_length(json_object_get(json.get(), "Created")) >= 20, "Created is a time");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body = text_of(data, size);
  // Any note is told: an older program, or a hand, may have written it.
  check_told(info_of({"host", "id"}, 7, body, Duration{1}, some_time));
  auto read = read_lock_info(body);
  if (const auto* why = std::get_if<std::string>(&read)) {
    must(!why->empty() && why->size() < 200 && is_printable(*why),
         "a reason is short and printable");
    return 0;
  }
  const auto& info = std::get<LockInfo>(read);
  const Json json{json_loadb(body.data(), body.size(), 0, nullptr)};
  const json_t* id = json_object_get(json.get(), "ID");
  must(json_is_string(id), "what is taken jansson takes");
  must(info.id == std::string_view(json_string_value(id), json_string_length(id)),
       "the ID is that of jansson");
  const Owner owner = owner_of(info);
  must(unsound_name(owner.host) == nullptr && unsound_name(owner.id) == nullptr,
       "the owner has sound names");
  const std::string note = note_of(info);
  must(note.size() <= note_max, "a note is bounded");
  const LockInfo told = info_of(owner, 7, note, Duration{1}, some_time);
  must(told.id == info.id, "the note keeps the ID");
  check_told(told);
  return 0;
}
