// SPDX-License-Identifier: MIT
// The page with few pools: what it shows, how it stays up to date, how it is used.
import assert from "node:assert/strict";
import { contrast, live, overflow, test, wrongs } from "./browser.mjs";
import { until } from "./daemon.mjs";
import { evil_host, evil_id } from "./world.mjs";

const pool = (page, name) => page.locator("#pools > .pool").filter({ has: page.locator(`summary .name:text-is(${JSON.stringify(name)})`) });
const names = (page) => page.locator("#pools > .pool .name").allTextContents();
const line = (page, name) => pool(page, name).locator(".waiters li bdi:first-child").allTextContents();

async function content(browser, daemon) {
  const page = await browser.open(daemon.url);
  await page.locator("#events li.timeout").waitFor();

  await test("a browser gets the page under a strict policy, others get ok", async () => {
    const html = await daemon.get("/", { Accept: "text/html,*/*;q=0.8" });
    assert.match(html.headers["content-type"], /^text\/html/);
    const policy = html.headers["content-security-policy"];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal((await daemon.get("/")).body, "ok\n");
  });
  await test("the figures at the top are those of the server", async () => {
    const status = await daemon.status();
    const sum = (key) => status.pools.reduce((n, p) => n + p[key], 0);
    assert.equal(await page.locator("#sum-pools").textContent(), String(status.pools.length));
    assert.equal(await page.locator("#sum-held").textContent(), String(sum("held")));
    assert.equal(await page.locator("#sum-slots").textContent(), `of ${sum("maxlocks")}`);
    assert.equal(await page.locator("#sum-waiting").textContent(), String(sum("queued")));
    assert.equal(await page.locator("#sum-version").textContent(), status.version);
    assert.equal(await page.locator("#sum-backend").textContent(), "inmemory");
    assert.equal(await page.locator("#sum-ready").textContent(), "ready");
    assert.match(await page.locator("#sum-uptime").textContent(), /^\d+ (s|m \d\d s)$/);
  });
  await test("slots are a picture: a square for each, or a bar when they are many", async () => {
    assert.equal(await pool(page, "reboot").locator(".slot.on").count(), 2);
    assert.equal(await pool(page, "cert-renewal").locator(".slot:not(.on)").count(), 1);
    assert.equal(await pool(page, "backup").locator(".slot").count(), 0);
    assert.equal(await pool(page, "backup").locator(".slots .bar").count(), 1);
    assert.equal(await pool(page, "backup").locator(".slots").getAttribute("aria-label"), "23 of 40 slots held");
  });
  await test("a holder has its age, what is left, and its token", async () => {
    const [{ holders }] = (await daemon.status("pool=reboot")).pools;
    const row = pool(page, "reboot").locator(".holders li").first();
    assert.equal(await row.locator("bdi").first().textContent(), "rack4-node1");
    assert.match(await row.locator(".age").textContent(), /^for \d+ (s|m \d\d s)$/);
    assert.match(await row.locator(".left").textContent(), /^[1-4] m \d\d s left$/);
    assert.equal(await row.locator(".token .mono").textContent(), String(holders[0].token));
    assert.equal(await pool(page, "dns-zone").locator(".holders .left").textContent(), "no end");
  });
  await test("the line has the order in which they came", async () => {
    const hosts = [...Array(8).keys()].map((n) => `mail${n + 1}.example.com`);
    assert.deepEqual(await line(page, "puppet"), hosts);
    assert.equal(await pool(page, "puppet").locator(".waiters .more button:visible").textContent(), "and 7 more");
    assert.match(await pool(page, "puppet").locator(".waiters li .age").first().textContent(), /^for \d+ (s|m \d\d s)$/);
  });
  await test("the rest of a line unfolds, and folds again", async () => {
    await pool(page, "puppet").getByRole("button", { name: "and 7 more" }).click();
    await pool(page, "puppet").locator(".waiters li:nth-child(15)").waitFor();
    assert.equal((await line(page, "puppet"))[14], "mail15.example.com");
    await pool(page, "puppet").getByRole("button", { name: "first 8 only" }).click();
    await pool(page, "puppet").locator(".waiters li:nth-child(9)").waitFor({ state: "detached" });
  });
  await test("a host called <script> is text", async () => {
    const row = pool(page, "puppet").locator(".holders li").last();
    assert.equal(await row.locator("bdi").first().textContent(), evil_host);
    assert.equal(await row.locator(".id").textContent(), evil_id);
    assert.ok((await page.locator("#events bdi").allTextContents()).includes(evil_host));
    assert.equal(await page.evaluate(() => document.querySelectorAll("img, script").length), 1);
    assert.doesNotMatch(await page.title(), /owned/);
  });
  await test("events are shown, newest first, with their details", async () => {
    const kinds = await page.locator("#events .kind").allTextContents();
    assert.deepEqual(kinds.slice(0, 3), ["refused", "timeout", "released"]);
    assert.match(await page.locator("#events li.refused").first().textContent(), /no-such-pool.*typo.*there is no pool/);
  });
  await browser.shot(page, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await browser.shot(page, "dark");
  await test("nothing was complained about, nobody else was asked", async () => assert.deepEqual(await wrongs(page), []));
  await page.close();
}

async function keeping_up(browser, daemon) {
  const page = await browser.open(daemon.url);
  await pool(page, "puppet").locator(".waiters li").first().waitFor();

  await test("bars run towards the end of the lease", async () => {
    const part = () => pool(page, "reboot").locator(".holders .bar i").first().evaluate((fill) => fill.getBoundingClientRect().width / fill.parentElement.clientWidth);
    const first = await part();
    assert.ok(first > 0 && first < 1, String(first));
    await until("the bar is shorter", async () => (await part()) < first);
  });
  await test("a release shows within seconds, and leaves other rows, focus and scroll alone", async () => {
    await page.setViewportSize({ width: 1280, height: 500 });
    await page.evaluate(() => {
      scrollTo(0, 150);
      window.kept = [...document.querySelectorAll("#pools .pool")].find((p) => p.querySelector(".name").textContent === "puppet").querySelector(".waiters li:nth-child(3)");
    });
    await pool(page, "puppet").locator("summary").focus();
    await page.evaluate(() => scrollTo(0, 150));
    assert.equal(await daemon.ask("release", { pool: "puppet", host: "web3.example.com", id: "run-4103" }), "OK");
    await pool(page, "puppet").locator(".holders li").filter({ hasText: "mail1.example.com" }).waitFor({ timeout: 10000 });
    await page.locator("#events li.granted").filter({ hasText: "mail1.example.com" }).waitFor({ timeout: 10000 });
    assert.equal((await line(page, "puppet"))[0], "mail2.example.com");
    assert.ok(await page.evaluate(() => window.kept.isConnected && window.kept.querySelector("bdi").textContent === "mail3.example.com"));
    assert.equal(await page.evaluate(() => document.activeElement.querySelector(".name")?.textContent), "puppet");
    assert.equal(await page.evaluate(() => Math.round(scrollY)), 150);
    await page.setViewportSize({ width: 1280, height: 900 });
  });
  await test("an estimate is shown once there is a basis", async () => {
    await pool(page, "puppet").locator(".waiters .guess").filter({ hasText: /^(soon|in ~.*)$/ }).first().waitFor({ timeout: 10000 });
  });
  await test("without changes nothing in the document moves", async () => {
    await page.evaluate(() => {
      window.moves = 0;
      window.rounds = performance.getEntriesByType("resource").length;
      new MutationObserver((list) => list.forEach((change) => {
        if (change.target.nodeType === 1 && [...change.addedNodes].some((node) => node.nodeType === 1)) ++window.moves;
      })).observe(document.getElementById("pools"), { childList: true, subtree: true });
    });
    const asked = page.asked.length;
    await until("three more rounds", () => page.asked.filter((url, i) => i >= asked && url.includes("/status/")).length >= 4);
    assert.equal(await page.evaluate(() => window.moves), 0);
  });
  await test("a hidden tab asks for nothing, and goes on when it is seen again", async () => {
    const hide = (hidden) => page.evaluate((yes) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: yes });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
    await hide(true);
    const other = await browser.open(daemon.url);
    const asked = page.asked.length;
    await until("another page has asked four times", () => other.asked.filter((url) => url.includes("/status/")).length >= 5);
    await other.close();
    assert.ok(page.asked.length - asked <= 1, `${page.asked.length - asked} requests`);
    await hide(false);
    await until("it asks again", () => page.asked.length > asked + 2);
    await live(page);
  });
  await test("nothing was complained about while it ran", async () => assert.deepEqual(await wrongs(page), []));
  await page.close();
}

async function use(browser, daemon) {
  const page = await browser.open(daemon.url);
  await test("/ leads to the filter, which finds pools and is kept in the address", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("ba");
    await until("one pool is left", async () => (await names(page)).join() === "backup");
    assert.equal(await page.locator("#filter").inputValue(), "ba");
    assert.match(page.url(), /#filter=ba$/);
    assert.equal(await page.locator("#count").textContent(), "1 of 8 pools");
  });
  await test("Escape clears it", async () => {
    await page.keyboard.press("Escape");
    await until("all pools are back", async () => (await names(page)).length === 8);
    assert.doesNotMatch(page.url(), /filter/);
  });
  await test("the filter finds a host in the line, with its place", async () => {
    await page.locator("#filter").fill("Mail14");
    await pool(page, "puppet").locator(".waiters li").waitFor();
    assert.deepEqual(await names(page), ["puppet"]);
    assert.deepEqual(await line(page, "puppet"), ["mail14.example.com"]);
    const [{ waiting }] = (await daemon.status("pool=puppet")).pools;
    const place = waiting.findIndex(({ host }) => host === "mail14.example.com") + 1;
    await until("its place", async () => (await pool(page, "puppet").locator(".place").textContent()) === `${place}.`);
    await browser.shot(page, "filter");
  });
  await test("it is there after a reload, and says when nothing matches", async () => {
    await page.reload();
    await live(page);
    assert.equal(await page.locator("#filter").inputValue(), "Mail14");
    await pool(page, "puppet").waitFor();
    await page.locator("#filter").fill("<b>nobody");
    await page.locator("#empty:visible").waitFor();
    assert.match(await page.locator("#empty").textContent(), /<b>nobody/);
    await page.keyboard.press("Escape");
  });
  await test("pools stand by name when asked to, busiest first otherwise", async () => {
    await page.getByLabel("By name").check();
    const sorted = [...await names(page)].sort((a, b) => new Intl.Collator("en", { numeric: true }).compare(a, b));
    assert.deepEqual(await names(page), sorted);
    assert.match(page.url(), /#sort=name$/);
    await page.getByLabel("Busiest first").check();
    assert.equal((await names(page))[0], "puppet");
  });
  await test("the keyboard reaches everything, and the focus is seen", async () => {
    await page.locator("#filter").focus();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.name), "sort");
    await page.keyboard.press("Tab");
    const active = () => page.evaluate(() => ({ tag: document.activeElement.tagName, outline: getComputedStyle(document.activeElement).outlineStyle, open: document.activeElement.parentElement.open }));
    assert.deepEqual(await active(), { tag: "SUMMARY", outline: "solid", open: true });
    await page.keyboard.press("Enter");
    await until("it is folded", async () => (await active()).open === false);
    await page.keyboard.press("Enter");
    await until("it is unfolded", async () => (await active()).open === true);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "BUTTON");
  });
  await test("everything that can be used has a name", async () => {
    const tree = await page.locator("body").ariaSnapshot();
    assert.match(tree, /searchbox "Filter by pool or host"/);
    assert.match(tree, /radio "Busiest first"/);
    assert.match(tree, /img "5 of 5 slots held"/);
    assert.match(tree, /status: live/);
    assert.match(tree, /list "Recent events/);
  });
  await test("nothing was complained about in use", async () => assert.deepEqual(await wrongs(page), []));
  await page.close();
}

async function looks(browser, daemon) {
  await test("dark and light are different, and both are readable", async () => {
    const grounds = [];
    for (const scheme of ["light", "dark"]) {
      const page = await browser.open(daemon.url, { scheme });
      await page.locator("#events li.refused .kind").first().waitFor();
      grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      const places = ["body", "dt", "#where", ".head", ".pool .name", ".meta", ".token", ".id", ".queue .waiting", "button.link", "#events time", "#events .granted .kind", "#events .refused .kind", "#events .detail"];
      for (const place of places) {
        const ratio = await contrast(page, place);
        assert.ok(ratio >= 4.5, `${place} in ${scheme}: ${ratio.toFixed(2)}`);
      }
      await page.close();
    }
    assert.notEqual(grounds[0], grounds[1]);
  });
  await test("a phone shows it without scrolling sideways", async () => {
    for (const scheme of ["light", "dark"]) {
      const page = await browser.open(daemon.url, { width: 360, height: 740, scheme });
      await page.locator("#events li").first().waitFor();
      assert.equal(await overflow(page), 0);
      await browser.shot(page, `phone-${scheme}`);
      await page.setViewportSize({ width: 320, height: 640 });
      assert.equal(await overflow(page), 0);
      await page.close();
    }
  });
  await test("whoever wants less motion gets none", async () => {
    const moving = async (motion) => {
      const page = await browser.open(daemon.url, { motion });
      const bar = page.locator(".holders .bar i").first();
      await bar.waitFor({ state: "attached" });
      const found = await bar.evaluate((element) => getComputedStyle(element).transitionDuration);
      await page.close();
      return found;
    };
    assert.equal(await moving("no-preference"), "1s");
    assert.equal(await moving("reduce"), "0s");
  });
}

export async function check_small(browser, daemon) {
  await content(browser, daemon);
  await looks(browser, daemon);
  await use(browser, daemon);
  await keeping_up(browser, daemon);
}
