#!/bin/bash
# SPDX-License-Identifier: MIT
# run-tests.sh LOGDIR PROGRAM...: runs cmocka programs and test scripts, $JOBS at a
# time, each under a time limit ($TEST_TIMEOUT seconds) with its output in LOGDIR.
# Those that tests/longest.list names start first, in its order. Prints one line for
# each program, the log of what failed, and at the end which five took longest, how
# long the run took, and "N passed, N failed". A script counts as one test; its exit
# status 77 means that it cannot run here. Fails when a test did, or when none ran.
set -u

# Prints "PASSED FAILED SKIPPED" as cmocka reported them in a log, all groups added.
count_tests() {
    awk '/^\[  PASSED  \] .*test\(s\)/  { passed += number() }
         /^\[  FAILED  \] .*test\(s\)/  { failed += number() }
         /^\[  SKIPPED \] .*test\(s\)/  { skipped += number() }
         function number() { match($0, /[0-9]+ test\(s\)/); return substr($0, RSTART) + 0 }
         END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# Prints the counts of one finished program; a crash is a failure, as is a
# program that ran no test at all.
judge() {
    local log=$1 program=$2 status=$3 passed failed skipped
    case $program in
    *.sh)
        case $status in
        0) echo 1 0 0 ;;
        77) echo 0 0 1 ;;
        *) echo 0 1 0 ;;
        esac
        return
        ;;
    esac
    read -r passed failed skipped < <(count_tests "$log")
    if [ "$failed" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((passed + skipped)) -eq 0 ]; }; then
        failed=1
    fi
    echo "$passed" "$failed" "$skipped"
}

# The name by which TESTS chooses it: wire/verbs, backends/memcache/race, check-docs.
name_of() {
    local name=${1%.sh}
    case $name in
    */tests/* | tests/*) name=${name##*tests/} ;;
    *) name=${name##*/} ;;
    esac
    echo "${name/test_/}"
}

run_one() {
    local logs=$1 program=$2 name log start status passed failed skipped seconds why=
    name=$(name_of "$program")
    log=$logs/$name.log
    mkdir -p "${log%/*}"
    start=${EPOCHREALTIME/[.,]/}
    # timeout has its own process group, which the terminal's Ctrl-C does not reach.
    timeout -k 10 "${TEST_TIMEOUT:-600}" "$program" >"$log" 2>&1 </dev/null &
    # shellcheck disable=SC2064 # this very process
    trap "kill $! 2>/dev/null; exit 130" INT TERM
    # The shell's own word on a crash would stand outside the report.
    { wait $!; } 2>/dev/null
    status=$?
    seconds=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
    seconds=$((seconds / 1000)).$(printf %02d $((seconds % 1000 / 10)))
    read -r passed failed skipped < <(judge "$log" "$program" "$status")
    echo "$passed $failed $skipped" >"$logs/$name.count"
    echo "$seconds $name" >"$logs/$name.seconds"
    [ "$skipped" -eq 0 ] || why=", $skipped skipped"
    # The lock keeps the reports of two programs apart.
    exec 9>>"$logs/.lock" && flock 9
    if [ "$failed" -eq 0 ]; then
        echo "ok $name ($passed tests$why, $seconds seconds)"
        return
    fi
    [ "$status" -ne 124 ] && [ "$status" -ne 137 ] || why="$why, stopped after ${TEST_TIMEOUT:-600} seconds"
    echo "--- $log"
    cat "$log"
    echo "--- FAILED $name ($passed passed, $failed failed$why, exit status $status, $seconds seconds)"
}

# Prints the programs, NUL after each: those of the list first, in its order.
longest_first() {
    local program name
    declare -A rank=()
    while read -r name _; do
        case $name in '' | '#'*) ;; *) rank[$name]=${#rank[@]} ;; esac
    done <"$longest"
    for program; do
        printf '%s\t%s\0' "${rank[$(name_of "$program")]:-999}" "$program"
    done | sort -z -s -n -k 1,1 | cut -z -f 2-
}

# Prints "NAME 1.23 s, ..." of the five programs that took longest.
slowest() {
    find "$1" -name '*.seconds' -exec cat {} + | sort -rn | head -n 5 |
        awk '{ printf "%s%s %s s", (NR > 1 ? ", " : ""), $2, $1 }'
}

if [ "$1" = --one ]; then
    run_one "$2" "$3"
    exit
fi

longest=$(dirname "$0")/../tests/longest.list
# Programs wait most of their time, for leases to end and for silence: more of them
# than processors are under way. Sanitized programs work where others wait.
factor=4
[ -z "${SAN:-}" ] || factor=2
jobs=${JOBS:-$(($(nproc) * factor))}
logs=$1
shift
rm -rf "$logs"
mkdir -p "$logs"
case ${SAN:-} in
*address*) export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1} ;;
esac
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}

[ $# -eq 0 ] || longest_first "$@" | xargs -0 -n 1 -P "$jobs" "$0" --one "$logs"

passed=0 failed=0 skipped=0
for program; do
    name=$(name_of "$program")
    if ! read -r p f s 2>/dev/null <"$logs/$name.count"; then
        echo "--- FAILED $name: not run to its end"
        p=0 f=1 s=0
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
summary="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
[ $((passed + failed)) -gt 0 ] || echo "no test was run"
[ $# -eq 0 ] || echo "longest: $(slowest "$logs")"
echo "took $SECONDS seconds, $jobs programs at a time"
echo "$summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
