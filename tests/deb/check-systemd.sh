#!/bin/bash
# SPDX-License-Identifier: MIT
# check-systemd.sh [FOLDER]: what 'make check-systemd' runs. Builds the packages,
# or takes those of FOLDER, and tries them under a real systemd (boot.sh).
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir -p "$work/debs" "$work/t/examples"
if [ $# -gt 0 ]; then
    cp "$1"/*.deb "$work/debs/"
elif ! "$top/tools/build-deb.sh" "$work/debs" >"$work/log" 2>&1; then
    tail -n 30 "$work/log"
    echo "0 passed, 1 failed"
    exit 1
fi
rm -f "$work"/debs/*-dbgsym_*
cp "$work"/debs/*.deb "$here"/* "$work/t/"
cp -r "$top"/examples/* "$work/t/examples/"
chmod 755 "$work" "$work/t"

"$here/boot.sh" "$work/t" test-systemd.sh
status=$?
if [ $status -eq 77 ]; then
    echo "0 passed, 0 failed, 1 skipped: check-systemd was not run"
fi
exit $status
