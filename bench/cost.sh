#!/bin/bash
# SPDX-License-Identifier: MIT
# cost.sh PROGRAMS OUT [RECORD]: what a lock costs, in counts that a busy machine
# does not change: instructions in user space (callgrind), system calls (strace),
# resident bytes, syncs and bytes written. Each figure is the difference between a
# long and a short run, divided by the operations between them, so the cost of the
# start is left out. Prints a table beside RECORD (bench/cost.txt) and fails when
# a figure is more than a twentieth above it: then find the cause, or change the
# record in the same commit and say why. Rows that begin with "beside" are of other
# services: they are shown and fail nothing. COST_ROWS: only rows that match this.
set -eu
rows=${COST_ROWS:-.}
programs=$1 out=$2 record=${3:-bench/cost.txt}
mkdir -p "$out"
# Enough for 5,000 clients. Valgrind does not start under the limit that some containers
# have, a thousand millions.
most=$(ulimit -Hn)
[ "$most" != unlimited ] && [ "$most" -le 65536 ] || most=65536
ulimit -n "$most"
etcd=
# shellcheck source=bench/server.sh
. "${BASH_SOURCE[0]%/*}/server.sh"
trap 'kill -9 $server $etcd 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM

# config NAME MAXLOCKS LINE...: 64 pools with so many slots each.
listen=127.0.0.1:0
config() {
    local name=$1 maxlocks=$2
    shift 2
    {
        printf '%s\n' "listen: \"$listen\"" 'max_connections: 100000' 'idle_timeout: 86400' \
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
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=localhost \
    -keyout "$out/server.key" -out "$out/server.pem" 2>"$out/openssl.log" || { cat "$out/openssl.log" >&2; exit 1; }
listen=tls:127.0.0.1:0
config tls 1 'backend: inmemory' "tls_certificate: $out/server.pem" "tls_key: $out/server.key" \
    'access: [{who: anyone, may: lock}]'
listen=127.0.0.1:0

# start CONFIG TOOL...: on an empty store.
start() {
    rm -rf "$out/store"
    mkdir -p "$out/store"
    serve "$@"
}
quietly() { load "$@" >/dev/null; }

# The tools' sums over a whole run.
instructions() { # CONFIG NAME=VALUE...
    local file=$1
    shift
    start "$file" valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" -q
    quietly "$@"
    stop
    sed -n 's/^\(summary\|totals\): //p' "$out/callgrind" | head -n 1
}
calls() { # PATTERN CONFIG NAME=VALUE...
    local pattern=$1 file=$2
    shift 2
    start "$file" strace -f -c -o "$out/strace"
    quietly "$@"
    stop
    awk -v pattern="^($pattern)\$" '$NF != "total" && $NF ~ pattern && $4 ~ /^[0-9]+$/ { n += $4 } END { print n + 0 }' "$out/strace"
}
written() { # CONFIG NAME=VALUE...
    local file=$1
    shift
    start "$file" env
    quietly "$@"
    sed -n 's/^write_bytes: //p' "/proc/$pid/io"
    stop
}
resident() { # CONFIG LEASES
    start "$1" env
    [ "$2" = 0 ] || quietly workload=leases leases="$2" pools=1 clients=1 ops=1
    sed -n 's/^Rss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup"
    stop
}

# The same of Redis, whose clients are BLPOP and LPUSH; it stays in memory.
redis_instructions() { # NAME=VALUE...
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 10000))
        valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" -q \
            redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$out" >"$out/redis.log" 2>&1 &
        server=$!
        pid=$server
        until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
            kill -0 "$server" 2>/dev/null || continue 2
            sleep 0.1
        done
        quietly peer=redis "$@"
        stop
        sed -n 's/^\(summary\|totals\): //p' "$out/callgrind" | head -n 1
        return
    done
    return 1
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
    quietly "$@"
    after=$(member_counter "$counter")
    stop
    echo $((after - before))
}

# each NAME SHORT LONG FUNCTION...: one line of the table; @ is the number of operations.
each() {
    local name=$1 short=$2 long=$3 a b
    shift 3
    [[ $name =~ $rows ]] || return 0
    a=$("${@//@/$short}")
    b=$("${@//@/$long}")
    awk -v name="$name" -v d="$((b - a))" -v n="$((long - short))" 'BEGIN { printf "%-36s %12.3f\n", name, d / n }' |
        tee -a "$out/cost.txt"
}
# each_client NAME CONFIG WORKLOAD: resident KiB.
each_client() {
    local name=$1 file=$2 workload=$3
    shift 3
    [[ $name =~ $rows ]] || return 0
    start "$file" env
    "$programs/bench/load" server=ours port="$port" pid="$pid" workload="$workload" clients=5000 "$@" |
        sed -n 's/.*"kib_each":\([0-9.]*\).*/\1/p' |
        awk -v name="$name" '{ printf "%-36s %12.2f\n", name, $1 }' | tee -a "$out/cost.txt"
    stop
}

all='[a-z_0-9]+'
: >"$out/cost.txt"
each 'pair: instructions' 1000 5000 instructions memory workload=pairs clients=16 ops=@
each 'hand-over: instructions' 1000 5000 instructions memory workload=handoff clients=16 ops=@
each 'renewal: instructions' 1000 5000 instructions memory workload=renewals clients=16 ops=@
each 'pair apart: instructions' 500 1500 instructions memory workload=pairs clients=16 apart=1 ops=@
each 'TLS pair: instructions' 500 1500 instructions tls workload=pairs clients=16 tls=1 ops=@
each 'TLS pair apart: instructions' 40 120 instructions tls workload=pairs clients=4 tls=1 apart=1 ops=@
each 'pair: system calls' 1000 5000 calls "$all" memory workload=pairs clients=1 ops=@
each 'hand-over: system calls' 1000 5000 calls "$all" memory workload=handoff clients=2 ops=@
each 'renewal: system calls' 1000 5000 calls "$all" memory workload=renewals clients=1 ops=@
each 'pair apart: system calls' 500 1500 calls "$all" memory workload=pairs clients=1 apart=1 ops=@
each 'TLS pair apart: system calls' 100 300 calls "$all" tls workload=pairs clients=1 tls=1 apart=1 ops=@
each 'sqlite pair: instructions' 500 1500 instructions sqlite workload=pairs clients=1 ops=@
each 'sqlite pair: syncs' 500 1500 calls 'f(data)?sync' sqlite workload=pairs clients=1 ops=@
each 'sqlite renewal: syncs' 500 1500 calls 'f(data)?sync' sqlite workload=renewals clients=1 ops=@
each 'sqlite pair: bytes written' 2000 6000 written sqlite workload=pairs clients=1 ops=@
start_etcd
config etcd 1 'backend: etcd' "etcdhosts: http://$member" "etcdprefix: $RANDOM/"
each 'etcd pair: raft entries' 500 1500 in_etcd etcd_server_proposals_applied_total workload=pairs clients=1 ops=@
each 'etcd pair: requests' 500 1500 in_etcd 'grpc_server_handled_total.*grpc_service="etcdserverpb.KV"' workload=pairs clients=1 ops=@
each 'etcd renewal: raft entries' 500 1500 in_etcd etcd_server_proposals_applied_total workload=renewals clients=1 ops=@
config wide-etcd 1000000 'backend: etcd' "etcdhosts: http://$member" "etcdprefix: $RANDOM/"
each 'lease in etcd, here: KiB' 500 4500 resident wide-etcd @
kill "$etcd"
etcd=
each 'lease in memory: KiB' 20000 120000 resident wide-memory @
each 'lease in sqlite: KiB' 20000 120000 resident wide-sqlite @
each_client 'waiter: KiB' memory parked
each_client 'TLS waiter: KiB' tls parked tls=1
each_client 'hold: KiB' wide-memory holds
if command -v redis-server >/dev/null; then
    each 'beside: Redis pair, instructions' 1000 5000 redis_instructions workload=pairs clients=16 ops=@
    each 'beside: Redis hand-over, instr.' 1000 5000 redis_instructions workload=handoff clients=16 ops=@
else
    echo 'beside: Redis is not here'
fi

if [ ! -e "$record" ]; then
    echo "cost: there is no record at $record; make it of $out/cost.txt" >&2
    exit 1
fi
echo
echo 'beside the record:'
awk -v rows="$rows" '
    { name = substr($0, 1, 36); sub(/ +$/, "", name) }
    /^#/ || name == "" { next }
    NR == FNR { was[name] = substr($0, 37) + 0; next }
    name in was { ratio = was[name] ? substr($0, 37) / was[name] : 1
        above = ratio > 1.05 && name !~ /^beside/
        printf "%-36s %6.3f%s\n", name, ratio, above ? "  MORE" : ""
        if (above) more = 1
        delete was[name] }
    END { for (name in was) if (name ~ rows && name !~ /^beside/) { printf "%-36s is not measured any more\n", name; more = 1 }; exit more }
' "$record" "$out/cost.txt"
