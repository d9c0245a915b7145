// SPDX-License-Identifier: MIT
// check.mjs DAEMON CHROMIUM FOLDER: tests the page at / in a real browser against a
// real daemon. Leaves screenshots in FOLDER. The tests are in small.mjs (few pools),
// orders.mjs (operators), trouble.mjs (a server that is down) and crowd.mjs (many pools).
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, result } from "./browser.mjs";
import { check_crowd } from "./crowd.mjs";
import { Daemon } from "./daemon.mjs";
import { check_orders, fill_orders, order_pools } from "./orders.mjs";
import { check_small } from "./small.mjs";
import { check_trouble } from "./trouble.mjs";
import { crowd_pools, fill_crowd, fill_small, small_pools } from "./world.mjs";

const [program, chromium, folder, only] = process.argv.slice(2);
if (!existsSync(chromium)) {
  console.error(`check-browser: there is no chromium at ${chromium}: 'make deps-browser' installs it`);
  process.exit(2);
}

const browser = new Browser(chromium, folder);
const log = join(folder, "daemon.log");
writeFileSync(log, "");

async function with_daemon(pools, fill, check) {
  const daemon = new Daemon(program, pools, log);
  try {
    await daemon.start();
    await fill(daemon);
    await check(browser, daemon);
  } finally {
    await daemon.close();
  }
}

let code = 1;
try {
  await browser.start();
  if (!only || only === "small") await with_daemon(small_pools, fill_small, check_small);
  if (!only || only === "orders") await with_daemon(order_pools, fill_orders, check_orders);
  if (!only || only === "trouble") await with_daemon(small_pools, async () => {}, check_trouble);
  if (!only || only === "crowd") await with_daemon(crowd_pools(), fill_crowd, check_crowd);
  code = result();
} catch (error) {
  code = result(error);
} finally {
  await browser.close();
}
process.exit(code);
