#!/bin/bash
# SPDX-License-Identifier: MIT
# boot.sh FOLDER SCRIPT: boots a systemd of its own over a throw-away view of this
# machine, with its own network, and runs FOLDER/SCRIPT in it; FOLDER is /t there.
# Needs root and systemd-nspawn. Leaves nothing behind. Exit status 77: it says why
# this is not possible here.
set -u
folder=$(readlink -f "$1") script=$2

skip() {
    echo "boot: cannot run here: $1" >&2
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip "needs root"
command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is missing ('make deps DEPS=deb' installs systemd-container)"
unshare -m -n -p -i -u -f true 2>/dev/null || skip "the kernel or this container forbids namespaces"

nspawn='' leader=''
root=$(mktemp -d /mnt/distributex.XXXXXX)
log=$(mktemp)

leave() {
    if [ -n "$nspawn" ]; then
        [ -z "$leader" ] || inside systemctl poweroff >/dev/null 2>&1
        for _ in $(seq 150); do
            kill -0 "$nspawn" 2>/dev/null || break
            sleep 0.1
        done
        kill -TERM "$nspawn" 2>/dev/null
        wait "$nspawn" 2>/dev/null
    fi
    umount "$root"
    rmdir "$root"
    # Without a systemd around it nspawn leaves empty cgroups behind.
    find /sys/fs/cgroup/{systemd,unified}/{payload,supervisor} -depth -type d -exec rmdir {} + 2>/dev/null
    rm -f "$log"
}

inside() {
    nsenter -t "$leader" -m -u -i -n -p -r -w /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER= "$@"
}

within() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        kill -0 "$nspawn" 2>/dev/null || return 1
        sleep 0.1
    done
}

# The systemd is the child of nspawn's child.
find_leader() {
    local child
    child=$(pgrep -P "$nspawn") && leader=$(pgrep -P "$child" | head -n 1) && [ -n "$leader" ]
}

mount --bind / "$root" || {
    rmdir "$root"
    skip "a bind mount of / is refused"
}
trap leave EXIT
trap 'exit 130' INT TERM
systemd-nspawn -q -D "$root" --volatile=overlay --register=no --keep-unit --private-network \
    --bind-ro="$folder":/t -b systemd.unit=basic.target >"$log" 2>&1 </dev/null &
nspawn=$!
if ! within 60 grep -q 'Reached target.*basic.target' "$log" || ! within 10 find_leader; then
    tail -n 5 "$log" >&2
    skip "systemd does not boot in systemd-nspawn"
fi
within 30 inside systemctl is-system-running --wait
inside ip link set lo up
inside rm -f /usr/sbin/policy-rc.d
inside setsid -w bash "/t/$script" </dev/null
