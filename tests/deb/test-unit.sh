#!/bin/bash
# SPDX-License-Identifier: MIT
# test-unit.sh UNIT: checks that the unit has each line of the sandbox. Many lines change
# the score of systemd-analyze so little that its threshold would not notice their loss.
set -u
unit=$1
missing=0

while IFS= read -r line; do
    grep -qxF -- "$line" "$unit" || {
        echo "$unit lacks: $line"
        missing=1
    }
done <<'END'
Type=notify
NotifyAccess=main
User=_distributex
Group=_distributex
ExecReload=/usr/sbin/distributexd -t $DAEMON_OPTS
StartLimitIntervalSec=0
LogRateLimitIntervalSec=0
Restart=on-failure
RestartSec=2s
RestartPreventExitStatus=64 65 78
WatchdogSec=10s
UMask=0027
LimitNOFILE=65536
AmbientCapabilities=
CapabilityBoundingSet=
NoNewPrivileges=yes
SecureBits=noroot-locked
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
DevicePolicy=closed
PrivateDevices=yes
PrivateIPC=yes
PrivateMounts=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
NoExecPaths=/
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
END
exit $missing
