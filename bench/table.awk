# SPDX-License-Identifier: MIT
# Makes from results.jsonl a table of medians and ratios, and the data of the plots
# (data/*.dat). A ratio is the median of the quotients within one round. Needs
# median.awk; written for any awk.

# The median quotient of ours and another's in the same round.
function ratio(size, other, figure,    r, list, ours, theirs) {
    for (r = 1; r <= rounds; r++) {
        ours = value[size, "ours", figure, r]
        theirs = value[size, other, figure, r]
        if (ours != "" && theirs + 0 > 0) list = list " " ours / theirs
    }
    return list == "" ? "-" : sprintf("%.2f", median(list))
}

function shown(size, server, figure, format,    m) {
    m = median(all[size, server, figure])
    return m == "" ? "-" : sprintf(format, m)
}

function row(what, size, figure, format) {
    if (all[size, "ours", figure] all[size, "bare", figure] == "") return
    printf "%-44s %10s %10s %10s %10s %10s\n", what, shown(size, "ours", figure, format),
        shown(size, "bare", figure, format), shown(size, "same", figure, format),
        ratio(size, "bare", figure), ratio(size, "same", figure)
}

function most(size, figure,    n, i, part, highest) {
    n = split(all[size, "ours", figure], part, " ")
    for (i = 1; i <= n; i++) if (part[i] + 0 > highest) highest = part[i] + 0
    return highest + 0
}

# One line a size: x, then the figure of each server; ? where there is none.
function draw(name, figures, sizes, axis,    n, m, k, f, i, s, x, list, part, server, line) {
    n = split(sizes, list, " ")
    m = split(figures, part, " ")
    k = split("ours bare same", server, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], x, SUBSEP)
        line = x[axis] + 0 > 0 ? x[axis] : 1
        for (f = 1; f <= m; f++)
            for (s = 1; s <= k; s++)
                line = line " " (all[list[i], server[s], part[f]] == "" ? "?" : median(all[list[i], server[s], part[f]]))
        print line >data "/" name ".dat"
    }
    close(data "/" name ".dat")
}

function note(group, size) {
    if (seen[group, size]++) return
    sizes[group] = sizes[group] (sizes[group] == "" ? "" : " ") size
}

{
    gsub(/[{}"]/, "")
    split("", field)
    for (i = split($0, pair, ","); i > 0; i--) {
        at = index(pair[i], ":")
        field[substr(pair[i], 1, at - 1)] = substr(pair[i], at + 1)
    }
    size = field["workload"] SUBSEP field["clients"] SUBSEP field["pools"] SUBSEP field["leases"]
    if (field["round"] + 0 > rounds) rounds = field["round"] + 0
    for (name in field) {
        value[size, field["server"], name, field["round"]] = field[name]
        all[size, field["server"], name] = all[size, field["server"], name] " " field[name]
    }
    note(field["workload"], size)
}

END {
    printf "\nMedians over rounds: %d. bare: evhttp as it comes, same: evhttp with our settings and\n", rounds
    print "headers (both with a queue and nothing else where somebody waits). cpu: of the server."
    printf "\n%-44s %10s %10s %10s %10s %10s\n", "", "ours", "bare", "same", "ours/bare", "ours/same"
    n = split(sizes["pairs"], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], x, SUBSEP)
        row("get+release pairs/s, " x[2] " clients", list[i], "rate", "%.0f")
        row("  cpu us a pair", list[i], "cpu_us", "%.1f")
        row("  get p99 us", list[i], "p99_us", "%.0f")
    }
    n = split(sizes["handoff"], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], x, SUBSEP)
        row("hand-overs/s of one lock, " x[2] " clients", list[i], "rate", "%.0f")
        row("  cpu us each", list[i], "cpu_us", "%.1f")
        row("  wait p99 us", list[i], "p99_us", "%.0f")
        row("  Jain's index of fairness", list[i], "jain", "%.4f")
        row("  overlaps", list[i], "overlaps", "%.0f")
        overlaps = overlaps > most(list[i], "overlaps") ? overlaps : most(list[i], "overlaps")
    }
    print "overlaps of ours at most, in any round: " overlaps + 0
    row("wake, release to grant: p50 us", sizes["wake"], "p50_us", "%.0f")
    row("  p99 us", sizes["wake"], "p99_us", "%.0f")
    n = split(sizes["parked"], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], x, SUBSEP)
        row("resident KiB each of " x[2] " waiters", list[i], "kib_each", "%.2f")
        row("  of that, the connection before it waits", list[i], "kib_connection", "%.2f")
        row("  cpu s while they wait", list[i], "idle_cpu_s", "%.2f")
        row("  time to drain them, s", list[i], "drain_s", "%.2f")
    }
    n = split(sizes["pools"], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], x, SUBSEP)
        row("pairs/s, 16 clients, " x[3] " pools", list[i], "rate", "%.0f")
        row("  cpu us a pair", list[i], "cpu_us", "%.1f")
    }
    n = split(sizes["leases"], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], x, SUBSEP)
        row("pairs/s, 16 clients, " x[4] " leases held", list[i], "rate", "%.0f")
        row("  cpu us a pair", list[i], "cpu_us", "%.1f")
    }
    if (sizes["expire"] != "") {
        split(sizes["expire"], x, SUBSEP)
        row(x[4] " leases end in one second: last late, ms", sizes["expire"], "late_max_ms", "%.1f")
        row("  median late, ms", sizes["expire"], "late_p50_ms", "%.1f")
        row("  cpu s of it", sizes["expire"], "cpu_s", "%.2f")
    }
    draw("pairs", "rate cpu_us", sizes["pairs"], 2)
    draw("handoff", "rate p99_us", sizes["handoff"], 2)
    draw("parked", "kib_each drain_us_each", sizes["parked"], 2)
    draw("pools", "cpu_us", sizes["pools"], 3)
    draw("leases", "cpu_us", sizes["leases"], 4)
}
