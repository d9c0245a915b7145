#!/bin/bash
# SPDX-License-Identifier: MIT
# test-examples.sh: tries every file of examples/ with the program that it is for,
# against the installed packages. Runs inside overlay.sh; /t/examples has the files,
# /t the packages. The test changes only addresses and intervals.
# shellcheck disable=SC2317 # functions are called by name
set -u
# shellcheck source=tests/deb/support.sh
. "$(dirname "$0")/support.sh"
examples=/t/examples
pids=()

stop_all() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
}
trap stop_all EXIT

local_addresses() {
    sed 's/192\.0\.2\.1:9889/127.0.0.1:9889/; s/192\.0\.2\.2:9889/127.0.0.1:9890/
         s/192\.0\.2\.1 9889/127.0.0.1 9889/; s/locks.example.com:9889/127.0.0.1:9889/' "$1"
}

# The state of a server as HAProxy sees it.
haproxy_says() {
    curl -fsS 'http://127.0.0.1:9901/;csv' | awk -F, -v name="$1" '$1 "/" $2 == name { print $18 }' | grep -q "^$2"
}

try_haproxy() {
    local_addresses $examples/haproxy.cfg | sed 's/bind :9889/bind 127.0.0.1:9900/' >"$tmp/haproxy.cfg"
    printf 'listen stats\n    bind 127.0.0.1:9901\n    stats enable\n    stats uri /\n' >>"$tmp/haproxy.cfg"
    check "haproxy: the file is good" haproxy -c -f "$tmp/haproxy.cfg"
    haproxy -db -f "$tmp/haproxy.cfg" >"$tmp/haproxy.log" 2>&1 &
    pids+=($!)
    check "haproxy: GET /readyz is UP" within 15 haproxy_says distributex/locks1 UP
    check "haproxy: the plain check is UP" within 15 haproxy_says distributex_plain/locks1 UP
    check "haproxy: a server that is not there is DOWN" within 15 haproxy_says distributex/locks2 DOWN
    check_equal "haproxy: a lock through the proxy" YES "$(curl -sS 'http://127.0.0.1:9900/get/?pool=test1&host=proxied')"
    check_equal "haproxy: and back" OK "$(curl -sS 'http://127.0.0.1:9900/release/?pool=test1&host=proxied')"
}

nagios_command() {
    sed -n 's/^ *command_line *//p' $examples/nagios.cfg | sed 's/[$]HOSTADDRESS[$]/127.0.0.1/'
}

try_nagios() {
    local command
    command=$(nagios_command)
    check_says "nagios: OK" "HTTP OK" sh -c "$command"
    check_status "nagios: with status 0" 0 sh -c "$command"
}

try_nagios_when_stopped() {
    check_status "nagios: CRITICAL when it is stopped" 2 sh -c "$(nagios_command)"
}

# keepalived's own check needs the kernel's virtual servers. So keepalived only
# reads the file, and curl sends the request that keepalived would send.
try_keepalived() {
    if command -v keepalived >/dev/null; then
        check "keepalived: the file is good" keepalived -t -f $examples/keepalived.conf
    else
        echo "--- keepalived is missing: its file was not read by it"
    fi
    check_equal "keepalived: GET has the status it waits for" 200 \
        "$(curl -s -0 -o /dev/null -w '%{http_code}' "$url$(awk '$1 == "path" { print $2; exit }' $examples/keepalived.conf)")"
}

try_prometheus() {
    if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
        echo "--- prometheus is missing: its example was not tried"
        return
    fi
    local_addresses $examples/prometheus.yml | sed 's/15s/1s/' >"$tmp/prometheus.yml"
    check "prometheus: the file is good" promtool check config $examples/prometheus.yml
    check "prometheus: there are metrics" curl -fsS -o "$tmp/metrics" "$url/metrics"
    check "prometheus: the metrics are good" sh -c "promtool check metrics <$tmp/metrics"
    prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/tsdb" --web.listen-address=127.0.0.1:9902 \
        >"$tmp/prometheus.log" 2>&1 &
    pids+=($!)
    check "prometheus: the service is up" within 30 prometheus_has 'up{job="distributex"}==1'
    check "prometheus: its pools are there" within 10 prometheus_has 'distributex_pool_slots{pool="test1"}==1'
}

prometheus_has() {
    curl -fsS -G --data-urlencode "query=$1" http://127.0.0.1:9902/api/v1/query | grep -q '"value"'
}

try_curl() {
    check_equal "curl: readyz" ok "$(curl -fsS --max-time 2 $url/readyz)"
    check "curl: HEAD" curl -fsSI --max-time 2 $url/livez
    sed -i 's|^listen: .*|listen: ["127.0.0.1:9889", "unix:/run/distributex/distributexd.sock"]|' $config
    check "a unix socket as well: restart" /etc/init.d/distributexd restart
    check_equal "curl: over a unix socket" ok \
        "$(curl -fsS --max-time 2 --unix-socket /run/distributex/distributexd.sock http://localhost/readyz)"
    check_equal "the socket is for owner and group" "_distributex:_distributex 660" \
        "$(stat -c '%U:%G %a' /run/distributex/distributexd.sock)"
}

# The command of each line, as cron would run it: its environment, its shell.
try_crontab() {
    local line n=0
    while read -r line; do
        n=$((n + 1))
        line=$(sed 's/^\([^ ]* *\)\{6\}//; s/locks[12]*\.example\.com/127.0.0.1/g; s/-r [a-z]*/-r test1/' <<<"$line")
        line=$(sed "s/'puppet.*'/'touch \/tmp\/ran$n'/; s/-- .*/-- touch \/tmp\/ran$n/" <<<"$line")
        env -i HOME=/root LOGNAME=root SHELL=/bin/sh PATH=/usr/bin:/bin sh -c "$line" >"$tmp/cron" 2>&1 </dev/null
        check_equal "crontab: line $n ends well" 0 $?
        check_equal "crontab: line $n says nothing" "" "$(cat "$tmp/cron")"
        check "crontab: line $n runs its command" test -e "/tmp/ran$n"
    done < <(grep -v '^#' $examples/crontab)
    curl -sS "$url/get/?pool=test1&host=other" >/dev/null
    line=$(grep -v '^#' $examples/crontab | grep -e '-E 0' | sed 's/^\([^ ]* *\)\{6\}//; s/locks.example.com/127.0.0.1/; s/-r [a-z]*/-r test1/; s/-- .*/-- touch \/tmp\/no/')
    env -i HOME=/root LOGNAME=root SHELL=/bin/sh PATH=/usr/bin:/bin sh -c "$line" >"$tmp/cron" 2>&1 </dev/null
    check_equal "crontab: held elsewhere is no failure with -E 0" 0 $?
    check_equal "crontab: and nothing to mail" "" "$(cat "$tmp/cron")"
    check_status "crontab: the command is not run" 1 test -e /tmp/no
    curl -sS "$url/release/?pool=test1&host=other" >/dev/null
}

try_units() {
    local drop_in where=/etc/systemd/system/distributexd.service.d
    mkdir -p $where
    cp $examples/distributexd.socket /etc/systemd/system/
    for drop_in in "$examples"/systemd/*.conf; do
        cp "$drop_in" $where/
        check_equal "$(basename "$drop_in"): systemd has nothing to say" "" \
            "$(systemd-analyze verify /lib/systemd/system/distributexd.service 2>&1)"
    done
    check_equal "distributexd.socket: systemd has nothing to say" "" \
        "$(systemd-analyze verify /etc/systemd/system/distributexd.socket 2>&1)"
    check "the allow-list brings the exposure down to 1.0" systemd-analyze security --offline=yes --threshold=10 \
        /lib/systemd/system/distributexd.service
}

check "the packages install" dpkg -i /t/*.deb
try_haproxy
try_nagios
try_keepalived
try_prometheus
try_curl
try_crontab
try_units
check "it stops" /etc/init.d/distributexd stop
check "haproxy: DOWN when it is stopped" within 15 haproxy_says distributex/locks1 DOWN
try_nagios_when_stopped
finish
