// SPDX-License-Identifier: MIT
// The running and the loaded configuration have the same options in the same order, for the
// rows are the same.
#include "daemon/reload.h"

#include <algorithm>
#include <cassert>

#include "backends/table.h"
#include "base/text.h"
#include "http/listener.h"

namespace distributex {

namespace {

constexpr uint16_t default_port = 9889;  // for -l without a port

bool is_of(const OptionRows& rows, const Option* option) {
  return std::any_of(rows.begin(), rows.end(), [&](const Option& row) { return &row == option; });
}

bool is_of_other_backend(const Option* option, const std::string& running) {
  const auto kinds = backend_kinds();
  return std::any_of(kinds.begin(), kinds.end(), [&](const BackendKind& kind) {
    return kind.name != running && is_of(kind.options(), option);
  });
}

bool is_listen(const Option* option) { return std::string_view(option->name) == "listen"; }

// The value that takes effect: for listen, the command line goes first.
Value effective(const Config::Entry& entry, const std::optional<ListenArguments>& arguments) {
  if (!is_listen(entry.option)) {
    return entry.value;
  }
  if (!arguments) {
    return {};
  }
  return {addresses_of(*arguments, std::get<std::vector<std::string>>(entry.value.is))};
}

}  // namespace

std::vector<std::string> addresses_of(const ListenArguments& arguments,
                                      const std::vector<std::string>& configured) {
  std::vector<std::string> addresses =
      arguments.addresses.empty() ? configured : arguments.addresses;
  for (std::string& address : addresses) {
    if (arguments.port || !has_port(address)) {
      address = with_port(address, arguments.port.value_or(default_port));
    }
  }
  return addresses;
}

std::string needs_restart(const Settings& running, const Settings& loaded,
                          const std::optional<ListenArguments>& arguments) {
  std::string all;
  assert(running.config.entries.size() == loaded.config.entries.size());
  for (size_t i = 0; i < running.config.entries.size(); ++i) {
    const Config::Entry& entry = running.config.entries[i];
    if (entry.option->reload == Reload::takes_effect ||
        is_of_other_backend(entry.option, running.service.backend)) {
      continue;
    }
    const Value runs = effective(entry, arguments);
    const Value wanted = effective(loaded.config.entries[i], arguments);
    if (runs == wanted) {
      continue;
    }
    all.append(all.empty() ? "" : ", ").append(entry.option->name);
    all.append(" from ").append(in_quotes(text_of(runs)));
    all.append(" to ").append(in_quotes(text_of(wanted)));
  }
  return all.empty() ? all : "only a restart changes " + all;
}

Settings reloaded(const Settings& running, Settings loaded) {
  for (size_t i = 0; i < loaded.config.entries.size(); ++i) {
    Config::Entry& entry = loaded.config.entries[i];
    if (entry.option->reload == Reload::needs_restart) {
      entry.value = running.config.entries[i].value;
    }
  }
  loaded.config.apply(loaded.service);
  loaded.config.apply(loaded.http);
  loaded.config.apply(loaded.record);
  return loaded;
}

}  // namespace distributex
