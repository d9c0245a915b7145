#!/bin/bash
# SPDX-License-Identifier: MIT
# check-layers.sh [TREE]: says where a file of TREE/src includes what its room
# in the house must not know (doc/design.txt), and where the clock is read twice.
# First it proves on small made-up trees that it finds each kind of breach.
set -u
export LC_ALL=C

# Prints the breaches of one tree; one awk reads all its files.
check_tree() {
    awk '
    function base(path) { sub(/.*\//, "", path); return path }

    FNR == 1 { file = base(FILENAME); files[file] = 1 }
    /^[ \t]*#[ \t]*include[ \t]*["<]/ {
        name = $0
        sub(/^[^"<]*/, "", name)
        match(name, /^["<][^">]*[">]/)
        name = substr(name, 1, RLENGTH)
        if (!(file in first)) first[file] = name
        direct[file, ++count[file]] = name
        next
    }
    {
        sub(/\/\/.*/, "")
        if (/[Cc]lock::now *\(|clock_gettime *\(|event_base_gettimeofday_cached *\(/ &&
            !/system_clock::now|CLOCK_REALTIME/) reads_clock[file] = 1
    }

    # All own headers that a file sees, itself not, into seen[].
    function reach(file,    todo, at, end, i, name) {
        split("", seen)
        todo[end = 1] = file
        for (at = 1; at <= end; at++)
            for (i = 1; i <= count[todo[at]]; i++) {
                name = direct[todo[at], i]
                if (name !~ /^"/) continue
                name = substr(name, 2, length(name) - 2)
                if (name in seen) continue
                seen[name] = 1
                todo[++end] = name
            }
    }
    function breach(file, text) { print "src/" file ": " text }

    # What files like these may not include at first hand.
    function forbid(who, what, reason,    file, i) {
        for (file in files) {
            if (file !~ who) continue
            for (i = 1; i <= count[file]; i++)
                if (direct[file, i] ~ what) breach(file, "includes " direct[file, i] ", but " reason)
        }
    }
    # The same for own headers, however far away.
    function forbid_reach(who, what, unless, reason,    file, name) {
        for (file in files) {
            if (file !~ who) continue
            reach(file)
            for (name in seen)
                if (name ~ what && name !~ unless) breach(file, "sees " name ", but " reason)
        }
    }
    function includes(file, what,    i) {
        for (i = 1; i <= count[file]; i++) if (direct[file, i] ~ what) return 1
        return 0
    }

    function check_rooms() {
        forbid("^(engine.*|pool[.]h)", "^<.*[./]", "the engine includes pool.h and the C++ standard library only")
        forbid_reach("^engine", ".", "^(pool[.]h|engine.*)$", "the engine includes pool.h and the C++ standard library only")
        forbid_reach("^pool[.]h", ".", "^$", "pool.h stands alone")
        forbid("^(request|reply)", "^<(event2/|evhttp|event[.]h)", "requests and replies know no libevent")
        forbid_reach("^http", "^(engine|backend)", "^$", "the HTTP door knows neither engine nor backends")
        forbid_reach("^backend", "^(engine|http)", "^$", "a backend knows neither engine nor HTTP")
        forbid("^backend", "^<event2/http", "a backend knows no HTTP")
        forbid("^distributexd[.]cpp", "^<event2/", "the main program leaves libevent to server")
        forbid_reach("^(distributex[.]cpp|client_)", "^(engine|backend|http|server)", "^$", "the client knows the daemon by the wire alone")
    }
    # Only server brings the two sides together.
    function check_meeting(    file) {
        for (file in files)
            if (file !~ /^server[.]/ && includes(file, "^\"http[a-z_]*[.]h\"") && includes(file, "^\"engine[a-z_]*[.]h\""))
                breach(file, "includes both http and engine, which is for server alone")
    }
    function check_clock(    file, daemon, client) {
        for (file in reads_clock) {
            if (file ~ /^(distributex[.]cpp|client_)/) { client = client " " file; clients++; continue }
            daemon = daemon " " file
            daemons++
            if (file !~ /^(server[.]cpp|clock[.](h|cpp))$/)
                breach(file, "reads the steady clock, which is for server.cpp or clock alone")
        }
        if (daemons > 1) breach("", "the daemon reads the steady clock in more than one file:" daemon)
        if (clients > 1) breach("", "the client reads the steady clock in more than one file:" client)
    }
    function check_own_header_first(    file, own) {
        for (file in files) {
            own = file
            if (sub(/[.]cpp$/, ".h", own) && own in files && first[file] != "\"" own "\"")
                breach(file, "does not include its own header " own " first")
        }
    }

    END {
        check_rooms()
        check_meeting()
        check_clock()
        check_own_header_first()
    }' "$1"/src/*.h "$1"/src/*.cpp 2>&1 | sort
}

# --- the check's own test ---
# A lawful tree, into which each row puts one breach.
lawful_tree() {
    mkdir -p "$1/src"
    echo '#include <string>' >"$1/src/pool.h"
    echo '#include "pool.h"' | tee "$1/src/engine.h" "$1/src/backend.h" "$1/src/http.h" "$1/src/request.h" >/dev/null
    printf '#include "engine.h"\n#include <map>\n' >"$1/src/engine.cpp"
    printf '#include "request.h"\n#include <ctype.h>\n' >"$1/src/request.cpp"
    printf '#include "http.h"\n#include <event2/http.h>\n' >"$1/src/http.cpp"
    printf '#include "backend.h"\n#include <event2/event.h>\n' >"$1/src/backend_memcache.cpp"
    printf '#include "http.h"\n#include "engine.h"\n' >"$1/src/server.h"
    printf '#include "server.h"\nauto now() { return std::chrono::steady_clock::now(); }\n' >"$1/src/server.cpp"
    printf '#include "server.h"\n' >"$1/src/distributexd.cpp"
    printf '// not steady_clock::now() here\nauto t = std::chrono::system_clock::now();\n' >"$1/src/log.cpp"
    printf 'auto t = Clock::now();\n' >"$1/src/client_run.cpp"
}

breaches='engine.cpp|#include <unistd.h>|standard library only
engine.h|#include <event2/event.h>|standard library only
engine.cpp|#include "log.h"|standard library only
engine_pool.h|#include <yaml.h>|standard library only
pool.h|#include "log.h"|stands alone
request.cpp|#include <event2/http.h>|no libevent
reply.h|#include <event2/buffer.h>|no libevent
http.cpp|#include "engine.h"|neither engine nor backends
http.h|# include "backend.h"|neither engine nor backends
http.cpp|#include "server.h"|neither engine nor backends
backend_memcache.cpp|#include "http.h"|neither engine nor HTTP
backend.h|#include "engine.h"|neither engine nor HTTP
backend.cpp|#include <event2/http.h>|knows no HTTP
distributexd.cpp|#include <event2/event.h>|leaves libevent to server
client_run.cpp|#include "server.h"|by the wire alone
status.cpp|#include "http.h"#include "engine.h"|for server alone
log.cpp|auto t = std::chrono::steady_clock::now();|for server.cpp or clock alone
backend.cpp|  clock_gettime(CLOCK_MONOTONIC, &ts);|for server.cpp or clock alone
clock.h|auto t = Clock::now();|in more than one file
client_wait.cpp|auto t = Clock::now();|the client reads
http.cpp|first|own header'

test_myself() {
    local dir found file line wanted bad=0
    dir=$(mktemp -d) || return 1
    lawful_tree "$dir/lawful"
    found=$(check_tree "$dir/lawful")
    if [ -n "$found" ]; then
        echo "check-layers.sh: complains of a lawful tree: $found"
        bad=1
    fi
    while IFS='|' read -r file line wanted; do
        rm -rf "$dir/breached"
        cp -r "$dir/lawful" "$dir/breached"
        if [ "$line" = first ]; then
            echo '#include <map>' | cat - "$dir/lawful/src/$file" >"$dir/breached/src/$file"
        else
            echo "${line//\"#/$'\"\n#'}" >>"$dir/breached/src/$file"
        fi
        case $(check_tree "$dir/breached") in
        *"$wanted"*) ;;
        *)
            echo "check-layers.sh: does not see '$line' in $file"
            bad=1
            ;;
        esac
    done <<<"$breaches"
    rm -rf "$dir"
    return $bad
}

test_myself || exit 1
found=$(check_tree "${1:-${TOP:-.}}")
[ -z "$found" ] || {
    echo "$found"
    exit 1
}
