#!/bin/bash
# SPDX-License-Identifier: MIT
# cost.sh PROGRAMS OUT [RECORD]: what a lock costs, in counts that a busy machine
# does not change: instructions in user space (callgrind), system calls (strace),
# resident bytes, syncs and bytes written. Each figure is the difference between a
# long and a short run, divided by the operations between them, so what starting
# costs is not in it. Prints a table beside RECORD (bench/cost.txt) and fails when
# a figure is more than a twentieth above it: then find the cause, or change the
# record in the same commit and say why.
set -eu
programs=$1 out=$2 record=${3:-bench/cost.txt}
mkdir -p "$out"
ulimit -n "$(ulimit -Hn)"
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null' EXIT
trap 'exit 1' INT TERM

# config NAME MAXLOCKS LINE...: 64 pools with so many slots each.
config() {
    local name=$1 maxlocks=$2
    shift 2
    {
        printf '%s\n' 'listen: "127.0.0.1:0"' 'max_connections: 100000' 'idle_timeout: 86400' \
            'request_timeout: 3600' 'max_waiting: 1000000' "$@" 'pools:'
        for i in $(seq 0 63); do
            echo "  - {name: p$i, expire: 3600, maxlocks: $maxlocks}"
        done
    } >"$out/$name.yaml"
}
out=$(realpath "$out")
config memory 1 'backend: inmemory'
config sqlite 1 'backend: sqlite' "sqlitefile: $out/store/locks.db"
config wide-memory 1000000 'backend: inmemory'
config wide-sqlite 1000000 'backend: sqlite' "sqlitefile: $out/store/locks.db"

# start CONFIG TOOL...: sets $server, $pid (the daemon, under a tool) and $port.
start() {
    local file=$1
    shift
    rm -rf "$out/store"
    mkdir -p "$out/store"
    : >"$out/server.log"
    "$@" "$programs/distributexd" -c "$out/$file.yaml" 2>"$out/server.log" &
    server=$!
    port=
    until [ -n "$port" ]; do
        kill -0 "$server" || { cat "$out/server.log" >&2; return 1; }
        port=$(sed -n 's/.*listening address=127\.0\.0\.1:\([0-9]*\).*/\1/p' "$out/server.log")
        [ -n "$port" ] || sleep 0.05
    done
    pid=$server
    case $1 in strace) pid=$(cat "/proc/$server/task/$server/children") ;; esac
    pid=${pid%% *}
}
stop() {
    kill -TERM "$pid"
    wait "$server" || true
    server=
}
load() { "$programs/bench/load" server=ours port="$port" pid="$pid" "$@" >/dev/null; }

# The tools' sums over a whole run.
instructions() { # CONFIG NAME=VALUE...
    local file=$1
    shift
    start "$file" valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" -q
    load "$@"
    stop
    sed -n 's/^\(summary\|totals\): //p' "$out/callgrind" | head -n 1
}
calls() { # PATTERN CONFIG NAME=VALUE...
    local pattern=$1 file=$2
    shift 2
    start "$file" strace -f -c -o "$out/strace"
    load "$@"
    stop
    awk -v pattern="^($pattern)\$" '$NF != "total" && $NF ~ pattern && $4 ~ /^[0-9]+$/ { n += $4 } END { print n + 0 }' "$out/strace"
}
written() { # CONFIG NAME=VALUE...
    local file=$1
    shift
    start "$file" env
    load "$@"
    sed -n 's/^write_bytes: //p' "/proc/$pid/io"
    stop
}
resident() { # CONFIG LEASES
    start "$1" env
    [ "$2" = 0 ] || load workload=leases leases="$2" pools=1 clients=1 ops=1
    sed -n 's/^Rss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup"
    stop
}

# each NAME SHORT LONG FUNCTION...: one line of the table; @ is the number of operations.
each() {
    local name=$1 short=$2 long=$3 a b
    shift 3
    a=$("${@//@/$short}")
    b=$("${@//@/$long}")
    awk -v name="$name" -v d="$((b - a))" -v n="$((long - short))" 'BEGIN { printf "%-36s %12.2f\n", name, d / n }'
}

all='[a-z_0-9]+'
{
    each 'pair: instructions' 1000 5000 instructions memory workload=pairs clients=16 ops=@
    each 'hand-over: instructions' 1000 5000 instructions memory workload=handoff clients=16 ops=@
    each 'pair: system calls' 1000 5000 calls "$all" memory workload=pairs clients=1 ops=@
    each 'hand-over: system calls' 1000 5000 calls "$all" memory workload=handoff clients=2 ops=@
    each 'sqlite pair: instructions' 500 1500 instructions sqlite workload=pairs clients=1 ops=@
    each 'sqlite pair: syncs' 500 1500 calls 'f(data)?sync' sqlite workload=pairs clients=1 ops=@
    each 'sqlite pair: bytes written' 2000 6000 written sqlite workload=pairs clients=1 ops=@
    each 'lease in memory: KiB' 20000 120000 resident wide-memory @
    each 'lease in sqlite: KiB' 20000 120000 resident wide-sqlite @
    start memory env
    "$programs/bench/load" server=ours port="$port" pid="$pid" workload=parked clients=5000 |
        sed -n 's/.*"kib_each":\([0-9.]*\).*/\1/p' |
        awk '{ printf "%-36s %12.2f\n", "waiter: KiB", $1 }'
    stop
} | tee "$out/cost.txt"

[ -e "$record" ] || exit 0
echo
echo 'beside the record:'
awk '
    { name = substr($0, 1, 36); sub(/ +$/, "", name) }
    /^#/ || name == "" { next }
    NR == FNR { was[name] = substr($0, 37) + 0; next }
    name in was { ratio = was[name] ? substr($0, 37) / was[name] : 1
        printf "%-36s %6.3f%s\n", name, ratio, ratio > 1.05 ? "  MORE" : ""
        if (ratio > 1.05) more = 1
        delete was[name] }
    END { for (name in was) { printf "%-36s is not measured any more\n", name; more = 1 }; exit more }
' "$record" "$out/cost.txt"
