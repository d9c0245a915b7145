// SPDX-License-Identifier: MIT
// The page with a thousand pools and ten thousand waiters.
import assert from "node:assert/strict";
import { overflow, test, wrongs } from "./browser.mjs";
import { until } from "./daemon.mjs";
import { crowd } from "./world.mjs";

export async function check_crowd(browser, daemon) {
  let page;
  await test("a thousand pools are there within seconds", async () => {
    const began = Date.now();
    page = await browser.open(daemon.url);
    await page.locator("#pools > .pool").nth(49).waitFor();
    const took = Date.now() - began;
    console.log(`      ${took} ms until they stand`);
    assert.ok(took < 20000, `${took} ms`);
    assert.equal(await page.locator("#sum-pools").textContent(), "1,000");
    assert.equal(await page.locator("#sum-waiting").textContent(), "10,000");
    assert.equal(await page.locator("#more-button").textContent(), "Show 100 more of 950 pools");
  });
  await test("it asks and draws no more than it shows", async () => {
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    assert.ok(nodes < 5000, `${nodes} elements`);
    await until("a second round with a limit of one", () => page.asked.some((url) => url.endsWith("/status/?limit=1")));
    const size = (await daemon.get("/status/?limit=1")).body.length;
    console.log(`      ${nodes} elements, ${size} bytes a round`);
    assert.ok(size < 600000, `${size} bytes`);
  });
  await test("it keeps up", async () => {
    const asked = page.asked.length;
    const began = Date.now();
    await until("five rounds", () => page.asked.filter((url, i) => i >= asked && url.includes("limit=1")).length >= 5);
    console.log(`      ${Math.round((Date.now() - began) / 5)} ms a round`);
    await daemon.ask("release", { pool: "shard-0001", host: "host0-0" });
    await page.locator("#events li.granted").filter({ hasText: "queue0-0" }).waitFor({ timeout: 15000 });
  });
  const everyone = () => page.locator("#pools > .pool").first();
  await test("a long line shows its first, and more when asked", async () => {
    assert.equal(await everyone().locator(".name").textContent(), "everyone");
    await everyone().locator("summary").click();
    await everyone().locator(".waiters li").nth(7).waitFor();
    await everyone().getByRole("button", { name: `and ${(crowd.long - 8).toLocaleString("en")} more` }).click();
    await everyone().locator(".waiters li").nth(99).waitFor();
    const places = await everyone().locator(".place").allTextContents();
    assert.deepEqual(places, [...Array(100).keys()].map((n) => `${n + 1}.`));
    const [{ waiting }] = (await daemon.status("pool=everyone&limit=100")).pools;
    assert.deepEqual(await everyone().locator(".waiters li bdi:first-child").allTextContents(), waiting.map(({ host }) => host));
    await everyone().getByRole("button", { name: "first 8 only" }).click();
    await page.evaluate(() => scrollTo(0, 0));
    await browser.shot(page, "crowd");
  });
  await test("the filter finds one of ten thousand, and where it stands", async () => {
    const [{ waiting }] = (await daemon.status("pool=everyone")).pools;
    const at = 4321;
    await page.locator("#filter").fill(waiting[at - 1].host);
    const place = page.locator(".waiters li").filter({ has: page.locator(`bdi:text-is("${waiting[at - 1].host}")`) }).locator(".place");
    await place.waitFor();
    assert.equal(await place.textContent(), "4,321.");
    await page.keyboard.press("Escape");
  });
  await test("the next pools come when asked, and take the focus along", async () => {
    await page.locator("#more-button").click();
    await page.locator("#pools > .pool").nth(149).waitFor();
    assert.equal(await page.locator("#more-button").textContent(), "Show 100 more of 850 pools");
    const focus = await page.evaluate(() => [...document.getElementById("pools").children].indexOf(document.activeElement.parentElement));
    assert.equal(focus, 50);
  });
  await test("nothing was complained about in the crowd", async () => assert.deepEqual(await wrongs(page), []));
  await page.close();
  await test("a phone bears the crowd", async () => {
    const phone = await browser.open(daemon.url, { width: 360, height: 740 });
    await phone.locator("#pools > .pool").nth(49).waitFor();
    assert.equal(await overflow(phone), 0);
    await browser.shot(phone, "crowd-phone");
    assert.deepEqual(await wrongs(phone), []);
    await phone.close();
  });
}
