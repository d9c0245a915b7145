// SPDX-License-Identifier: MIT
// The page when something is wrong: the server ends and comes back, or cannot grant, or
// its stream of events does not reach the browser.
import assert from "node:assert/strict";
import { live, test, wrongs } from "./browser.mjs";
import { until } from "./daemon.mjs";

const refused = /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|503/;

async function gone(browser, daemon) {
  const page = await browser.open(daemon.url);
  await daemon.ask("get", { pool: "puppet", host: "before" });
  await page.locator(".holders li").filter({ hasText: "before" }).waitFor();

  await test("a server that is gone is told, with since when, and old data looks old", async () => {
    await daemon.stop();
    await page.locator("html[data-state=gone]").waitFor();
    const text = await page.locator("#gone-text").textContent();
    assert.match(text, /^No answer from 127\.0\.0\.1:\d+ since \d\d:\d\d:\d\d\./);
    assert.ok(await page.locator("#gone").isVisible());
    assert.equal(await page.locator("#link").textContent(), "no answer");
    assert.match(await page.title(), /No answer/);
    assert.ok(Number(await page.locator("main").evaluate((main) => getComputedStyle(main).opacity)) < 1);
    assert.ok(await page.locator(".holders li").filter({ hasText: "before" }).isVisible());
    await until("time goes on in it", async () => Number(/(\d+) s ago/.exec(await page.locator("#gone-for").textContent())?.[1]) >= 2);
    await browser.shot(page, "gone");
  });
  await test("it goes on by itself when the server is back", async () => {
    await daemon.start();
    await live(page);
    assert.ok(!(await page.locator("#gone").isVisible()));
    await page.locator(".holders li").filter({ hasText: "before" }).waitFor({ state: "detached" });
    await daemon.ask("get", { pool: "puppet", host: "after" });
    await page.locator(".holders li").filter({ hasText: "after" }).waitFor();
    await page.locator("#events li.granted").filter({ hasText: "after" }).waitFor();
    assert.doesNotMatch(await page.title(), /No answer/);
  });
  await test("a server that hangs is told like one that is gone", async () => {
    daemon.child.kill("SIGSTOP");
    await page.locator("html[data-state=gone]").waitFor();
    assert.equal(await page.locator("#sum-ready").textContent(), "unknown");
    daemon.child.kill("SIGCONT");
    await live(page);
  });
  await test("nothing was complained about but the server's absence", async () => {
    assert.deepEqual((await wrongs(page)).filter((wrong) => !refused.test(wrong)), []);
  });
  await page.close();
}

async function ready(browser, daemon) {
  await test("a server that cannot grant is told, with its reason", async () => {
    const page = await browser.open(daemon.url);
    await page.route("**/readyz", (route) => route.fulfill({ status: 503, contentType: "text/plain", body: "no answer from memcached <b>\n" }));
    await page.locator("#unready:visible").waitFor();
    assert.match(await page.locator("#unready").textContent(), /No locks are being granted: no answer from memcached <b>/);
    assert.equal(await page.locator("#sum-ready").textContent(), "not ready");
    await page.unroute("**/readyz");
    await page.locator("#unready").waitFor({ state: "hidden" });
    await page.close();
  });
}

async function no_stream(browser, daemon) {
  await test("where the stream does not get through, events come nonetheless", async () => {
    const page = await browser.open("about:blank", { early: true });
    await page.route(/follow=1/, (route) => route.fulfill({ status: 503, contentType: "text/plain", body: "too many" }));
    await page.goto(daemon.url);
    await live(page);
    await daemon.ask("get", { pool: "reboot", host: "unstreamed" });
    await page.locator("#events li.granted").filter({ hasText: "unstreamed" }).waitFor({ timeout: 15000 });
    await page.close();
  });
}

async function renewal(browser, daemon) {
  await test("a renewal fills the bar again, and the end of a lease is an event", async () => {
    const page = await browser.open(daemon.url);
    await daemon.ask("get", { pool: "cert-renewal", host: "short", expire: 6 });
    const bar = page.locator(".holders li").filter({ hasText: "short" }).locator(".bar i");
    const part = () => bar.evaluate((element) => Number(element.style.getPropertyValue("--part")));
    await until("it runs down", async () => (await part()) < 0.6, 10000);
    await daemon.ask("renew", { pool: "cert-renewal", host: "short", expire: 6 });
    await until("it is full", async () => (await part()) > 0.7, 5000);
    await page.locator("#events li.expired").filter({ hasText: "short" }).waitFor();
    await bar.waitFor({ state: "detached" });
    assert.deepEqual(await wrongs(page), []);
    await page.close();
  });
}

export async function check_trouble(browser, daemon) {
  await renewal(browser, daemon);
  await no_stream(browser, daemon);
  await ready(browser, daemon);
  await gone(browser, daemon);
}
