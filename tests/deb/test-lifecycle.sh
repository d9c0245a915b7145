#!/bin/bash
# SPDX-License-Identifier: MIT
# test-lifecycle.sh: the packages in /t from the first installation to the purge
# without systemd: upgrades with good and broken configurations, edited files,
# a service that is disabled. Runs inside overlay.sh; /t/next has a later version
# whose sample configuration has changed.
# shellcheck disable=SC2317 # functions are called by name
set -u
# shellcheck source=tests/deb/support.sh
. "$(dirname "$0")/support.sh"

pid() { cat /run/distributex/distributexd.pid; }
state() { dpkg-query -W -f '${db:Status-Abbrev} ${Version}' distributexd; }
install_old() { dpkg --force-confold -i /t/distributexd_*.deb; }
install_next() { dpkg --force-confold -i /t/next/distributexd_*.deb; }

# What is there of the package's own, sorted.
remains() {
    find /etc /var/lib /var/log /run /lib/systemd /usr/share/doc /usr/share/man /usr/sbin -path '*distributex*' \
        ! -path '/var/lib/dpkg/*' 2>/dev/null | sort
}

# debhelper makes the init script not executable when the package is removed; if somebody
# makes it executable again, it finds no daemon.
left_alone() {
    chmod +x /etc/init.d/distributexd
    /etc/init.d/distributexd start && silent
}

upgrades() {
    local before
    check "the first installation" install_old
    before=$(pid)
    check "locks survive as installed" grep -q '^backend: sqlite$' $config
    check_equal "in a store of the daemon's user" "_distributex 640" "$(stat -c '%U %a' /var/lib/distributex/locks.db)"
    echo '# mine' >>$config
    sed -i 's/^backend: sqlite$/backend: inmemory/' $config
    check "an upgrade with a good configuration" install_next
    check_equal "leaves the package installed" "ii  1.0.1" "$(state)"
    check_status "restarts the daemon" 1 test "$before" = "$(pid)"
    check "which answers" answers
    check "keeps the edited configuration" grep -q '^# mine$' $config
    check "and its backend" grep -q '^backend: inmemory$' $config

    before=$(pid)
    break_configuration
    check_says "an upgrade with a broken one says so" "was not restarted" install_next
    check_equal "broken: the package is installed" "ii  1.0.1" "$(state)"
    check_equal "broken: the process is the same" "$before" "$(pid)"
    check "broken: it answers" answers
    mend_configuration

    /etc/init.d/distributexd stop >/dev/null
    break_configuration
    check "stopped and broken: an upgrade is no error" install_next
    check_equal "stopped and broken: the package is installed" "ii  1.0.1" "$(state)"
    mend_configuration
}

disabled() {
    update-rc.d distributexd disable
    check "disabled: an upgrade" install_next
    check_equal "disabled: it stays so" 0 "$(find /etc/rc[2-5].d -name 'S*distributexd' | wc -l)"
    check "disabled: it is not started" silent
    update-rc.d distributexd enable
    check "enabled: an upgrade starts it" install_next
    check "enabled: it answers" answers
}

end_of_life() {
    check "removal" dpkg -r distributexd
    check "removal stops it" silent
    check "removal keeps the store" test -s /var/lib/distributex/locks.db
    check "removal keeps the configuration" grep -q '^# mine$' $config
    check "what is left of the init script does nothing" left_alone
    check "installation after a removal" install_old
    check "it answers with the old configuration" answers
    check "that is still edited" grep -q '^# mine$' $config
    mkdir -p /var/lib/distributex/of-the-daemon
    check "purge" dpkg -P distributexd
    check "purge stops it" silent
    check_equal "purge leaves nothing" "" "$(remains)"
    check "installation after a purge" install_old
    check_status "is a fresh one" 1 grep -q '^# mine$' $config
    check "it answers" answers
    check "the client comes" dpkg -i /t/distributex_*.deb
    check "and goes" dpkg -P distributex
    check "the server does not mind" answers
    check "purge once more" dpkg -P distributexd
    check_equal "and nothing is left" "" "$(remains)"
}

upgrades
disabled
end_of_life
finish
