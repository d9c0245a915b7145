// SPDX-License-Identifier: MIT
// portrait.mjs DAEMON CHROMIUM FILE.png: the picture of the page in README,
// taken of a real daemon on an ordinary day.
import { dirname, basename } from "node:path";
import { Browser } from "./browser.mjs";
import { Daemon, until } from "./daemon.mjs";

const [program, chromium, file] = process.argv.slice(2);
const pools = [
  { name: "puppet", maxlocks: 5, expire: 60 },
  { name: "reboot", maxlocks: 2, expire: 90 },
  { name: "migration", expire: 120, servers: "db1.example.com, db2.example.com" },
  { name: "backup", maxlocks: 40, expire: 14400 },
  { name: "cert-renewal", expire: 600 },
  { name: "dns-zone", expire: 0 },
];

async function fill(daemon) {
  const get = (pool, host, more = {}) => daemon.ask("get", { pool, host, ...more });
  await get("migration", "db2.example.com");
  await get("dns-zone", "ns1.example.com");
  for (let n = 1; n <= 29; ++n) await get("backup", `store${n}.example.com`);
  await get("reboot", "rack4-a.example.com");
  for (const host of ["web03", "web07", "web11"]) await get("puppet", `${host}.example.com`);
  await until("the first are half way", async () => (await daemon.status("pool=puppet")).pools[0].holders[0].expires_in < 32);
  for (const host of ["web12", "web15"]) await get("puppet", `${host}.example.com`);
  await get("reboot", "rack4-b.example.com", { expire: 45 });
  await daemon.line("migration", ["db1.example.com"]);
  await daemon.line("reboot", ["rack5-a.example.com", "rack5-b.example.com"]);
  await until("the first are nearly over", async () => (await daemon.status("pool=puppet")).pools[0].holders[0].expires_in < 24);
  await daemon.line("puppet", ["mail1", "mail2", "ldap1", "ldap2", "cache4", "cache5", "cache6"].map((host) => `${host}.example.com`));
  await daemon.ask("release", { pool: "puppet", host: "web03.example.com" });
  await daemon.ask("wait", { pool: "dns-zone", host: "ns2.example.com", timeout: "0.5" });
  await get("cert-renewal", "www.example.com");
  await daemon.ask("release", { pool: "cert-renewal", host: "www.example.com" });
}

const daemon = new Daemon(program, pools, "/dev/null");
const browser = new Browser(chromium, dirname(file));
try {
  await daemon.start();
  await browser.start();
  await fill(daemon);
  const page = await browser.open(daemon.url, { width: 1180, height: 740 });
  await page.locator("#events li").first().waitFor();
  await browser.shot(page, basename(file, ".png"));
} finally {
  await browser.close();
  await daemon.close();
}
