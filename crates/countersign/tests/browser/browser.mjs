// Chromium as a visitor has it: Debian's, with a home whose certificate store and managed policy the scenario made.
// Each script here is run as `node SCRIPT.mjs SETTINGS`, JSON with `modules` (where playwright-core and axe-core are),
// `home`, `hosts` (Chromium's --host-resolver-rules), and what the script itself takes. It prints JSON and ends with 0, or
// says what was not as it must be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const settings = JSON.parse(process.argv[2]);
const require = createRequire(`${settings.modules}/package.json`);
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/// Milliseconds after which something that must come is said to be missing.
export const PATIENCE = 30_000;

/// Runs `scenario` with a browser, and prints what it gives.
export async function drive(scenario) {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    env: { ...process.env, HOME: settings.home },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", `--host-resolver-rules=${settings.hosts}`,
    ],
  });
  let given;
  try {
    given = await scenario(browser);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(given ?? {}));
}

/// A context that notes which addresses are asked for, and what the browser complains of.
export async function watched(browser, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const addresses = [];
  const complaints = [];
  context.on("request", (request) => addresses.push(request.url()));
  context.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`); });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("dialog", (dialog) => { complaints.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  return { context, addresses, complaints };
}

/// Holds that nothing was asked of another host, and that the browser had nothing to complain of but these `refusals`:
/// addresses, as they are asked for, of pages that refuse.
export function quiet({ addresses, complaints }, origin, refusals = []) {
  // The browser's own pictures in its controls are nobody's.
  const others = addresses.filter((one) => !one.startsWith(`${origin}/`) && !one.startsWith("data:"));
  assert.deepEqual(others, [], "asked of another host");
  const refused = (complaint) => refusals.some((path) => complaint.endsWith(` ${origin}${path}`));
  assert.deepEqual(complaints.filter((one) => !refused(one)), [], "the browser complains");
}

/// What axe-core finds wrong on a page, each with the markup that it is about.
export async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { preload: false, resultTypes: ["violations"] }));
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.failureSummary.replaceAll("\n", " ")}: ${node.html.slice(0, 160)}`));
}

/// Goes to every screen that links of other screens lead to, beginning with the overview and `more`, and calls `visit` there.
export async function everyScreen(page, origin, more, visit) {
  const waiting = ["/", ...more];
  const known = new Set(waiting.filter((path) => !path.includes("?")));
  const visited = [];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const answer = await page.goto(origin + path);
    assert.equal(answer.status(), 200, path);
    visited.push(path);
    const links = await page.$$eval("a[href^='/']:not([download])", (all) => all.map((one) => one.getAttribute("href")));
    for (const link of links) {
      const to = link.split(/[?#]/)[0];
      if (!to.startsWith("/api/") && !known.has(to)) {
        known.add(to);
        waiting.push(to);
      }
    }
    await visit(path);
  }
  return visited;
}

/// Opens all that is folded.
export const unfold = (page) => page.$$eval("details", (all) => all.forEach((one) => { one.open = true; }));
