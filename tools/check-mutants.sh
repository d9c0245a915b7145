#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether 'make mutants' does what it says, without building anything: its rules on a
# small made-up file, and its list of equivalent mutants, which must fit the source.
command -v python3 >/dev/null || {
    echo "python3 is missing; 'make deps DEPS=mutants' installs it"
    exit 77
}
exec python3 "$(dirname "$0")/mutants_check.py"
