#!/bin/bash
# SPDX-License-Identifier: MIT
# check-alerts.sh: the alert rules of examples/ are sound, fire when they should,
# and name metrics that the daemon has. Skipped without promtool.
set -u
export LC_ALL=C
cd "${TOP:-.}" || exit 1
command -v promtool >/dev/null || {
    echo "skipped: promtool is missing (apt-get install prometheus)"
    exit 0
}
failures=0
promtool check rules examples/prometheus-alerts.yml >/dev/null || failures=1
promtool test rules examples/prometheus-alerts-test.yml >/dev/null || failures=1
metrics=$(grep -o 'distributex_[a-z_]*' examples/prometheus-alerts.yml | sort -u)
for metric in $metrics; do
    grep -rq "\"$metric\"" src/watch || {
        echo "examples/prometheus-alerts.yml names $metric, which the daemon does not have"
        failures=1
    }
done
exit $failures
