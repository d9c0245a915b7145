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
etcd=
trap 'kill -9 $server $etcd 2>/dev/null || true' EXIT
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

# One member, on ports that were free; $member is its address.
start_etcd() {
    local port
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 10000))
        member=127.0.0.1:$port
        rm -rf "$out/etcd"
        etcd --data-dir "$out/etcd" --listen-client-urls "http://$member" \
            --advertise-client-urls "http://$member" --listen-peer-urls "http://127.0.0.1:$((port + 1))" \
            --logger zap --log-outputs "$out/etcd.log" >/dev/null 2>&1 &
        etcd=$!
        until curl -sf "http://$member/health" >/dev/null; do
            kill -0 "$etcd" 2>/dev/null || continue 2
            sleep 0.1
        done
        return
    done
    echo "cost: etcd does not start; $out/etcd.log says why" >&2
    return 1
}
# What the member has counted by names that match, added up.
member_counter() {
    curl -s "http://$member/metrics" | awk -v name="^$1" '$0 ~ name { n += $NF } END { printf "%d\n", n }'
}
in_etcd() { # COUNTER NAME=VALUE...
    local counter=$1 before after
    shift
    start etcd env
    before=$(member_counter "$counter")
    load "$@"
    after=$(member_counter "$counter")
    stop
    echo $((after - before))
}

# each NAME SHORT LONG FUNCTION...: one line of the table; @ is the number of operations.
each() {
    local name=$1 short=$2 long=$3 a b
    shift 3
    a=$("${@//@/$short}")
    b=$("${@//@/$long}")
    awk -v name="$name" -v d="$((b - a))" -v n="$((long - short))" 'BEGIN { printf "%-36s %12.3f\n", name, d / n }' |
        tee -a "$out/cost.txt"
}
# each_client NAME CONFIG WORKLOAD: resident KiB.
each_client() {
    start "$2" env
    "$programs/bench/load" server=ours port="$port" pid="$pid" workload="$3" clients=5000 |
        sed -n 's/.*"kib_each":\([0-9.]*\).*/\1/p' |
        awk -v name="$1" '{ printf "%-36s %12.2f\n", name, $1 }' | tee -a "$out/cost.txt"
    stop
}

all='[a-z_0-9]+'
: >"$out/cost.txt"
each 'pair: instructions' 1000 5000 instructions memory workload=pairs clients=16 ops=@
each 'hand-over: instructions' 1000 5000 instructions memory workload=handoff clients=16 ops=@
each 'pair: system calls' 1000 5000 calls "$all" memory workload=pairs clients=1 ops=@
each 'hand-over: system calls' 1000 5000 calls "$all" memory workload=handoff clients=2 ops=@
each 'sqlite pair: instructions' 500 1500 instructions sqlite workload=pairs clients=1 ops=@
each 'sqlite pair: syncs' 500 1500 calls 'f(data)?sync' sqlite workload=pairs clients=1 ops=@
each 'sqlite pair: bytes written' 2000 6000 written sqlite workload=pairs clients=1 ops=@
start_etcd
config etcd 1 'backend: etcd' "etcdhosts: http://$member" "etcdprefix: $RANDOM/"
each 'etcd pair: raft entries' 500 1500 in_etcd etcd_server_proposals_applied_total workload=pairs clients=1 ops=@
each 'etcd pair: requests' 500 1500 in_etcd 'grpc_server_handled_total.*grpc_service="etcdserverpb.KV"' workload=pairs clients=1 ops=@
kill "$etcd"
etcd=
each 'lease in memory: KiB' 20000 120000 resident wide-memory @
each 'lease in sqlite: KiB' 20000 120000 resident wide-sqlite @
each_client 'waiter: KiB' memory parked
each_client 'hold: KiB' wide-memory holds

if [ ! -e "$record" ]; then
    echo "cost: there is no record at $record; make it of $out/cost.txt" >&2
    exit 1
fi
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
