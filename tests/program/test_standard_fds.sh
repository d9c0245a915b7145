#!/bin/bash
# SPDX-License-Identifier: MIT
# distributexd started with standard descriptors closed: the pid file has its pid and
# no log line, -d returns, and the daemon serves. What prints and ends says what it could
# not write.
set -u

command -v curl >/dev/null || exit 77
work=$(mktemp -d) || exit 1
pid=
# shellcheck disable=SC2317 # the trap calls it
end() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
printf 'listen: unix:%s/socket\npools:\n  - name: one\n' "$work" >"$work/config"
bad=0
fail() {
    echo "$*"
    bad=1
}

serves() {
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$(curl -s --unix-socket "$work/socket" 'http://x/get/?pool=one&host=a')" = YES ] && return
        sleep 0.05
    done
    return 1
}

# Starts the daemon with the descriptors of $1 closed, in the way that $2 names.
try() {
    local closed=$1 way=$2 fd
    rm -f "$work/pid" "$work/socket"
    (
        for fd in $closed; do eval "exec $fd>&-"; done
        if [ "$way" = -d ]; then
            exec timeout 20 "$DISTRIBUTEXD" -d -c "$work/config" -P "$work/pid"
        fi
        exec "$DISTRIBUTEXD" -c "$work/config" -P "$work/pid"
    ) &
    [ "$way" != -d ] || wait $! || fail "closed $closed: -d exits $?"
    serves || fail "closed $closed, $way: no answer"
    pid=$(head -n 1 "$work/pid")
    [[ $(cat "$work/pid") =~ ^[0-9]+$ ]] || fail "closed $closed, $way: the pid file is $(cat "$work/pid")"
    kill "$pid" || fail "closed $closed, $way: $pid is no process"
    timeout 20 tail --pid="$pid" -f /dev/null
    pid=
}

for closed in 0 1 2 "0 1" "1 2" "0 1 2"; do
    try "$closed" ""
    try "$closed" -d
done

# Runs distributexd with $2 and all that follows; it must exit 74 and say that it cannot write $1.
refuses() {
    local said=$1 code
    shift
    code=0
    "$DISTRIBUTEXD" "$@" 2>"$work/err" || code=$?
    [ "$code" = 74 ] || fail "$*: exits $code"
    [ "$(cat "$work/err")" = "distributexd: cannot write $said" ] ||
        fail "$*: says $(cat "$work/err")"
}

full='to the standard output: No space left on device'
closed='to the standard output: Bad file descriptor'
for option in -h -V; do
    what=$([ $option = -h ] && echo "the help" || echo "the version")
    refuses "$what $full" $option >/dev/full
    refuses "$what $closed" $option >&-
done
printf 'backend: sqlite\nsqlitefile: %s/locks.db\nlisten: unix:%s/socket\npools:\n  - name: one\n' \
    "$work" "$work" >"$work/config"
try "" ""
"$DISTRIBUTEXD" --store-check "$work/locks.db" >/dev/null || fail "the store is not whole"
refuses "the report $full" --store-check "$work/locks.db" >/dev/full
refuses "the report $closed" --store-check "$work/locks.db" --json >&-
refuses "what was found $full" -c "$work/config" -t -v >/dev/full
refuses "what was found $closed" -c "$work/config" -t >&-
refuses "the secret $full" -M ci >/dev/full
refuses "the secret $closed" -M ci >&-
for stderr in "2>/dev/full" "2>&-"; do
    eval "\"\$DISTRIBUTEXD\" -M ci $stderr" >/dev/null
    code=$?
    [ $code = 74 ] || fail "-M $stderr: exits $code"
done
exit $bad
