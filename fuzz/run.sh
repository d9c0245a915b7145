#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PROGRAMS OUT TARGET...: each target for FUZZ_SECS seconds on the seeds
# of fuzz/corpus and on what earlier runs have added in OUT/corpus. If an input breaks
# something, it is stored in OUT, and the exit status is not 0.
set -eu
programs=$1 out=$2
shift 2
seconds=${FUZZ_SECS:-60}
here=$(dirname "$0")

status=0
for target in "$@"; do
    mkdir -p "$out/corpus/$target"
    echo "fuzz: $target for $seconds s"
    if nice "$programs/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 \
        -max_len=4096 -print_final_stats=1 -dict="$here/$target.dict" \
        -artifact_prefix="$out/$target-" "$out/corpus/$target" "$here/corpus/$target" \
        >"$out/$target.log" 2>&1; then
        sed -n 's/^#\([0-9]*\)[[:space:]]*DONE */fuzz: '"$target"': \1 runs, /p' "$out/$target.log"
    else
        status=1
        tail -n 40 "$out/$target.log" >&2
        echo "fuzz: $target failed; the input is $out/$target-*, the whole log $out/$target.log" >&2
    fi
done
exit $status
