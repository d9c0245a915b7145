// SPDX-License-Identifier: MIT
// The page for operators: a banner for each freeze, closed slots shown apart from held
// ones, and freeze, thaw and evict behind a dialog.
import assert from "node:assert/strict";
import { live, overflow, test, wrongs } from "./browser.mjs";
import { until } from "./daemon.mjs";
import { has_nginx, Proxy } from "./proxy.mjs";

export const order_pools = [
  { name: "deploy/web", maxlocks: 3, expire: 3600, release_delay: 600 },
  { name: "deploy/db", expire: 600 },
  { name: "backup", maxlocks: 2, expire: 3600 },
];

export async function fill_orders(daemon) {
  await daemon.ask("get", { pool: "deploy/web", host: "web1", id: "run" });
  await daemon.ask("get", { pool: "deploy/web", host: "web2" });
  await daemon.ask("release", { pool: "deploy/web", host: "web2", outcome: "failed", status: "1" });
  await daemon.ask("get", { pool: "backup", host: "store1" });
  await daemon.line("deploy/db", []);
}

const pool = (page, name) => page.locator("#pools > .pool").filter({ has: page.locator(`summary .name:text-is(${JSON.stringify(name)})`) });

async function by_keyboard(page, daemon, browser) {
  await test("a closed slot is drawn apart from a held one, and says why", async () => {
    const web = pool(page, "deploy/web");
    await web.locator(".slot.rest").waitFor();
    assert.equal(await web.locator(".slot.on").count(), 1);
    assert.equal(await web.locator(".slot.rest").count(), 1);
    assert.match(await web.locator(".rests").textContent(), /^web2rests, .* left \(release_delay\)$/);
  });
  await test("nothing is frozen without a reason typed", async () => {
    await pool(page, "deploy/web").getByRole("button", { name: "Freeze\u2026" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#order[open]").waitFor();
    assert.ok(await page.locator("#order-do").isDisabled());
    await page.keyboard.type("   ");
    assert.ok(await page.locator("#order-do").isDisabled());
    await browser.shot(page, "orders-freeze");
    await page.keyboard.press("Escape");
    await page.locator("#order:not([open])").waitFor({ state: "attached" });
    assert.equal((await daemon.status()).freezes.length, 0);
  });
  await test("freeze by keyboard, and the banner says what, why and by whom", async () => {
    await pool(page, "deploy/web").getByRole("button", { name: "Freeze\u2026" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("bad release/");
    await page.keyboard.press("Enter");
    await page.locator("#frozen:not([hidden])").waitFor();
    assert.match(await page.locator("#freezes li").textContent(), /^deploy\/web is frozenbad release\/ \u2013 by 127\.0\.0\.1:\d+, for \d+ s, until it is thawed/);
    const [freeze] = (await daemon.status()).freezes;
    assert.equal(freeze.reason, "bad release/");
    await browser.shot(page, "orders-frozen");
  });
  await test("thaw from the banner", async () => {
    await page.locator("#freezes").getByRole("button", { name: "Thaw\u2026" }).click();
    assert.match(await page.locator("#order-what").textContent(), /frozen by .* bad release/);
    await page.locator("#order-do").click();
    await page.locator("#frozen").waitFor({ state: "hidden" });
    assert.equal((await daemon.status()).freezes.length, 0);
  });
  await test("an eviction names host, age and what will happen", async () => {
    await pool(page, "backup").locator(".holders li").getByRole("button", { name: "Evict\u2026" }).click();
    assert.equal(await page.locator("#order-title").textContent(), "Evict store1 from backup?");
    assert.match(await page.locator("#order-what").textContent(), /^store1 has had its lock for .*The lock ends now/);
    await page.locator("#order-reason").fill("dead");
    await browser.shot(page, "orders-evict");
    await page.locator("#order-do").click();
    await until("the lock has ended", async () => (await daemon.status("pool=backup")).pools[0].held === 0);
    await page.locator("#events li.evicted").first().waitFor();
  });
}

async function through_proxy(browser, daemon) {
  const proxy = new Proxy();
  await proxy.start(daemon);
  const page = await browser.open(proxy.url);
  await pool(page, "deploy/web").getByRole("button", { name: "Freeze\u2026" }).click();
  await page.locator("#order-reason").fill("through a proxy");
  await page.locator("#order-do").click();
  await page.locator("#frozen:not([hidden])").waitFor();
  assert.equal((await daemon.status()).freezes[0].reason, "through a proxy");
  await page.locator("#freezes").getByRole("button", { name: "Thaw\u2026" }).click();
  await page.locator("#order-do").click();
  await page.locator("#frozen").waitFor({ state: "hidden" });
  assert.ok(page.asked.every((url) => url.startsWith(proxy.url) || url.startsWith("data:")), page.asked.join(" "));
  assert.deepEqual(await wrongs(page), []);
  await page.close();
  await proxy.close();
}

export async function check_orders(browser, daemon) {
  const page = await browser.open(daemon.url);
  await live(page);
  await pool(page, "deploy/web").locator(".holders li").first().waitFor();
  await by_keyboard(page, daemon, browser);
  await test("a phone shows all of it", async () => {
    const phone = await browser.open(daemon.url, { width: 360, height: 740, scheme: "dark" });
    await live(phone);
    await pool(phone, "deploy/web").getByRole("button", { name: "Freeze\u2026" }).click();
    await phone.locator("#order-reason").fill("stop");
    assert.equal(await overflow(phone), 0);
    await browser.shot(phone, "orders-phone");
    await phone.locator("#order-no").click();
    assert.deepEqual(await wrongs(phone), []);
  });
  if (has_nginx()) {
    await test("all of it works behind a proxy, under a path", () => through_proxy(browser, daemon));
  } else {
    console.log("skipped: there is no nginx");
  }
  await test("the page breaks no rule of its own", async () => assert.deepEqual(await wrongs(page), []));
}
