// SPDX-License-Identifier: MIT
// The pools, holders and waiters of the daemons in the check: an ordinary small set, and
// a crowded one.

export const evil_host = "<script>document.title='owned'</script>";
export const evil_id = "<img src=x onerror=alert(1)>\u202e";

export const small_pools = [
  { name: "puppet", maxlocks: 5, expire: 3600 },
  { name: "migration", servers: "db1.example.com, db2.example.com", expire: 900 },
  { name: "reboot", maxlocks: 2, expire: 600 },
  { name: "backup", maxlocks: 40, expire: 14400 },
  { name: "dns-zone", expire: 0 },
  { name: "cert-renewal", expire: 120 },
  { name: "deploy web, staging and production, with a rather long name", maxlocks: 3 },
  { name: "nightly-report", maxlocks: 1, expire: 3600 },
];

export async function fill_small(daemon) {
  for (const n of [3, 7, 11, 12]) await daemon.ask("get", { pool: "puppet", host: `web${n}.example.com`, id: `run-${4100 + n}` });
  await daemon.ask("get", { pool: "puppet", host: evil_host, id: evil_id });
  await daemon.ask("get", { pool: "migration", host: "db1.example.com" });
  await daemon.ask("get", { pool: "reboot", host: "rack4-node1", expire: 300 });
  await daemon.ask("get", { pool: "reboot", host: "rack4-node2" });
  for (let n = 1; n <= 23; ++n) await daemon.ask("get", { pool: "backup", host: `store${n}` });
  await daemon.ask("get", { pool: "dns-zone", host: "ns1" });
  await daemon.ask("get", { pool: "nightly-report", host: "reports" });
  await daemon.ask("release", { pool: "nightly-report", host: "reports" });
  await daemon.ask("get", { pool: "nightly-report", host: "reports" });
  await daemon.ask("release", { pool: "nightly-report", host: "reports" });
  await daemon.line("migration", ["db2.example.com"]);
  await daemon.line("puppet", [...Array(15).keys()].map((n) => `mail${n + 1}.example.com`));
  await daemon.line("reboot", [{ host: "rack5-node1", id: "kernel" }, { host: "rack5-node2", id: "kernel" }]);
  await daemon.ask("wait", { pool: "dns-zone", host: "ns2", timeout: "0.2" });
  await daemon.ask("get", { pool: "no-such-pool", host: "typo" });
}

export const crowd = { pools: 1000, long: 5000, others: 5000 };

export function crowd_pools() {
  const pools = [{ name: "everyone", maxlocks: 200, expire: 7200 }];
  for (let n = 1; n < crowd.pools; ++n)
    pools.push({ name: `shard-${String(n).padStart(4, "0")}`, maxlocks: [1, 1, 3, 12, 64][n % 5], expire: 3600 });
  return pools;
}

async function in_parallel(items, lanes, work) {
  const rest = items[Symbol.iterator]();
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (const item of rest) await work(item);
  }));
}

// The first 500 shards are held in full, and ten wait for each of them.
export async function fill_crowd(daemon) {
  const gets = [];
  const waits = [];
  for (let n = 0; n < 200; ++n) gets.push({ pool: "everyone", host: `worker${n}` });
  crowd_pools().slice(1).forEach(({ name, maxlocks }, n) => {
    if (n >= 700) return;
    for (let i = 0; i < maxlocks; ++i) gets.push({ pool: name, host: `host${n}-${i}` });
    if (n < 500) for (let i = 0; i < 10; ++i) waits.push({ pool: name, host: `queue${n}-${i}` });
  });
  for (let n = 0; n < crowd.long; ++n) waits.push({ pool: "everyone", host: `patient${n}` });
  await in_parallel(gets, 8, (query) => daemon.ask("get", query));
  await in_parallel(waits, 100, (query) => daemon.wait(query));
  await daemon.waiting(crowd.long + crowd.others);
}
