// SPDX-License-Identifier: MIT
// Starts the browser, runs the tests, and checks what a page may never do: log an error,
// break its policy, or send a request to anybody but the daemon.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

export class Browser {
  constructor(program, shots) {
    this.program = program;
    this.shots = shots;
    this.profile = mkdtempSync(join(tmpdir(), "distributex-chromium-"));
    mkdirSync(shots, { recursive: true });
  }

  async start() {
    this.context = await chromium.launchPersistentContext(this.profile, {
      executablePath: this.program, headless: true, args, viewport: { width: 1280, height: 900 }, timezoneId: "UTC", locale: "en-GB",
    });
    this.context.setDefaultTimeout(60000);
  }

  // Opens a page of that daemon. page.wrongs gathers what the page does wrong,
  // page.asked its requests.
  async open(url, options = {}) {
    const page = await this.context.newPage();
    page.wrongs = [];
    page.asked = [];
    page.on("pageerror", (error) => page.wrongs.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) page.wrongs.push(`console: ${message.text()}`);
    });
    page.on("dialog", (dialog) => {
      page.wrongs.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("request", (request) => {
      page.asked.push(request.url());
      if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith("data:")) page.wrongs.push(`asks ${request.url()}`);
    });
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    if (options.width) await page.setViewportSize({ width: options.width, height: options.height });
    await page.emulateMedia({ colorScheme: options.scheme ?? "light", reducedMotion: options.motion ?? "no-preference" });
    await page.goto(url);
    if (!options.early) await live(page);
    return page;
  }

  shot(page, name, options = {}) {
    return page.screenshot({ path: join(this.shots, `${name}.png`), ...options });
  }

  async close() {
    await this.context?.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

export const live = (page) => page.locator("html[data-state=live]").waitFor();

export async function wrongs(page) {
  return [...page.wrongs, ...(await page.evaluate(() => window.violations))];
}

// How many pixels of the page are beyond the right edge of the window.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// The contrast between the text and the background of an element, by WCAG.
export function contrast(page, selector) {
  return page.evaluate((chosen) => {
    const parts = (color) => color.match(/[\d.]+/g).map(Number);
    const light = (color) => {
      const [r, g, b] = parts(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const element = document.querySelector(chosen);
    let ground = element;
    while (parts(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    const [high, low] = [light(getComputedStyle(element).color), light(getComputedStyle(ground).backgroundColor)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  }, selector);
}

let passed = 0;
const failed = [];

export async function test(name, work) {
  const began = Date.now();
  try {
    await work();
    ++passed;
    console.log(`ok    ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed.push(name);
    console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split("\n").slice(0, 12).join("\n      ")}`);
  }
}

// Tests that did not run, because the check ended early, count as failed.
export function result(error) {
  if (error) {
    failed.push("the rest");
    console.log(`FAIL  the rest: ${error.stack}`);
  }
  console.log(`${passed} passed, ${failed.length} failed`);
  return failed.length ? 1 : 0;
}
