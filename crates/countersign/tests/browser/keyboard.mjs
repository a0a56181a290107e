// Forms of the console, filled in and sent by keyboard alone.
import assert from "node:assert/strict";
import { settings, violations } from "./browser.mjs";

const { origin } = settings;

/// Tab until this has the focus.
export async function reach(page, one) {
  await one.waitFor({ state: "visible" });
  for (let step = 0; step < 300; step += 1) {
    if (await one.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${one}`);
}

export async function press(page, one, key = "Enter") {
  await reach(page, one);
  await page.keyboard.press(key);
}

export async function write(page, one, text) {
  await reach(page, one);
  await page.keyboard.press("Control+A");
  // As pasted.
  await page.keyboard.insertText(text);
}

/// Chooses in a select box by the beginning of its option.
export async function choose(page, one, value) {
  await reach(page, one);
  await page.keyboard.type(value);
  assert.equal(await one.inputValue(), value);
}

export const form = (page, path) => page.locator(`form[action="${path}"]`).first();
export const field = (place, name) => place.locator(`[name=${name}]:not([type=hidden])`).first();
/// What sends a form; a field that chooses a file is a button too.
export const button = (place) => place.locator("button:not([type=button])").first();

/// Opens what folds the form away.
export async function unfolded(page, path) {
  const place = form(page, path);
  const fold = page.locator("details", { has: page.locator(`form[action="${path}"]`) }).first();
  if (await fold.count() && !(await fold.evaluate((one) => one.open))) await press(page, fold.locator("summary").first());
  return place;
}

/// What axe-core found wrong on the pages that followed.
export const wrong = [];

/// Sends the form by its first button, or another `by` to another `path`, and gives what the note on the page that follows says.
export async function send(page, place, what, { by = button(place), path } = {}) {
  const to = path ?? await place.getAttribute("action");
  await Promise.all([page.waitForURL(`${origin}${to}`), press(page, by)]);
  const note = page.locator(".note.good");
  await note.or(page.locator(".note.bad[role=alert]")).first().waitFor();
  assert.equal(await page.locator(".note.bad[role=alert]").count(), 0, `${what}: ${await page.locator("main").innerText()}`);
  wrong.push(...(await violations(page)).map((one) => `after ${what}: ${one}`));
  return (await note.innerText()).trim();
}
