# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# For scripts that count what the daemon does; they have $programs and $out.

: "${programs:?}" "${out:?}"
server=
pid=
port=

# serve CONFIG TOOL...: sets $server, $pid (the daemon, under a tool) and $port.
serve() {
    local file=$1
    shift
    : >"$out/server.log"
    "$@" "$programs/distributexd" -c "$out/$file.yaml" 2>"$out/server.log" &
    server=$!
    port=
    until [ -n "$port" ]; do
        kill -0 "$server" || { cat "$out/server.log" >&2; return 1; }
        port=$(sed -n 's/.*listening address=\(tls:\)\{0,1\}127\.0\.0\.1:\([0-9]*\).*/\2/p' "$out/server.log")
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
load() { "$programs/bench/load" server=ours port="$port" pid="$pid" "$@"; }
