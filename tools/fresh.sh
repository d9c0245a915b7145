#!/bin/bash
# SPDX-License-Identifier: MIT
# fresh.sh [--build|--programs] SUITE...: makes a bare system of each Debian SUITE (bookworm,
# trixie), with nothing but make and git in it, clones what is committed here into it
# and runs README's two commands there: 'make run' until curl has a lock, and 'make
# check'. With --build it only compiles everything, with g++ and clang++, with
# warnings as errors; with --programs, the two programs with g++. Prints what failed and
# how long each step took; the full output stays in build/fresh. The packages come from
# the mirror that apt uses on this machine. Needs root and mmdebstrap. Exit status 77: no
# such system can be made here.
set -u
export LC_ALL=C
url=http://localhost:9889

# cannot WHY: nothing was tried.
cannot() {
    echo "fresh: $*" >&2
    exit 77
}

# --- inside the bare system, in the clone ------------------------------------

# Takes a lock as README's reader does in the second terminal.
has_lock() {
    [ "$(curl -fsS --max-time 5 "$url/get/?pool=test1&host=me" 2>/dev/null)" = YES ]
}

# 'make run' stays in the foreground until somebody ends it.
run_until_lock() {
    make run &
    local make=$!
    until command -v curl >/dev/null && has_lock; do
        kill -0 $make 2>/dev/null || {
            wait $make
            echo "make run ended with status $? before it gave a lock"
            return 1
        }
        sleep 0.2
    done
    echo "curl has a lock"
    curl -fsS "$url/release/?pool=test1&host=me"
    kill $make
    wait $make 2>/dev/null
    return 0
}

inside() {
    cd /root/distributex || exit 1
    case $1 in
    run) run_until_lock ;;
    check) make check ;;
    deps) make deps DEPS="build test clang" ;;
    libraries) make deps DEPS=build ;;
    programs) make WERROR=1 DEPS= all ;;
    gcc) make WERROR=1 DEPS= all tests ;;
    clang) make WERROR=1 DEPS= CXX=clang++ all tests ;;
    nothing) ;;
    esac
}

if [ "${1:-}" = --inside ]; then
    inside "$2"
    exit
fi

# --- outside ------------------------------------------------------------------

# Prints "URI LABEL" of the archives of Debian that apt reads on this machine.
archives() {
    # shellcheck disable=SC2016 # the dollars are apt's
    apt-get indextargets --format '$(REPO_URI) $(LABEL) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
        awk '$3 == "Debian" && $4 == "main" && !seen[$1]++ { print $1, $2 }'
}

# Prints the lines of sources.list for one suite.
sources_of() {
    local suite=$1 uri label
    while read -r uri label; do
        case $label in
        Debian) printf 'deb %s %s main\ndeb %s %s-updates main\n' "$uri" "$suite" "$uri" "$suite" ;;
        Debian-Security) echo "deb $uri $suite-security main" ;;
        esac
    done < <(archives)
}

# What this machine's apt must know to reach the archives, as mmdebstrap's options
# in the array 'options'.
read_apt_options() {
    local line
    options=()
    while read -r line; do
        options+=("--aptopt=$line")
    done < <(apt-config dump | grep -iE '^Acquire::(https?::.*proxy|Check-Valid-Until|Check-Date|Retries)\b.* ".+";$')
}

# in_system ROOT STEP: processes and mounts are its own and end with it. The
# network is this machine's, for the packages come through it.
in_system() {
    # Its root is a mount point, as in a real system: tests make namespaces of their own there.
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare -m -p -i -u -f --kill-child --propagation private bash -euc '
        mount --bind "$1" "$1"
        cd "$1"
        mount -t proc proc proc
        mount -t sysfs -o ro sysfs sys
        mount --rbind /dev dev
        mount -t tmpfs -o mode=1777 tmpfs tmp
        exec chroot . /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LC_ALL=C.UTF-8 \
            ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
            bash /fresh.sh --inside "$2"' - "$1" "$2" </dev/null
}

# Lines of a log that a reader of README should not see: warnings of a compiler,
# and pkg-config's word on what is missing.
complaints() {
    grep -E "^(g\+\+|clang(\+\+)?|cc1plus): |^[^ ]+:[0-9]+:[0-9]+: warning: |in the pkg-config search path|^No package '|required by '.*not found" "$1"
}

# step SUITE NAME COMMAND...: reports the command and keeps its output. Fails when it
# did, or when it complained.
step() {
    local suite=$1 name=$2 log start=$SECONDS status=0 word=ok
    shift 2
    log=$logs/$suite-$name.log
    "$@" >"$log" 2>&1 || status=$?
    complaints "$log" >"$log.complaints"
    if [ $status -ne 0 ] || [ -s "$log.complaints" ]; then
        word="--- FAILED" failed=$((failed + 1))
        grep -E '^--- FAILED|error:|\*\*\*' "$log" | head -n 20
        head -n 5 "$log.complaints"
        tail -n 5 "$log"
        echo "--- $log"
    fi
    rm -f "$log.complaints"
    echo "$word $suite $name ($((SECONDS - start)) seconds$(grep -E '^[0-9]+ passed, ' "$log" | tail -n 1 | sed 's/^/: /'))"
    [ "$word" = ok ]
}

# The last line tries whether processes can be run in it at all.
make_system() {
    local suite=$1 root=$2
    mmdebstrap --quiet --variant=apt --include=make,git "${options[@]}" "$suite" "$root" - < <(sources_of "$suite") &&
        cp -L /etc/resolv.conf "$root/etc/resolv.conf" &&
        cp "$0" "$root/fresh.sh" &&
        git clone -q --depth 1 "file://$top" "$root/root/distributex" &&
        in_system "$root" nothing
}

try_suite() {
    local suite=$1 name
    root=$(mktemp -d)
    chmod 755 "$root"
    step "$suite" system make_system "$suite" "$root" && made=$((made + 1)) &&
        for name in $steps; do
            # Nobody can judge the tests of a program that does not build.
            step "$suite" "$name" in_system "$root" "$name" || [ "$name" = gcc ] || break
        done
    rm -rf --one-file-system "$root"
    root=
}

steps="run check"
if [ "${1:-}" = --build ]; then
    steps="deps gcc clang"
    shift
elif [ "${1:-}" = --programs ]; then
    steps="libraries programs"
    shift
fi
top=$(cd "$(dirname "$0")/.." && pwd)
logs=$top/build/fresh
failed=0 made=0 root='' options=()
trap '[ -z "$root" ] || rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT TERM

[ $# -gt 0 ] || { echo "fresh: which suite of Debian? bookworm, trixie" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || cannot "needs root, to make a system"
command -v mmdebstrap >/dev/null || cannot "mmdebstrap is missing; 'make deps DEPS=fresh' installs it"
[ -n "$(archives)" ] || cannot "apt on this machine names no archive of Debian"
unshare -m -p -i -u -f true 2>/dev/null || cannot "the kernel or this container forbids namespaces"
case $steps in
*run*) ! curl -s -o /dev/null --max-time 5 $url || cannot "something listens on port 9889 of this machine: 'make run' needs it" ;;
esac
read_apt_options
rm -rf "$logs"
mkdir -p "$logs"
for suite; do
    try_suite "$suite"
done
[ $failed -eq 0 ] || echo "$failed failed"
[ $made -gt 0 ] || exit 77
[ $failed -eq 0 ]
