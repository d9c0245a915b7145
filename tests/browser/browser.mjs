// SPDX-License-Identifier: MIT
// The browser, the tests' frame, and what a page may never do: complain, break
// its policy, or ask anybody but the daemon.
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

  // A page of that daemon. What it does wrong is gathered in page.wrongs, what
  // it asks for in page.asked.
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

// Pixels that stick out to the right of the window.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// How well the words of an element can be told from its ground, as WCAG has it.
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

export function result() {
  console.log(`${passed} passed, ${failed.length} failed`);
  return failed.length ? 1 : 0;
}
