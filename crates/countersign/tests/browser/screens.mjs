// Every screen, as an owner sees it, in a portal whose visitors have hostile names: right for everybody in light and dark, on
// a desk and on a phone, by keyboard, and without a script. Takes `origin`, and `more`: screens that no link leads to.
import assert from "node:assert/strict";
import { drive, everyScreen, quiet, settings, unfold, violations, watched } from "./browser.mjs";

const { origin, more } = settings;

/// What a name must not have done to a page.
const harm = () => {
  const wrong = [];
  if (window.harmed) wrong.push("a script of a name ran");
  document.querySelectorAll("script").forEach((one) => { if (!one.src || new URL(one.src).origin !== location.origin) wrong.push(one.outerHTML); });
  document.querySelectorAll(".foreign *").forEach((one) => wrong.push(`a name became markup: ${one.outerHTML.slice(0, 80)}`));
  // eslint-disable-next-line no-control-regex
  const unseen = document.documentElement.outerHTML.match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu);
  if (document.body.innerText.includes("\\u{a}")) wrong.push("the ends of lines are shown");
  if (unseen) wrong.push(`unseen characters: ${unseen.map((one) => one.codePointAt(0).toString(16))}`);
  return wrong;
};

/// What can be wrong with a document that is taken along: a browser would run it, or a program for tables would.
async function exported(page, path) {
  const { type, sniff, text } = await page.evaluate(async (from) => {
    const answer = await fetch(from);
    return { type: answer.headers.get("content-type"), sniff: answer.headers.get("x-content-type-options"), text: await answer.text() };
  }, path);
  const wrong = [];
  if (!/^(application\/json|text\/csv|text\/plain|application\/x-ndjson)\b/.test(type)) wrong.push(`it is ${type}`);
  if (sniff !== "nosniff") wrong.push("its type may be guessed");
  if (type.startsWith("text/csv")) {
    const cells = text.matchAll(/(?:^|,|\n)(?:"((?:[^"]|"")*)"|([^",\n]*))/g);
    for (const [, quoted, plain] of cells) if (/^[=+\-@\t\r]/.test(quoted ?? plain)) wrong.push(`a formula: ${quoted ?? plain}`);
  }
  return wrong;
}

const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

/// Tab leads to everything that can be worked with, in order, and shows where it is; and out again.
async function keyboard(page, path) {
  const all = await page.evaluate(() => {
    // Of the choices of which one is taken, one is a stop, and arrows lead to the others.
    const isStop = (one) => {
      if (one.type !== "radio") return true;
      const group = Array.from(one.form.elements).filter((other) => other.type === "radio" && other.name === one.name);
      return one === (group.find((other) => other.checked) ?? group[0]);
    };
    document.activeElement.blur();
    getSelection().removeAllRanges();
    const can = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    const here = Array.from(document.querySelectorAll(can)).filter((one) => !one.disabled && one.checkVisibility() && isStop(one));
    here.forEach((one, number) => { one.dataset.stop = number; });
    window.reached = [];
    window.unmarked = [];
    document.addEventListener("focusin", ({ target }) => {
      window.reached.push(Number(target.dataset.stop));
      const { outlineStyle, outlineWidth } = getComputedStyle(target);
      if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) window.unmarked.push(target.outerHTML.slice(0, 120));
    });
    return here.length;
  });
  for (let step = 0; step < all; step += 1) await page.keyboard.press("Tab");
  const { reached, unmarked } = await page.evaluate(() => ({ reached: window.reached, unmarked: window.unmarked }));
  // A date has a stop for each of its parts.
  const stops = reached.filter((one, at) => one !== reached[at - 1]);
  const inOrder = stops.every((one, at) => one === at);
  assert.ok(inOrder && stops.length >= all - 4, `${path}: ${all} stops, reached ${stops}`);
  assert.deepEqual(unmarked, [], `${path}: the focus is not seen`);
}

/// What a page says, without what only a script adds.
const said = () => {
  const main = document.querySelector("main").cloneNode(true);
  main.querySelectorAll(".copy, #rate, #open, label:has(> input[type=file])").forEach((one) => one.remove());
  const texts = (what) => Array.from(main.querySelectorAll(what), (one) => one.textContent.trim().replace(/\d+/g, "0"));
  return {
    headings: texts("h1, h2, h3"), labels: texts("label, legend, summary, button"), columns: texts("th"),
    hasText: main.innerText.length > 40,
  };
};

await drive(async (browser) => {
  const seen = await watched(browser);
  const page = await seen.context.newPage();
  const words = new Map();
  const wrong = [];
  const exports = new Set(["/api/v1/parties/bob", "/api/v1/pending", "/api/v1/cas", "/api/v1/log?limit=500"]);
  const screens = await everyScreen(page, origin, more, async (path) => {
    words.set(path, await page.evaluate(said));
    for (const href of await page.$$eval("a[download], a[href^='/api/']", (all) => all.map((one) => one.getAttribute("href")))) exports.add(href);
    await keyboard(page, path);
    await unfold(page);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        wrong.push(...(await violations(page)).map((one) => `${path} ${width} ${colorScheme}: ${one}`));
      }
      if (await page.evaluate(wide) > 1) wrong.push(`${path} is wider than ${width}`);
    }
    wrong.push(...(await page.evaluate(harm)).map((one) => `${path}: ${one}`));
    await page.setViewportSize({ width: 1280, height: 900 });
  });
  for (const path of exports) wrong.push(...(await exported(page, path)).map((one) => `${path}: ${one}`));
  assert.deepEqual(wrong, []);
  quiet(seen, origin);

  const plain = await watched(browser, { javaScriptEnabled: false });
  const reader = await plain.context.newPage();
  for (const path of screens) {
    await reader.goto(origin + path);
    const now = await reader.evaluate(said);
    assert.ok(now.hasText, `${path} says nothing without a script`);
    assert.deepEqual(now, words.get(path), `${path} without a script`);
  }
  quiet(plain, origin);
  return { screens };
});
