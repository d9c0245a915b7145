# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# Sourced by run.sh: measures services that users might choose instead, each as durable as
# it can be, in the same rounds. If a service is not installed, says so and goes on.
# Uses $out, $programs, $results, $round and $secs; sets $rival, the pid of the service.
# BENCH_RIVALS: which of redis, postgresql and etcd there are.
rival=
rival_port=
postgres_programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)

stop_rival() {
    local i
    [ -n "$rival" ] || return 0
    kill -INT "$rival" 2>/dev/null || true
    for i in $(seq 100); do
        kill -0 "$rival" 2>/dev/null || break
        [ "$i" != 100 ] || kill -9 "$rival"
        sleep 0.1
    done
    wait "$rival" 2>/dev/null || true
    rival=
    rm -rf "$out/rival"
}

# Runs a command as the user postgres if this is root: PostgreSQL does not start as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    else
        "$@"
    fi
}
start_postgresql() {
    [ "$(id -u)" != 0 ] || chown postgres "$out/rival"
    (cd / && as_postgres "$postgres_programs/initdb" -D "$out/rival/db" -U postgres -A trust -N) >"$out/rival.log" 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$postgres_programs/postgres" "$@"
    fi
    exec "$postgres_programs/postgres" "$@"
}

# launch NAME: the service itself, in this process.
launch() {
    case $1 in
    redis)
        exec redis-server --bind 127.0.0.1 --port "$rival_port" --dir "$out/rival" --save '' \
            --appendonly yes --appendfsync always
        ;;
    etcd)
        exec etcd --data-dir "$out/rival/data" --log-level error --listen-client-urls "http://127.0.0.1:$rival_port" \
            --advertise-client-urls "http://127.0.0.1:$rival_port" --listen-peer-urls "http://127.0.0.1:$((rival_port + 1))"
        ;;
    postgresql)
        start_postgresql -D "$out/rival/db" -c listen_addresses=127.0.0.1 -c port="$rival_port" \
            -c unix_socket_directories= -c synchronous_commit=on -c fsync=on -c max_connections=200
        ;;
    esac
}

is_here() {
    case $1 in
    redis) command -v redis-server >/dev/null ;;
    etcd) command -v etcd >/dev/null ;;
    postgresql) [ -x "$postgres_programs/initdb" ] && { [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1; } ;;
    esac
}

# start_rival NAME: on a port that was free.
start_rival() {
    local i
    for _ in 1 2 3; do
        rm -rf "$out/rival"
        mkdir -p "$out/rival"
        rival_port=$((20000 + RANDOM % 10000))
        launch "$1" >>"$out/rival.log" 2>&1 &
        rival=$!
        for i in $(seq 600); do
            kill -0 "$rival" 2>/dev/null || break
            if "$programs/bench/load" peer="$1" server="$1" workload=pairs port="$rival_port" pid="$rival" clients=1 ops=1 >/dev/null 2>&1; then
                return 0
            fi
            [ "$i" != 600 ] || break
            sleep 0.1
        done
        stop_rival
    done
    echo "bench: $1 does not start; $out/rival.log says why" >&2
    return 1
}

measure_rival() { # NAME WORKLOAD CLIENTS
    "$programs/bench/load" peer="$1" server="$1" workload="$2" port="$rival_port" pid="$rival" \
        secs="$(length_of "$2")" round="$round" clients="$3" >>"$out/durable.jsonl" ||
        echo "bench: no figures of $1: $2 $3" >&2
}

# Hand-overs through a disk or etcd take milliseconds each: a second has too few of them.
length_of() { # WORKLOAD
    awk -v secs="$secs" -v least="$([ "$1" = handoff ] && echo 3 || echo 0)" 'BEGIN { print (secs > least ? secs : least) }'
}

# measure_ours NAME CONFIG NAME=VALUE...: beside them, under that name.
measure_ours() {
    local name=$1 file=$2
    shift 2
    rm -rf "$out/store"
    mkdir -p "$out/store"
    start ours "$file" || { echo "bench: $name does not start" >&2; return 0; }
    "$programs/bench/load" server="$name" port="$port" pid="$server" secs="$(length_of "${1#workload=}")" round="$round" "$@" \
        >>"$out/durable.jsonl" || echo "bench: no figures of $name: $*" >&2
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
}

all_durable() {
    local workload clients name
    for workload in pairs handoff; do
        for clients in 16 64; do
            measure_ours sqlite durable workload=$workload clients=$clients
        done
    done
    for name in ${BENCH_RIVALS:-redis postgresql etcd}; do
        if ! is_here "$name"; then
            echo "$name" >>"$out/missing"
            continue
        fi
        start_rival "$name" || continue
        for workload in pairs handoff; do
            for clients in 16 64; do
                measure_rival "$name" $workload $clients
                [ "$name" != etcd ] || {
                    config "over-etcd" 64 1 'backend: etcd' "etcdhosts: http://127.0.0.1:$rival_port" "etcdprefix: b$RANDOM/"
                    measure_ours over-etcd over-etcd workload=$workload clients=$clients
                }
            done
        done
        stop_rival
    done
}

all_tls() {
    local clients
    [ -s "$out/server.pem" ] || return 0
    for clients in 16 64; do
        measure_ours plain locks workload=pairs clients=$clients
        measure_ours tls tls workload=pairs clients=$clients tls=1
    done
}

# From the start of the program until it serves, with so many leases in its store.
recovery() {
    local begin end
    rm -rf "$out/store"
    mkdir -p "$out/store"
    start ours recovery || return 0
    "$programs/bench/load" server=ours workload=fill clients=256 port="$port" pid="$server" leases="$leases" pools=1 >/dev/null || return 0
    kill "$server"
    wait "$server" 2>/dev/null || true
    begin=$(date +%s%N)
    start ours recovery || return 0
    end=$(date +%s%N)
    held=$(curl -s "http://127.0.0.1:$port/metrics" | awk '/^distributex_(pool_)?held/ { n += $NF } END { printf "%d", n }')
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
    echo "{\"workload\":\"recovery\",\"server\":\"sqlite\",\"round\":$round,\"clients\":$leases,\"rate\":$held,\"recovery_s\":$(((end - begin) / 1000000))e-3}" >>"$out/durable.jsonl"
}
