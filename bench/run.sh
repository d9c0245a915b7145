#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh PROGRAMS OUT: measures the daemon beside bare evhttp handlers, each
# time on a fresh server, in rounds in which all have their turn: the machine's
# speed drifts, and ratios within a round do not. Beside what users would pick instead,
# see rivals.sh, with locks on disk. Writes OUT/results.jsonl, durable.jsonl, results.txt
# and plots. It measures and asserts nothing.
#
# BENCH_ROUNDS (3), BENCH_SECS (1) a measurement, BENCH_PARKED and BENCH_LEASES
# the sizes of these two, BENCH_PARTS which parts there are: bare, durable, or both.
set -eu
programs=$1 out=$2
here=$(dirname "$0")
rounds=${BENCH_ROUNDS:-3}
secs=${BENCH_SECS:-1}
parked=${BENCH_PARKED:-1000 10000 50000}
leases=${BENCH_LEASES:-100000}
parts=${BENCH_PARTS:-bare durable}
ulimit -n "$(ulimit -Hn)"

mkdir -p "$out"
out=$(realpath "$out")
results=$out/results.jsonl
: >"$results"
: >"$out/durable.jsonl"
: >"$out/missing"
server=
# shellcheck source=bench/rivals.sh
. "$here/rivals.sh"
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; stop_rival' EXIT
trap 'exit 1' INT TERM

# config FILE POOLS MAXLOCKS LINE...: pools p0, p1, ..; with "all", p0 alone has many.
# Ten thousand connections may take a while to be made: none is cut off for it.
listen=127.0.0.1:0
config() {
    local file=$1 pools=$2 maxlocks=$3
    shift 3
    awk -v pools="$pools" -v maxlocks="$maxlocks" -v listen="$listen" -v lines="$(printf '%s\n' "$@")" 'BEGIN {
        print "listen: \"" listen "\"\n" lines "\nmax_waiting: 1000000\nmax_connections: 1000000"
        print "request_timeout: 3600\nidle_timeout: 86400\npools:"
        for (i = 0; i < pools; i++)
            printf "  - {name: p%d, expire: 3600, maxlocks: %d}\n", i, maxlocks == "all" ? (i ? 1 : 1000000) : maxlocks
    }' >"$out/$file.yaml"
}
config locks 256 1
config leases 1 1000000
config expire 201 all
for pools in 1 100 10000; do config "pools$pools" "$pools" 1000; done
config durable 64 1 'backend: sqlite' "sqlitefile: $out/store/locks.db"
config recovery 1 1000000 'backend: sqlite' "sqlitefile: $out/store/locks.db"
if openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=localhost \
    -keyout "$out/server.key" -out "$out/server.pem" 2>"$out/openssl.log"; then
    listen=tls:127.0.0.1:0
    config tls 256 1 "tls_certificate: $out/server.pem" "tls_key: $out/server.key" 'access: [{who: anyone, may: lock}]'
    listen=127.0.0.1:0
fi

# start SERVER CONFIG: "bare" and "same" are evhttp with its defaults and with
# our settings; with _lock they have a queue. Sets $server and $port.
start() {
    : >"$out/server.log"
    case $1 in
    ours) "$programs/distributexd" -c "$out/$2.yaml" 2>"$out/server.log" & ;;
    bare) "$programs/bench/bare" 2>"$out/server.log" & ;;
    same) "$programs/bench/bare" --ours 2>"$out/server.log" & ;;
    bare_lock) "$programs/bench/bare" --lock 2>"$out/server.log" & ;;
    same_lock) "$programs/bench/bare" --lock --ours 2>"$out/server.log" & ;;
    esac
    server=$!
    port=
    until [ -n "$port" ]; do
        kill -0 "$server" || return 1
        port=$(sed -n 's/.*listening address=\(tls:\)\{0,1\}127\.0\.0\.1:\([0-9]*\).*/\2/p' "$out/server.log")
        [ -n "$port" ] || sleep 0.01
    done
}

# measure SERVER CONFIG NAME=VALUE...
measure() {
    name=$1 file=$2
    shift 2
    start "$name" "$file" || { echo "bench: $name does not start: $(tail -n 1 "$out/server.log")" >&2; return 0; }
    "$programs/bench/load" server="${name%_lock}" port="$port" pid="$server" secs="$secs" round="$round" "$@" \
        >>"$results" || echo "bench: no figures of $name: $*" >&2
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
}

all_pairs() {
    for clients in 1 16 64; do
        for name in ours bare same; do measure $name locks workload=pairs clients=$clients; done
    done
}
all_queues() {
    for clients in 2 16 64 256; do
        for name in ours bare_lock same_lock; do measure $name locks workload=handoff clients=$clients; done
    done
    for name in ours bare_lock same_lock; do measure $name locks workload=wake; done
}
all_sizes() {
    for pools in 1 100 10000; do measure ours "pools$pools" workload=pools clients=16 pools="$pools"; done
    for held in 0 1000 10000 100000; do
        measure ours leases workload=leases clients=16 pools=1 leases=$held
    done
}

# Each waiter is a descriptor on both sides; a few more are needed.
most=$(($(ulimit -n) - 200))
lowered=
all_parked() {
    last=
    for clients in $parked; do
        if [ "$clients" -gt "$most" ]; then
            lowered="$clients waiters lowered to $most: ulimit -n is $(ulimit -n)"
            clients=$most
        fi
        [ "$clients" != "$last" ] || continue
        last=$clients
        for name in ours bare_lock same_lock; do measure $name locks workload=parked clients="$clients"; done
    done
    measure ours leases workload=holds clients="$([ 10000 -gt "$most" ] && echo "$most" || echo 10000)"
    measure ours expire workload=expire leases="$leases"
}

say_machine() {
    echo "Machine    $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors, Linux $(uname -r)"
    echo "Load       $(cut -d ' ' -f 1-3 /proc/loadavg) before, of which none is ours"
    echo "Program    $("$programs/distributexd" -V 2>&1 | head -n 1), $(cut -d ' ' -f 1 "$programs/flags")$(grep -o -e ' -O[0-3sg]' "$programs/flags" | head -n 1)"
    echo "Settings   rounds: $rounds, $secs s a measurement, ulimit -n $(ulimit -n)"
}

say_machine >"$out/machine.txt"
cat "$out/machine.txt"
for round in $(seq "$rounds"); do
    echo "bench: round $round of $rounds"
    case $parts in *durable*)
        all_durable
        all_tls
        recovery
        ;;
    esac
    case $parts in *bare*)
        all_pairs
        all_queues
        all_sizes
        [ "$round" != 1 ] || all_parked
        ;;
    esac
done
[ -z "$lowered" ] || echo "Lowered    $lowered" >>"$out/machine.txt"

{
    cat "$out/machine.txt"
    [ ! -s "$results" ] || awk -f "$here/median.awk" -f "$here/table.awk" -v data="$out" "$results"
    [ ! -s "$out/durable.jsonl" ] || awk -f "$here/median.awk" -f "$here/rivals.awk" -v data="$out" "$out/durable.jsonl"
} >"$out/results.txt"
cat "$out/results.txt"
if command -v gnuplot >/dev/null; then
    for plots in plots rivals; do
        (cd "$out" && gnuplot) <"$here/$plots.gp" || echo "bench: not all of $plots.gp: a part was left out" >&2
    done
    echo "bench: $results, $out/results.txt and $out/*.png"
else
    echo "bench: no plots without gnuplot" >&2
fi
