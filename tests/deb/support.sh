# SPDX-License-Identifier: MIT
# What the package tests share: counted assertions, waiting on conditions, a
# daemon's pid. To be sourced by bash; finish prints "N passed, N failed".
# shellcheck shell=bash

passed=0 failed=0
tmp=$(mktemp -d)
config=/etc/distributex/distributex.yaml
url=http://127.0.0.1:9889

ok() {
    passed=$((passed + 1))
    echo "ok $1"
}

not_ok() {
    failed=$((failed + 1))
    echo "--- FAILED $1"
    [ ! -s "$tmp/out" ] || sed 's/^/    /' "$tmp/out"
}

# check NAME COMMAND...: the command succeeds.
check() {
    local name=$1
    shift
    if "$@" >"$tmp/out" 2>&1 </dev/null; then ok "$name"; else not_ok "$name"; fi
}

# check_status NAME STATUS COMMAND...: the command ends with this status.
check_status() {
    local name=$1 wanted=$2 status
    shift 2
    "$@" >"$tmp/out" 2>&1 </dev/null
    status=$?
    if [ $status -eq "$wanted" ]; then
        ok "$name"
    else
        echo "status $status instead of $wanted" >>"$tmp/out"
        not_ok "$name"
    fi
}

# check_equal NAME WANTED GOT
check_equal() {
    echo "got '$3' instead of '$2'" >"$tmp/out"
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1"; fi
}

# check_says NAME TEXT COMMAND...: its output has the text, whatever its status.
check_says() {
    local name=$1 text=$2
    shift 2
    "$@" >"$tmp/out" 2>&1 </dev/null
    if grep -qF -- "$text" "$tmp/out"; then
        ok "$name"
    else
        echo "does not say '$text'" >>"$tmp/out"
        not_ok "$name"
    fi
}

# within SECONDS COMMAND...: tries until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1 </dev/null; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

has_ipv6() { grep -qs '^0*1 ' /proc/net/if_inet6; }
milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
answers() { [ "$(curl -fsS --max-time 5 "$url/livez")" = ok ]; }
silent() { ! answers; }
break_configuration() { echo 'expires: 5' >>$config; }
mend_configuration() { sed -i '/^expires: 5$/d' $config; }

finish() {
    rm -rf "$tmp"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}
