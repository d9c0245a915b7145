# SPDX-License-Identifier: MIT
# Durable locks of several services, and TLS: drawn from the .dat files of rivals.awk.
# Columns: the clients, then a second of each service.
set terminal pngcairo size 1000,700 font "sans,12"
set datafile missing "?"
set grid
set key left top
set yrange [0:*]
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.7
set xlabel "clients"
set ylabel "a second"

set output "durable-pairs.png"
set title "durable get+release pairs"
plot "sqlite-pairs.dat" u 2:xtic(1) t "sqlite", "" u 3 t "Redis", "" u 4 t "PostgreSQL", "" u 5 t "etcd", "" u 6 t "over etcd"

set output "durable-handoff.png"
set title "one durable lock handed over"
plot "sqlite-handoff.dat" u 2:xtic(1) t "sqlite", "" u 3 t "Redis", "" u 4 t "PostgreSQL", "" u 5 t "etcd", "" u 6 t "over etcd"

set output "etcd.png"
set title "one lock in etcd handed over"
plot "over-etcd-handoff.dat" u 2:xtic(1) t "the etcd backend", "" u 3 t "etcdctl lock"

set output "tls.png"
set title "get+release pairs in memory, kept connections"
plot "tls-pairs.dat" u 2:xtic(1) t "TLS", "" u 3 t "plain"
