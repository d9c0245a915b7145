// SPDX-License-Identifier: MIT
// Engine traces: a text of events at the margin, each followed by the effects
// that it has, indented. holds() plays the events on a new engine, writes the
// text anew with the effects that really came and compares. No rules here.
//
// Events, each with "at SECONDS " before it when the clock moves first:
//   pools [max=N] [made=N] NAME:MAXLOCKS:EXPIRE[:HOST,HOST]...    the configuration
//   access [open] [WHO[=NAME][/POOL[/HOST]]]...         the rules
//   TICKET get|wait|release|renew POOL HOST[/ID] [expire=] [timeout=] [token=]
//          [by=certificate:NAME] [by=secret:NAME:HOSTS]  what is proven about it
//   TICKET freeze|thaw|evict POOL [reason=] [by=] [for=] [token=] [from=ADDRESS|unix]
//   TICKET arrived              TICKET gone              what became of a reply
//   #OP granted|held|renewed token=N [ends=AT] [retry=AT]   #OP full [retry=AT]
//   #OP released|not_held|lost  #OP done [owner=HOST]  #OP failed REASON        verdicts
//   changed POOL    tick    drain
//   waiting POOL    counts    deadline    idle           views, shown like effects
//   made    unused    forget POOL                        of pools that patterns make
// Effects:
//   #OP acquire|find|release|renew POOL OWNER [slots=, when not 1] [token=] [length=]
//   #OP freeze|thaw|evict POOL [slots=] [token=] [reason=] [by=] [for=]
//   TICKET RESULT POOL OWNER [token=] [left=] [after=, when it waited] [fault: sentence]
#pragma once

#include <string>
#include <string_view>

namespace distributex::test {

// The trace as it really goes.
[[nodiscard]] std::string play(std::string_view trace);

// Whether it goes as written; prints how it went when not.
[[nodiscard]] bool holds(std::string_view trace);

}  // namespace distributex::test
