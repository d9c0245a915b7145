#!/bin/bash
# SPDX-License-Identifier: MIT
# test-systemd.sh: tries the packages in /t under a systemd that is process 1: start,
# reload, death, watchdog, upgrade, socket activation, and what the sandbox allows. Runs
# inside boot.sh.
# shellcheck disable=SC2317 # functions are called by name
set -u
# shellcheck source=tests/deb/support.sh
. "$(dirname "$0")/support.sh"
socket=/run/distributexd.sock
drop_ins=/etc/systemd/system/distributexd.service.d

property() { systemctl show -p "$1" --value distributexd; }
pid() { property MainPID; }
get() { curl -sS --max-time 5 "$url/get/?pool=test1&host=$1"; }
release() { curl -sS --max-time 5 "$url/release/?pool=test1&host=$1"; }
status_text_is() { [ "$(property StatusText)" = "$1" ]; }
another_pid() { [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ]; }
journal_has() { journalctl -q -u distributexd -o cat "${@:2}" | grep -qF "$1"; }

starts() {
    check "the packages install" dpkg -i /t/*.deb
    check_equal "the service is active" active "$(property ActiveState)"
    check "it answers" answers
    check_equal "it is enabled" enabled "$(systemctl is-enabled distributexd)"
    check "its state is told" within 10 status_text_is "1 pool, 0 locks held, 0 waiting"
    check "lines are in the journal" within 5 journal_has "listening address=127.0.0.1:9889"
    check "with their priority" within 5 journal_has "ready pools=1" -p 6..6
    check_status "and no line is at the priority of errors" 1 journal_has "" -p 0..3
    echo "exposure: $(systemd-analyze security distributexd --no-pager | tail -n 1)"
    check "the exposure is at most 1.1" systemd-analyze security distributexd --threshold=11 --no-pager
}

sandboxed() {
    local status
    status=/proc/$(pid)/status
    check_equal "no capability" "0000000000000000 0000000000000000 0000000000000000" \
        "$(awk '/^Cap(Eff|Prm|Bnd)/ { printf "%s%s", sep, $2; sep = " " }' "$status")"
    check_equal "no new privileges" 1 "$(awk '/^NoNewPrivs/ { print $2 }' "$status")"
    check_equal "system calls are filtered" 2 "$(awk '/^Seccomp:/ { print $2 }' "$status")"
    check_equal "its user" _distributex "$(ps -o user:20= -p "$(pid)")"
    check_equal "its view of the system is read-only" ro "$(awk '$5 == "/" { print substr($6, 1, 2) }' "/proc/$(pid)/mountinfo")"
    check_status "and has nothing else to execute" 126 nsenter -t "$(pid)" -m /usr/bin/env true
}

reloads() {
    local before waiter
    before=$(pid)
    check_equal "a lock is taken" YES "$(get a)"
    curl -sS --max-time 60 "$url/wait/?pool=test1&host=b" >"$tmp/wait" 2>&1 &
    waiter=$!
    check "its state tells of lock and waiter" within 10 status_text_is "1 pool, 1 lock held, 1 waiting"
    printf '  - name: other\n' >>$config
    check_status "reload" 0 systemctl reload distributexd
    check "the reload is done" within 5 journal_has "reloaded pools=2"
    check "it is active again" within 5 systemctl -q is-active distributexd
    check_equal "reload keeps the process" "$before" "$(pid)"
    check_equal "reload keeps the lock" NO "$(get c)"
    break_configuration
    check_status "a broken configuration fails the reload" 1 systemctl reload distributexd
    check "with file and line" journal_has "$config:"
    check_equal "and keeps the process" "$before" "$(pid)"
    check "and keeps it serving" answers
    kill -HUP "$before"
    check "a bare SIGHUP is refused as well" within 5 journal_has "reload refused: $config:"
    check "and leaves it active" within 5 systemctl -q is-active distributexd
    mend_configuration
    release a >/dev/null
    wait $waiter
    check_equal "the waiter got its lock" YES "$(cat "$tmp/wait")"
    release b >/dev/null
}

# The token of whoever holds the lock of test1.
token() { curl -sS --max-time 5 "$url/status/?pool=test1" | sed -n 's/.*"token":\([0-9]*\).*/\1/p'; }

dies() {
    local before held
    check_equal "before a death: a lock" YES "$(get a)"
    held=$(token)
    before=$(pid)
    kill -9 "$before"
    check "kill -9: another process" within 15 another_pid "$before"
    check "kill -9: it answers" within 15 answers
    check_equal "kill -9: it was restarted once" 1 "$(property NRestarts)"
    check_equal "kill -9: the lock is held, with its token" "$held" "$(token)"
    check_equal "kill -9: nobody else has it" NO "$(get b)"
    check "kill -9: it was the same boot" within 5 journal_has "store opened leases=1 boot=same"
    release a >/dev/null

    before=$(pid)
    kill -STOP "$before"
    check "a loop that stands still: another process" within 30 another_pid "$before"
    check "a loop that stands still: it answers" within 15 answers
    check "a loop that stands still: the watchdog did it" \
        sh -c "journalctl -q -u distributexd _PID=1 | grep -q \"Failed with result 'watchdog'\""

    before=$(pid)
    pause=$((SECONDS + 12))
    within 20 test_passed $pause
    check_equal "the watchdog leaves an idle one alone" "$before" "$(pid)"
}

test_passed() { [ "$SECONDS" -ge "$1" ]; }

# More restarts than systemd's own limit, five in ten seconds, would allow.
waits_for_its_address() {
    local before
    sed -i 's|^listen: .*|listen: ["127.0.0.1:9889", "192.0.2.77:9889"]|' $config
    systemctl restart distributexd 2>/dev/null
    check "an address that is not there: it is tried eight times" within 60 restarts_are 8
    check_status "and it is not given up" 1 systemctl -q is-failed distributexd
    ip addr add 192.0.2.77/32 dev lo
    check "the address comes: it answers there" within 15 curl -fsS --max-time 5 http://192.0.2.77:9889/livez
    ip addr del 192.0.2.77/32 dev lo
    sed -i 's|^listen: .*|listen: "127.0.0.1:9889"|' $config
    systemctl restart distributexd
    check "and it is active" systemctl -q is-active distributexd
}

restarts_are() { [ "$(property NRestarts)" -ge "$1" ]; }

# With a damaged store the service fails to start, once, with a line that says so.
refuses_a_damaged_store() {
    systemctl stop distributexd
    systemctl reset-failed distributexd
    printf 'not a store, but a text of some length' >/var/lib/distributex/locks.db
    check_status "damaged: start fails" 1 systemctl start distributexd
    check_equal "damaged: exit status 65" 65 "$(property ExecMainStatus)"
    check_equal "damaged: no restart is tried" 0 "$(property NRestarts)"
    check "damaged: the journal says so" within 5 journal_has "locks.db"
    rm -f /var/lib/distributex/locks.*
    systemctl reset-failed distributexd
    check_status "without it: it starts" 0 systemctl start distributexd
}

starts_with_broken_configuration() {
    systemctl stop distributexd
    systemctl reset-failed distributexd
    break_configuration
    check_status "broken: start fails" 1 systemctl start distributexd
    check_equal "broken: exit status 78" 78 "$(property ExecMainStatus)"
    check_equal "broken: the error number is told" 22 "$(property StatusErrno)"
    check_equal "broken: no restart is tried" 0 "$(property NRestarts)"
    mend_configuration
    systemctl reset-failed distributexd
    check_status "mended: it starts" 0 systemctl start distributexd
}

one_holds() { [ -n "$(token)" ]; }
one_waits() { curl -sS --max-time 5 "$url/status/?pool=test1" | grep -q '"queued":1'; }

# A job under distributex goes on while the server is upgraded, and a waiter for the same
# lock has it afterwards.
upgrades_under_load() {
    local held job waiter
    distributex -H 127.0.0.1 -r test1 -i job -- sleep 15 >"$tmp/job" 2>&1 &
    job=$!
    check "a job holds the lock" within 10 one_holds
    held=$(token)
    distributex -H 127.0.0.1 -r test1 -i next -- true >"$tmp/next" 2>&1 &
    waiter=$!
    check "another one waits" within 10 one_waits
    check "an upgrade under load" dpkg --force-confold -i /t/distributexd_*.deb
    check "it answers" within 10 answers
    check_equal "the job holds on, with its token" "$held" "$(token)"
    check "the other one waits again" within 10 one_waits
    wait $job
    check_equal "the job ends well" "0 " "$? $(cat "$tmp/job")"
    wait $waiter
    check_equal "the other one had its turn" 0 $?
}

upgrades() {
    local before
    before=$(pid)
    check "an upgrade" dpkg --force-confold -i /t/distributexd_*.deb
    check "restarts it" another_pid "$before"
    check "it answers" answers
    upgrades_under_load
    before=$(pid)
    break_configuration
    check_says "an upgrade with a broken configuration says so" "was not restarted" dpkg --force-confold -i /t/distributexd_*.deb
    check_equal "the package is installed" "ii " "$(dpkg-query -W -f '${db:Status-Abbrev}' distributexd)"
    check_equal "the process is the same" "$before" "$(pid)"
    check "it answers" answers
    mend_configuration
    systemctl disable --now distributexd 2>/dev/null
    check "a disabled service: an upgrade" dpkg --force-confold -i /t/distributexd_*.deb
    check_equal "stays disabled" disabled "$(systemctl is-enabled distributexd)"
    check "and stopped" silent
    systemctl enable distributexd 2>/dev/null
}

# Sends requests at a steady pace and prints those that failed.
ask_steadily() {
    local i
    for i in $(seq 150); do
        curl -sS --max-time 20 -o "$tmp/answer" -w '%{http_code}\n' "$@" 2>&1 | grep -v '^200$' | sed "s/^/request $i: /"
        sleep 0.02
    done
}

activated_by_socket() {
    local asking before
    cp /t/examples/distributexd.socket /etc/systemd/system/
    systemctl daemon-reload
    check "the sockets are opened" systemctl enable --now distributexd.socket
    check_equal "the service does not run yet" inactive "$(property ActiveState)"
    check "the first request starts it" answers
    check_equal "and it is active" active "$(property ActiveState)"
    check "it tells that the sockets are not its own" journal_has "listening address=127.0.0.1:9889 inherited"
    check_equal "the unix socket serves" ok "$(curl -sS --unix-socket $socket http://localhost/livez)"
    ask_steadily $url/livez >"$tmp/lost" &
    asking=$!
    for _ in 1 2 3; do
        before=$(pid)
        systemctl restart distributexd
        check "another process after a restart" another_pid "$before"
        within 2 sleep 0.5
    done
    wait $asking
    check_equal "no request of 150 is lost over three restarts" "" "$(cat "$tmp/lost")"
    check_equal "the unix socket is still there" ok "$(curl -sS --unix-socket $socket http://localhost/livez)"
    check "stop the sockets" systemctl disable --now distributexd.socket
    systemctl stop distributexd
    rm /etc/systemd/system/distributexd.socket
    systemctl daemon-reload
    check "it starts without them" systemctl start distributexd
    check "and answers" answers
}

# The daemon listens on a unix socket, and memcached is on another.
unix_sockets() {
    sed -i 's|^listen: .*|listen: ["127.0.0.1:9889", "unix:/run/distributex/distributexd.sock"]|' $config
    check "a unix socket below /run/distributex: restart" systemctl restart distributexd
    check_equal "it serves" ok "$(curl -sS --unix-socket /run/distributex/distributexd.sock http://localhost/readyz)"
    if ! grep -q 'memcache' <(strings -a /usr/sbin/distributexd 2>/dev/null || cat /usr/sbin/distributexd) ||
        ! id memcache >/dev/null 2>&1; then
        echo "--- memcached is missing: its unix socket was not tried"
        return
    fi
    install -d -o memcache -g memcache -m 0750 /run/memcached
    setpriv --reuid=memcache --regid=memcache --init-groups /usr/bin/memcached -s /run/memcached/memcached.sock -a 0770 -d -P /run/memcached/pid
    sed -i '/^backend: /d' $config
    sed -i '/^pools:/i backend: memcache\nmemcachehost: unix:/run/memcached/memcached.sock' $config
    check "memcached over a unix socket: the configuration is good" distributexd -t
    systemctl restart distributexd
    check "without the group: not ready" within 10 not_ready
    mkdir -p $drop_ins
    cp /t/examples/systemd/memcached-socket.conf $drop_ins/
    systemctl daemon-reload
    check "with the drop-in: restart" systemctl restart distributexd
    check "with the drop-in: ready" within 15 curl -fsS $url/readyz
    check_equal "with the drop-in: a lock" YES "$(get memcached)"
    release memcached >/dev/null
}

not_ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")" = 503 ]; }

ends() {
    check "removal" dpkg -P distributexd
    check "removal stops it" silent
    check_equal "nothing is left" "" "$(find /etc /var/lib /var/log /run -path '*distributex*' ! -path '/var/lib/dpkg/*' \
        ! -path "$drop_ins*" 2>/dev/null)"
}

starts
sandboxed
reloads
dies
waits_for_its_address
refuses_a_damaged_store
starts_with_broken_configuration
upgrades
activated_by_socket
unix_sockets
ends
finish
