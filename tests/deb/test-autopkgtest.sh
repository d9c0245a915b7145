#!/bin/bash
# SPDX-License-Identifier: MIT
# test-autopkgtest.sh: runs the tests that the source package has for installed
# packages (debian/tests, here /t/tests), and checks that they leave the system as it
# was. Runs inside overlay.sh; autopkgtest itself would install on this machine.
# shellcheck disable=SC2317 # functions are called by name
set -u
# shellcheck source=tests/deb/support.sh
. "$(dirname "$0")/support.sh"

check "the packages install" dpkg -i /t/*.deb
echo '# mine' >>$config
before=$(md5sum $config)
mapfile -t names < <(sed -n 's/^Tests: *//p' /t/tests/control)
for name in "${names[@]}"; do
    check "$name" "/t/tests/$name"
    check_equal "$name leaves the configuration" "$before" "$(md5sum $config)"
    check "$name leaves the service running" answers
done
check "it stops" service distributexd stop
check "the first test once more" /t/tests/service
check "leaves the service stopped" silent
finish
