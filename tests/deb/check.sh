#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh [FOLDER]: what 'make check-deb' runs. Builds the packages twice, in
# two places, and compares them; asks lintian; then installs them in throw-away views of this
# machine (overlay.sh) for the tests of this folder. With FOLDER, it takes the
# packages of FOLDER and builds none. This machine gets no package and no service.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
passed=0 failed=0 skipped=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say() { echo "=== $* (${SECONDS} s)"; }

result() {
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok $2"
    else
        failed=$((failed + 1))
        echo "--- FAILED $2"
    fi
}

finish() {
    local words="$passed passed, $failed failed"
    [ $skipped -eq 0 ] || words="$words, $skipped skipped"
    echo "$words"
    [ $failed -eq 0 ] && [ $passed -gt 0 ]
    exit
}

needed() {
    local tool missing=
    for tool in dh lintian logrotate curl unshare haproxy; do
        command -v $tool >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || {
        echo "check-deb: cannot run here:$missing missing; 'make deps DEPS=deb' installs them" >&2
        exit 1
    }
}

build_twice() {
    local which
    for which in first second; do
        say "build, $which"
        # Another folder and time zone, which must not show in the packages.
        mkdir -p "$work/$which/$which"
        if ! TZ=$([ $which = first ] && echo UTC || echo Asia/Kathmandu) \
            "$top/tools/build-deb.sh" "$work/$which" "$work/$which/$which" >"$work/$which.log" 2>&1; then
            tail -n 30 "$work/$which.log"
            result 1 "the packages can be built"
            finish
        fi
        rm -rf "${work:?}/$which/$which"
    done
    result 0 "the packages can be built"
    identical
    result $? "two builds are identical"
    ! grep -E '(warning|error):' "$work/first.log" | grep -v 'dpkg-source: warning'
    result $? "the build has no warning"
}

identical() {
    local file differ=0
    for file in "$work"/first/*.deb "$work"/first/*.tar.*; do
        cmp "$file" "$work/second/$(basename "$file")" || differ=1
    done
    return $differ
}

# Run as root lintian prints a warning of its own, which would look like a finding.
judge() {
    say "lintian"
    lintian --allow-root -i -I --pedantic --tag-display-limit 0 "$work"/first/*.changes >"$work/lintian" 2>&1
    cat "$work/lintian"
    ! grep -qE '^[EWIP]: ' "$work/lintian"
    result $? "lintian is content, at the pedantic level"
    systemd-analyze security --offline=yes --threshold=11 "$top/debian/distributexd.service" >"$work/exposure" 2>&1
    result $? "the unit's exposure is at most 1.1 ($(grep -oE 'exposure level.*: [0-9.]+' "$work/exposure" | grep -oE '[0-9.]+$'))"
    "$here/test-unit.sh" "$top/debian/distributexd.service"
    result $? "the unit has each line of its sandbox"
}

# The packages once more, as a later version with another sample configuration.
make_next() {
    local deb tree=$work/tree
    mkdir -p "$work/t/next"
    cp "$work"/first/*.deb "$work/t/"
    rm -f "$work"/t/*-dbgsym_*
    cp -r "$here"/* "$work/t/"
    mkdir -p "$work/t/examples" && cp -r "$top"/examples/* "$work/t/examples/"
    cp -r "$top/debian/tests" "$work/t/tests"
    for deb in "$work"/t/*.deb; do
        rm -rf "$tree"
        dpkg-deb -R "$deb" "$tree"
        sed -i 's/^Version: .*/Version: 1.0.1/' "$tree/DEBIAN/control"
        [ ! -e "$tree/etc/distributex/distributex.yaml" ] ||
            echo '# Of the next version.' >>"$tree/etc/distributex/distributex.yaml"
        dpkg-deb --root-owner-group -b "$tree" "$work/t/next/$(basename "$deb" | sed 's/_[^_]*_/_1.0.1_/')" >/dev/null
    done
}

# Each test script counts its checks; its last line has the sum.
run_inside() {
    local test=$1 status sum
    say "$test"
    "$here/overlay.sh" "$work/t" bash "/t/$test" >"$work/$test.log" 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        skipped=$((skipped + 1))
        echo "--- SKIPPED $test: $(tail -n 1 "$work/$test.log")"
        return
    fi
    grep -A 20 '^--- ' "$work/$test.log"
    sum=$(tail -n 1 "$work/$test.log")
    if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        echo "$test: $sum"
    else
        tail -n 30 "$work/$test.log"
        result 1 "$test came to its end"
    fi
}

needed
if [ $# -gt 0 ]; then
    mkdir -p "$work/first"
    cp "$1"/* "$work/first/"
else
    build_twice
fi
judge
make_next
for test in test-sysv.sh test-lifecycle.sh test-autopkgtest.sh test-examples.sh; do
    run_inside $test
done
say "done"
finish
