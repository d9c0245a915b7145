#!/bin/bash
# SPDX-License-Identifier: MIT
# test-sysv.sh: the packages in /t, installed without systemd: the init script,
# verb by verb, with a good and with a broken configuration. Runs inside
# overlay.sh.
# shellcheck disable=SC2317 # functions are called by name
set -u
# shellcheck source=tests/deb/support.sh
. "$(dirname "$0")/support.sh"

service() { /etc/init.d/distributexd "$@"; }
pid() { cat /run/distributex/distributexd.pid; }
get() { curl -sS --max-time 5 "$url/get/?pool=test1&host=$1"; }
release() { curl -sS --max-time 5 "$url/release/?pool=test1&host=$1"; }

# The verb must fail with that status, within two seconds, and say why.
check_fails_fast() {
    local name=$1 wanted=$2 text=$3 start took status
    shift 3
    start=$(milliseconds)
    "$@" >"$tmp/out" 2>&1 </dev/null
    status=$?
    took=$(($(milliseconds) - start))
    echo "status $status after $took ms" >>"$tmp/out"
    if [ $status -eq "$wanted" ] && [ $took -lt 2000 ] && grep -qF -- "$text" "$tmp/out"; then
        ok "$name ($took ms)"
    else
        not_ok "$name"
    fi
}

install_packages() {
    check "the client installs alone" dpkg -i /t/distributex_*.deb
    check_status "the client makes no user" 2 getent passwd _distributex
    check "the server installs" dpkg -i /t/distributexd_*.deb
    check "it runs and answers when the installation is over" answers
    check_says "its user has no shell" :/usr/sbin/nologin getent passwd _distributex
    check_equal "it runs as its user" _distributex "$(ps -o user:20= -p "$(pid)")"
    check_equal "it has no capability" 0000000000000000 "$(awk '/^CapEff/ { print $2 }' "/proc/$(pid)/status")"
    check_equal "it listens on loopback alone" "127.0.0.1:9889$(has_ipv6 && echo ' [::1]:9889')" \
        "$(ss -Hltn | awk '{ print $4 }' | sort | tr '\n' ' ' | sed 's/ $//')"
    check_equal "the log's folder is root's" "root:adm 2750" "$(stat -c '%U:%G %a' /var/log/distributex)"
    check_equal "the log is root's, for adm to read" "root:adm 640" "$(stat -c '%U:%G %a' /var/log/distributex/distributexd.log)"
    check_equal "the state's folder is the user's" "_distributex:_distributex 750" "$(stat -c '%U:%G %a' /var/lib/distributex)"
    # shellcheck disable=SC2016 # for the inner shell
    check "the default file is plain for sh" sh -uc '. /etc/default/distributexd; [ -n "$DAEMON_OPTS" ]'
    check "systemd-analyze finds no fault with the unit" systemd_verify
}

# systemd-analyze reports a typo in a unit by a message, and exits 0.
systemd_verify() {
    systemd-analyze verify /lib/systemd/system/distributexd.service 2>"$tmp/verify"
    cat "$tmp/verify"
    [ ! -s "$tmp/verify" ]
}

verbs_while_running() {
    local before
    before=$(pid)
    check_status "start again is no error" 0 service start
    check_status "status says 0" 0 service status
    check_status "configtest says 0" 0 service configtest
    check_equal "a lock is taken" YES "$(get a)"
    curl -sS --max-time 20 "$url/wait/?pool=test1&host=b" >"$tmp/wait" 2>&1 &
    waiter=$!
    check "a waiter is in line" within 5 grep_status '"waiting":[{"host":"b"'
    check_status "reload says 0" 0 service reload
    check "reload is logged" within 5 grep -q 'reloaded pools=1' /var/log/distributex/distributexd.log
    check_equal "reload keeps the process" "$before" "$(pid)"
    check_equal "reload keeps the lock" NO "$(get c)"
    check_status "force-reload says 0" 0 service force-reload
    check_equal "force-reload keeps the process" "$before" "$(pid)"
    release a >/dev/null
    wait $waiter
    check_equal "reload keeps the waiter" YES "$(cat "$tmp/wait")"
    check_status "restart says 0" 0 service restart
    check "the port is open the instant restart returns" answers
    check_status "restart is another process" 1 test "$before" = "$(pid)"
    check_equal "restart keeps the lock" NO "$(get c)"
    check_equal "its holder gives it back" OK "$(release b)"
    before=$(pid)
    check_status "try-restart says 0" 0 service try-restart
    check_status "try-restart is another process" 1 test "$before" = "$(pid)"
    check_status "an unknown verb says 3" 3 service dance
}

grep_status() { curl -sS "$url/status/" | grep -qF "$1"; }

verbs_with_broken_configuration() {
    local before verb
    before=$(pid)
    break_configuration
    check_says "configtest names file, line and column" "$config:" service configtest
    for verb in configtest reload force-reload restart try-restart; do
        check_fails_fast "broken: $verb says 6 and why" 6 "expires" service $verb
        check_equal "broken: $verb keeps the process" "$before" "$(pid)"
        check "broken: $verb keeps it serving" answers
    done
    check_status "broken: start of what runs is no error" 0 service start
    check_status "broken: stop works" 0 service stop
    check_fails_fast "broken: a cold start says 6 and why" 6 "expires" service start
    check_status "broken: nothing is left behind" 3 service status
    mend_configuration
}

verbs_while_stopped() {
    check_status "stop again is no error" 0 service stop
    check_status "stopped: status says 3" 3 service status
    check_status "stopped: reload says 7" 7 service reload
    check_status "stopped: force-reload says 7" 7 service force-reload
    check_status "stopped: try-restart says 0" 0 service try-restart
    check "stopped: try-restart starts nothing" silent
    rm -rf /run/distributex
    check_status "start makes the folder in /run" 0 service start
    check "the port is open the instant start returns" answers
}

odd_states() {
    local other
    kill -9 "$(pid)"
    check "it is dead" within 5 silent
    check_status "a stale pid file: status says 1" 1 service status
    check_status "a stale pid file: start works" 0 service start
    check_status "it stops" 0 service stop
    sleep 1000 &
    other=$!
    install -d /run/distributex && echo $other >/run/distributex/distributexd.pid
    check_status "another's process in the pid file: stop" 0 service stop
    check "another's process lives on" kill -0 $other
    kill $other
    rm -f /run/distributex/distributexd.pid

    python3 -c 'import signal, socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 9889)); s.listen(); signal.pause()' &
    other=$!
    within 10 sh -c 'ss -Hltn | grep -q 9889'
    check_fails_fast "a taken port: start says 1 and why" 1 "Address already in use" service start
    check_status "a taken port: no pid file stays" 1 test -e /run/distributex/distributexd.pid
    kill $other
    wait $other 2>/dev/null

    sed -i 's/^DAEMON_OPTS="/&--dance /' /etc/default/distributexd
    check_fails_fast "a wrong option: start says 6 and why" 6 "dance" service start
    sed -i 's/--dance //' /etc/default/distributexd
    check_status "it starts" 0 service start
}

log_rotation() {
    local log=/var/log/distributex/distributexd.log
    check_equal "a lock is taken before the rotation" YES "$(get rotate)"
    check "lines are in the log" within 5 grep -q 'host=rotate ' $log
    check "logrotate does its work" logrotate -f /etc/logrotate.d/distributexd
    check "the old lines are kept" grep -q 'host=rotate ' $log.1
    check_status "and are not in the new file" 1 grep -q 'host=rotate ' $log
    check_equal "and released after it" OK "$(release rotate)"
    check "new lines are in the new file" within 5 grep -q '^20.*event=released.*host=rotate ' $log
    check_equal "without a hole" 0 "$(tr -dc '\0' <$log | wc -c)"
}

install_packages
verbs_while_running
verbs_with_broken_configuration
verbs_while_stopped
odd_states
log_rotation
finish
