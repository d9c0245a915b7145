#!/bin/bash
# SPDX-License-Identifier: MIT
# flat.sh PROGRAMS OUT: does a pair of get and release cost more if the daemon has many
# pools, leases or waiters? Counts the daemon's instructions for a pair (callgrind) with
# 1 to 100,000 pools that a pattern has made, 0 to 1,000,000 leases on sqlite, 0 to 50,000
# clients that wait. Fails when a figure is more than a tenth above the first of its row.
# Makes pools, leases and waiters before it counts. FLAT_ROWS: only these of "pools
# leases waiters"; FLAT_MOST: leaves out larger sizes.
set -eu
programs=$1 out=$2
rows=${FLAT_ROWS:-pools leases waiters}
biggest=${FLAT_MOST:-1000000}
short=100 long=500
mkdir -p "$out"
out=$(realpath "$out")
limit=$(ulimit -Hn)
[ "$limit" = unlimited ] || [ "$limit" -ge 110000 ] || { ulimit -Hn 110000 2>/dev/null && limit=110000; } || true
ulimit -n "$limit"
waiters=
# shellcheck source=bench/server.sh
. "${BASH_SOURCE[0]%/*}/server.sh"
trap 'kill -9 $server $waiters 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM

config() { # NAME LINE...
    local name=$1
    shift
    {
        printf '%s\n' 'listen: "127.0.0.1:0"' 'max_connections: 1000000' 'idle_timeout: 86400' \
            'request_timeout: 3600' 'max_waiting: 1000000' 'max_pools: 1000000' "$@" 'pools:' \
            '  - {name: parked, expire: 86400}' '  - {name: "p*", expire: 86400, maxlocks: 1000000}'
    } >"$out/$name.yaml"
}
config memory 'backend: inmemory'
config sqlite 'backend: sqlite' "sqlitefile: $out/store/locks.db"

counting() { serve "$1" valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$out/callgrind" -q; }
# instructions OPS CLIENTS POOLS: of so many pairs.
instructions() {
    rm -f "$out"/callgrind.*
    callgrind_control -z "$server" >/dev/null 2>&1
    load workload=pools ops="$1" clients="$2" pools="$3" >/dev/null
    callgrind_control -d "$server" >/dev/null 2>&1
    until compgen -G "$out/callgrind.*" >/dev/null; do sleep 0.1; done
    sleep 0.2
    awk '/^(summary|totals): / { n = $2 } END { print n }' "$out"/callgrind.*
}
# a_pair CLIENTS POOLS: prints the instructions of one.
a_pair() {
    local a b
    callgrind_control -i on "$server" >/dev/null 2>&1
    load workload=pools ops=50 clients="$1" pools="$2" >/dev/null
    a=$(instructions "$short" "$1" "$2")
    b=$(instructions "$long" "$1" "$2")
    echo $(((b - a) / (long - short)))
}

failed=
first=
# say WHAT SIZE INSTRUCTIONS: a line, beside the first of its row.
say() {
    [ "$3" -gt 0 ] || { echo "flat: no figure of $1, $2" >&2; failed=1; return; }
    [ -n "$first" ] || first=$3
    awk -v what="$1" -v size="$2" -v n="$3" -v first="$first" 'BEGIN {
        more = n / first > 1.1
        printf "%-24s %10d %12d %8.3f%s\n", what, size, n, n / first, more ? "  NOT FLAT" : ""
        exit more
    }' || failed=1
}

by_pools() {
    first=
    for size in 1 100 10000 100000; do
        [ "$size" -le "$biggest" ] || continue
        counting memory
        load workload=fill leases="$size" pools="$size" >/dev/null
        say 'pools by pattern' "$size" "$(a_pair 16 "$size")"
        stop
    done
}
# Uses two pools, for a pool has a million slots at most and the pair needs one more.
by_leases() {
    first=
    for size in 0 10000 100000 1000000; do
        [ "$size" -le "$biggest" ] || continue
        rm -rf "$out/store"
        mkdir -p "$out/store"
        serve sqlite env
        [ "$size" = 0 ] || load workload=fill clients=256 leases="$size" pools=2 >/dev/null
        stop
        counting sqlite
        say 'leases on sqlite' "$size" "$(a_pair 1 1)"
        stop
    done
}
by_waiters() {
    first=
    for size in 0 1000 10000 50000; do
        [ "$size" -le "$biggest" ] || continue
        if [ "$size" -gt $((limit - 1000)) ]; then
            echo "waiters lowered from $size to $((limit - 1000)): that many descriptors there may be"
            size=$((limit - 1000))
        fi
        counting memory
        if [ "$size" -gt 0 ]; then
            : >"$out/waiters"
            load workload=stay clients="$size" >"$out/waiters" &
            waiters=$!
            until grep -q parked "$out/waiters"; do
                kill -0 "$waiters" || return 1
                sleep 0.1
            done
        fi
        say 'parked waiters' "$size" "$(a_pair 16 1)"
        if [ -n "$waiters" ]; then
            kill -9 "$waiters"
            wait "$waiters" 2>/dev/null || true
        fi
        waiters=
        stop
    done
}

echo "Load $(cut -d ' ' -f 1-3 /proc/loadavg) before; ulimit -n $limit"
printf '%-24s %10s %12s %8s\n' 'there are' '' 'instr./pair' 'ratio'
for row in $rows; do "by_$row"; done
[ -z "$failed" ] || { echo 'flat: a pair costs more where there is more' >&2; exit 1; }
