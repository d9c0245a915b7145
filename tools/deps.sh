#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh GROUP...: installs the packages of these groups of deps.list that are
# missing. Says nothing and needs no network where all of them are installed.
set -eu
list=$(dirname "$0")/../deps.list
groups=" $* "

wanted=
while read -r group choice _; do
    case $groups in
    *" $group "*) wanted="$wanted $choice" ;;
    esac
done <"$list"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "deps: no Debian system; if the build fails, find here what it needs:$wanted" >&2
    exit 0
fi

# shellcheck disable=SC2046 # one word per package
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} \n' $(echo "$wanted" | tr '|' ' ') 2>/dev/null |
    sed -n 's/^installed//p' | tr -d '\n') || true

missing=
for choice in $wanted; do
    found=
    for package in $(echo "$choice" | tr '|' ' '); do
        case "$installed " in *" $package "*) found=1 ;; esac
    done
    [ -n "$found" ] || missing="$missing $choice"
done
[ -n "$missing" ] || exit 0

# Prints the first of these packages that this release of Debian has; none: the first.
first_known() {
    for package; do
        if apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]'; then
            echo "$package"
            return
        fi
    done
    echo "$1"
}

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: needs root or sudo; as root: apt-get install$(echo "$missing" | sed 's/|[^ ]*//g')" >&2
        exit 1
    fi
    as_root=sudo
fi
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
apt update
packages=
for choice in $missing; do
    # shellcheck disable=SC2046 # one word per package
    packages="$packages $(first_known $(echo "$choice" | tr '|' ' '))"
done
echo "deps: installing$packages"
# shellcheck disable=SC2086 # one word per package
apt install --no-install-recommends $packages
