#!/bin/bash
# SPDX-License-Identifier: MIT
# check-layers.sh [TREE]: says where a file of TREE/src includes a room that its
# own room must not know, where rooms include each other in a circle, where a
# header of a C library is out of place, and where the clock is read twice.
# First it proves on small made-up trees that it finds each kind of breach.
set -u
export LC_ALL=C

# A room and the rooms that it may include, beside itself. src/doors/plain/x.h is
# in the room doors/plain, whose row is "doors/*"; a row of its own goes first.
allowed='
base
lock             base
engine           base lock
config           base lock
backends         base lock config
backends/*       base lock config backends
http             base lock
watch            base lock
doors            base lock http watch
doors/*          base lock http watch doors
daemon           *
client           base lock
'

# Where headers of the system may stand: a room, and what it may not include.
# [./] is any header that is not of the C++ library.
refused_headers='
lock             [./]
engine           [./]
config           event2/
doors            event2/|evhttp|event[.]h
doors/*          event2/|evhttp|event[.]h
watch            event2/http|evhttp
backends         event2/http|evhttp
backends/*       event2/http|evhttp
client           event2/
'

# Edges of the flat folder that are still to be cut; nothing new goes here.
pending='doors/pages>backends doors/pages>engine watch>backends watch>engine'

# The files that may read the steady clock.
clocks='^(base/clock[.]h|client/clock[.]cpp)$'

# Prints the breaches of one tree; one awk reads all its files.
# shellcheck disable=SC2016 # the dollars are awk's
check_tree() {
    (cd "$1/src" && find . -name '*.h' -o -name '*.cpp') | sed 's,^\./,,' | sort >"$work/files"
    (cd "$1/src" && xargs awk -v allowed="$allowed" -v refused="$refused_headers" -v clocks="$clocks" -v pending="$(echo "$pending" | tr "\n" " ")" '
    function room_of(path) { return match(path, /.*\//) ? substr(path, 1, RLENGTH - 1) : "" }
    # The row that speaks for a room: its own, or that of its parent with a star.
    function row_of(room, rows,    star) {
        if (room in rows) return room
        star = room
        sub(/\/[^\/]*$/, "/*", star)
        return star in rows ? star : ""
    }
    function read_rows(text, into,    lines, i, n, name) {
        n = split(text, lines, "\n")
        for (i = 1; i <= n; i++) {
            name = lines[i]
            sub(/ .*/, "", name)
            if (name == "") continue
            sub(/^[^ ]+ */, "", lines[i])
            into[name] = lines[i]
        }
    }
    function breach(file, text) { print "src/" file ": " text }

    BEGIN { read_rows(allowed, may); read_rows(refused, never) }
    FNR == 1 { files[FILENAME] = 1 }
    /^[ \t]*#[ \t]*include[ \t]*["<]/ {
        name = $0
        sub(/^[^"<]*/, "", name)
        match(name, /^["<][^">]*[">]/)
        name = substr(name, 1, RLENGTH)
        if (!(FILENAME in first)) first[FILENAME] = name
        direct[FILENAME, ++count[FILENAME]] = name
        next
    }
    {
        sub(/\/\/.*/, "")
        if (/[Cc]lock::now *\(|clock_gettime *\(|event_base_gettimeofday_cached *\(/ &&
            !/system_clock::now|CLOCK_REALTIME/ && FILENAME !~ clocks)
            breach(FILENAME, "reads the steady clock, which is for base/clock.h (in the client, clock.cpp) alone")
    }

    function check_own(file, room, header,    to, row, words, n, i) {
        to = room_of(header)
        if (!(header in files)) return breach(file, "includes \"" header "\", which is no path below src/")
        if (to == room) return
        if (index(" " pending " ", " " room ">" to " ")) return
        edge[room, to] = file
        row = row_of(room, may)
        n = split(may[row], words, " ")
        for (i = 1; i <= n; i++) if (words[i] == to || words[i] == "*") return
        breach(file, "includes \"" header "\", but " room " may not include " to)
    }
    function check_system(file, room, header,    row) {
        row = row_of(room, never)
        if (row != "" && header ~ never[row]) breach(file, "includes <" header ">, which has no place in " room)
    }
    function check_includes(    file, room, i, name) {
        for (file in files) {
            room = room_of(file)
            if (row_of(room, may) == "") breach(file, "is in no room of the table")
            for (i = 1; i <= count[file]; i++) {
                name = substr(direct[file, i], 2, length(direct[file, i]) - 2)
                if (direct[file, i] ~ /^"/) check_own(file, room, name)
                else check_system(file, room, name)
            }
        }
    }
    function check_circles(    key, ends) {
        for (key in edge) {
            split(key, ends, SUBSEP)
            if ((ends[2], ends[1]) in edge && ends[1] < ends[2])
                breach(edge[key], ends[1] " and " ends[2] " include each other")
        }
    }
    function check_own_header_first(    file, own) {
        for (file in files) {
            own = file
            if (sub(/[.]cpp$/, ".h", own) && own in files && first[file] != "\"" own "\"")
                breach(file, "does not include its own header " own " first")
        }
    }

    END {
        check_includes()
        check_circles()
        check_own_header_first()
    }' <"$work/files") 2>&1 | sort
}

# --- the check's own test ---
# A lawful tree, into which each row puts one breach.
lawful_tree() {
    local room
    for room in base lock engine config backends backends/memory http watch doors doors/plain daemon client; do
        mkdir -p "$1/src/$room"
        printf '#include <string>\n' >"$1/src/$room/a.h"
        printf '#include "%s/a.h"\n#include <map>\n' "$room" >"$1/src/$room/a.cpp"
    done
    (
        cd "$1/src" || exit
        echo '#include "lock/a.h"' | tee -a engine/a.h http/a.h watch/a.h client/a.cpp >/dev/null
        printf '#include <event2/http.h>\n' >>http/a.cpp
        printf '#include "config/a.h"\n#include "backends/a.h"\n#include <event2/event.h>\n' >>backends/memory/a.cpp
        printf '#include "http/a.h"\n#include "watch/a.h"\n#include "doors/a.h"\n' >>doors/plain/a.cpp
        printf '#include "engine/a.h"\n#include "backends/a.h"\n#include "doors/a.h"\n' >>daemon/a.cpp
        printf '// not steady_clock::now() here\nauto t = std::chrono::system_clock::now();\n' >>base/a.cpp
        printf 'auto now() { return std::chrono::steady_clock::now(); }\n' >base/clock.h
        printf 'auto t = Clock::now();\n' >client/clock.cpp
    )
}

breaches='engine/a.cpp|#include <unistd.h>|no place in engine
engine/a.h|#include <event2/event.h>|no place in engine
engine/a.cpp|#include "config/a.h"|engine may not include config
engine/a.cpp|#include "backends/a.h"|engine may not include backends
lock/a.h|#include "engine/a.h"|lock may not include engine
lock/a.h|#include <yaml.h>|no place in lock
base/a.cpp|#include "lock/a.h"|base may not include lock
config/a.cpp|#include "backends/memory/a.h"|config may not include backends/memory
doors/plain/a.cpp|#include <event2/http.h>|no place in doors/plain
doors/plain/a.cpp|#include "engine/a.h"|doors/plain may not include engine
doors/a.h|#include "doors/plain/a.h"|doors may not include doors/plain
http/a.cpp|#include "engine/a.h"|http may not include engine
http/a.h|# include "doors/a.h"|http may not include doors
watch/a.cpp|#include "http/a.h"|watch may not include http
backends/memory/a.cpp|#include "http/a.h"|backends/memory may not include http
backends/a.h|#include "backends/memory/a.h"|backends may not include backends/memory
backends/a.h|#include "backends/memory/a.h"|include each other
backends/a.cpp|#include <event2/http.h>|no place in backends
client/a.cpp|#include "daemon/a.h"|client may not include daemon
client/a.cpp|#include "config/a.h"|client may not include config
engine/a.cpp|#include "a.h"|no path below src/
cellar/a.h|#include <string>|in no room of the table
daemon/a.cpp|auto t = std::chrono::steady_clock::now();|reads the steady clock
http/a.cpp|  clock_gettime(CLOCK_MONOTONIC, &ts);|reads the steady clock
client/a.cpp|auto t = Clock::now();|reads the steady clock
http/a.cpp|first|own header'

test_myself() {
    local found file line wanted bad=0
    lawful_tree "$work/lawful"
    found=$(pending="" check_tree "$work/lawful")
    if [ -n "$found" ]; then
        echo "check-layers.sh: complains of a lawful tree: $found"
        bad=1
    fi
    while IFS='|' read -r file line wanted; do
        rm -rf "$work/breached"
        cp -r "$work/lawful" "$work/breached"
        mkdir -p "$(dirname "$work/breached/src/$file")"
        if [ "$line" = first ]; then
            echo '#include <map>' | cat - "$work/lawful/src/$file" >"$work/breached/src/$file"
        else
            echo "$line" >>"$work/breached/src/$file"
        fi
        case $(pending="" check_tree "$work/breached") in
        *"$wanted"*) ;;
        *)
            echo "check-layers.sh: does not see '$line' in $file"
            bad=1
            ;;
        esac
    done <<<"$breaches"
    return $bad
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
test_myself || exit 1
found=$(check_tree "$(realpath "${1:-${TOP:-.}}")")
[ -z "$found" ] || {
    echo "$found"
    exit 1
}
