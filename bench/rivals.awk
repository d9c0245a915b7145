# SPDX-License-Identifier: MIT
# From durable.jsonl to a table: medians over rounds, the best round, the server's
# processors, and ratios to ours as medians of the quotients within one round. Writes
# durable-*.dat for the plots. Needs median.awk.

function best(list,    n, i, part, highest) {
    n = split(list, part, " ")
    for (i = 1; i <= n; i++) if (part[i] + 0 > highest) highest = part[i] + 0
    return highest + 0
}

# Ours beside theirs, of the same round.
function ratio(size, ours, theirs,    r, list) {
    for (r = 1; r <= rounds; r++)
        if ((size, ours, r) in value && value[size, theirs, r] + 0 > 0)
            list = list " " value[size, ours, r] / value[size, theirs, r]
    return list == "" ? "-" : sprintf("%.2f", median(list))
}

function row(size, server, beside,    key) {
    key = size SUBSEP server
    if (all[key] == "") {
        if (server in gone) printf "  %-32s not here\n", server
        return
    }
    printf "  %-32s %9.0f %12.0f %10.2f %10.1f %12s\n", server, median(all[key]), best(all[key]),
        median(cpu[key]), median(cpu_us[key]), server == beside ? "" : ratio(size, beside, server)
}

function table(what, workload, servers, beside,    n, i, k, m, x, name, list) {
    n = split("16 64", list, " ")
    m = split(servers, name, " ")
    for (i = 1; i <= n; i++) {
        size = workload SUBSEP list[i]
        printf "\n%-34s %9s %12s %10s %10s %12s\n", what ", " list[i] " clients", "a second", "best round",
            "processors", "cpu us", beside " / it"
        line = list[i]
        for (k = 1; k <= m; k++) {
            row(size, name[k], beside)
            x = median(all[size, name[k]])
            line = line " " (x == "" ? "?" : x)
        }
        print line >data "/" beside "-" workload ".dat"
    }
    close(data "/" beside "-" workload ".dat")
}

BEGIN { while ((getline name < (data "/missing")) > 0) gone[name] = 1 }
{
    gsub(/[{}"]/, "")
    split("", field)
    for (i = split($0, pair, ","); i > 0; i--) {
        at = index(pair[i], ":")
        field[substr(pair[i], 1, at - 1)] = substr(pair[i], at + 1)
    }
    if (field["round"] + 0 > rounds) rounds = field["round"] + 0
    if (field["workload"] == "recovery") {
        recovered = recovered " " field["recovery_s"]
        leases = field["clients"]
        held = field["rate"]
        next
    }
    key = field["workload"] SUBSEP field["clients"] SUBSEP field["server"]
    value[key, field["round"]] = field["rate"]
    all[key] = all[key] " " field["rate"]
    cpu[key] = cpu[key] " " field["server_cpu"]
    cpu_us[key] = cpu_us[key] " " field["cpu_us"]
    if (field["overlaps"] + 0 > 0) overlaps[field["server"]] += field["overlaps"]
}
END {
    print "\nDurable locks, each service as its users would have it. Redis: appendfsync always, BLPOP"
    print "and LPUSH. PostgreSQL: a row updated in a transaction whose commit gives the lock back. etcd:"
    print "what etcdctl lock does, through the JSON gateway; over-etcd: this daemon over the same etcd,"
    print "without etcd's processor time."
    table("pairs", "pairs", "sqlite redis postgresql etcd over-etcd", "sqlite")
    table("hand-overs", "handoff", "sqlite redis postgresql etcd over-etcd", "sqlite")
    table("pairs on etcd", "pairs", "over-etcd etcd", "over-etcd")
    table("hand-overs on etcd", "handoff", "over-etcd etcd", "over-etcd")
    print "\nIn memory, kept connections."
    table("pairs", "pairs", "tls plain", "tls")
    if (recovered != "")
        printf "\nRecovery of %d leases (%d held afterwards), s: median %.2f, rounds%s\n", leases, held, median(recovered), recovered
    for (name in overlaps) printf "overlaps of %s: %d\n", name, overlaps[name]
}
