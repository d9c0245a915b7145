#!/bin/bash
# SPDX-License-Identifier: MIT
# overlay.sh FOLDER COMMAND...: runs the command as root over a throw-away view of
# this machine: writes go to memory, /t is FOLDER (read-only), processes and network are
# its own. Nothing of the view is left at the end, whatever the command does. Exit
# status 77: not possible here.
set -eu

skip() {
    echo "overlay: cannot run here: $1" >&2
    exit 77
}

if [ "${1:-}" != --inside ]; then
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    command -v unshare >/dev/null || skip "unshare (util-linux) is missing"
    unshare -m -n -p -i -u -f true 2>/dev/null || skip "the kernel or this container forbids namespaces"
    root=$(mktemp -d)
    trap 'rmdir "$root"' EXIT
    status=0
    # The group's leader is process 1 in the view: when it ends, all processes there end.
    unshare -m -n -p -i -u -f --kill-child --propagation private "$0" --inside "$root" "$@" || status=$?
    exit $status
fi

root=$2 folder=$3
shift 3
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/all"
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" overlay "$root/all" 2>/dev/null ||
    skip "an overlay of / cannot be mounted"
cd "$root/all"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --rbind /dev dev
mkdir -p run/lock t
mount --bind -o ro "$folder" t
# Make the view a machine with sysv init: services may be started, in runlevel 2. The
# index of manual pages is not needed and takes time.
rm -f usr/sbin/policy-rc.d var/lib/man-db/auto-update usr/sbin/runlevel
printf '#!/bin/sh\necho N 2\n' >usr/sbin/runlevel
chmod 755 usr/sbin/runlevel
ip link set lo up
exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
