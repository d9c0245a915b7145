# SPDX-License-Identifier: MIT
# How cost grows: drawn from the .dat files that table.awk writes. Columns: the
# size, then ours, bare and same of the first figure, then of the second.
set terminal pngcairo size 1000,700 font "sans,12"
set datafile missing "?"
set logscale x
set grid
set key left top
set yrange [0:*]
set style data linespoints
set style line 1 lw 3 pt 7
set style line 2 lw 2 pt 5 dt 2
set style line 3 lw 2 pt 9 dt 3

set output "pairs.png"
set title "get+release pairs"
set xlabel "keep-alive clients"
set ylabel "server's CPU a pair, microseconds"
plot "pairs.dat" u 1:5 ls 1 t "ours", "" u 1:6 ls 2 t "bare evhttp", "" u 1:7 ls 3 t "bare, our settings"

set output "handoff.png"
set title "one lock handed over"
set xlabel "clients"
set ylabel "hand-overs a second"
plot "handoff.dat" u 1:2 ls 1 t "ours", "" u 1:3 ls 2 t "bare queue", "" u 1:4 ls 3 t "bare queue, our settings"

set output "parked-memory.png"
set title "waiters that are parked"
set xlabel "waiters"
set ylabel "resident memory each, KiB"
plot "parked.dat" u 1:2 ls 1 t "ours", "" u 1:3 ls 2 t "bare queue", "" u 1:4 ls 3 t "bare queue, our settings"

set output "parked-drain.png"
set title "waiters that are served, one by one"
set ylabel "time each, microseconds"
plot "parked.dat" u 1:5 ls 1 t "ours", "" u 1:6 ls 2 t "bare queue", "" u 1:7 ls 3 t "bare queue, our settings"

set output "sizes.png"
set title "get+release pairs of 16 clients beside what is there"
set xlabel "pools, or leases held"
set ylabel "server's CPU a pair, microseconds"
plot "pools.dat" u 1:2 ls 1 t "pools", "leases.dat" u 1:2 ls 2 t "leases held"
