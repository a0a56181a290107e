// Every change that the console's forms make, by keyboard alone. Takes `origin`, `certificate` and `request` (PEM), and the
// `reference` that the visitor called erin reads.
import assert from "node:assert/strict";
import { drive, quiet, settings, violations, watched } from "./browser.mjs";
import { button, choose, field, form, press, send, unfolded, write, wrong } from "./keyboard.mjs";

const { origin } = settings;

await drive(async (browser) => {
  const seen = await watched(browser);
  const page = await seen.context.newPage();
  const told = {};
  const open = (path) => page.goto(origin + path);

  // Follows the links too: the first Tab leads past the navigation.
  await open("/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "#main");
  await press(page, page.locator("nav a[href='/parties']"));
  await page.waitForURL(`${origin}/parties`);

  let place = await unfolded(page, "/parties");
  place = page.locator("form[action='/parties'][method=post]");
  await write(page, field(place, "party"), "carol");
  await press(page, place.locator("input[name=sites]").first(), "Space");
  told.added = await send(page, place, "adding");

  await open("/parties");
  place = page.locator("form[action='/parties'][method=post]");
  await write(page, field(place, "party"), "dave");
  await press(page, place.locator("input[name=sites]").first(), "Space");
  await write(page, field(place, "certificate"), settings.certificate);
  told.pinned = await send(page, place, "pinning");

  await open("/parties/carol");
  place = await unfolded(page, "/parties/carol/invite");
  await write(page, field(place, "label"), "laptop");
  await write(page, field(place, "expires"), "2h");
  await press(page, field(place, "code"), "Space");
  told.invited = await send(page, place, "inviting");
  await open("/parties/carol");
  place = page.locator("form[action^='/invites/']").first();
  told.withdrawn = await send(page, place, "withdrawing");

  await open("/parties/carol");
  place = await unfolded(page, "/parties/carol/issue");
  await write(page, field(place, "request"), settings.request);
  await choose(page, field(place, "profile"), "service");
  await write(page, field(place, "label"), "server");
  told.issued = await send(page, place, "issuing");

  await open("/parties/alice");
  told.ungranted = await send(page, form(page, "/parties/alice/ungrant"), "taking back");
  await open("/parties/alice");
  place = await unfolded(page, "/parties/alice/grant");
  await press(page, place.locator("input[name=sites]").first(), "Space");
  told.granted = await send(page, place, "granting");
  await open("/parties/alice");
  told.suspended = await send(page, form(page, "/parties/alice/suspend"), "suspending");
  await open("/parties/alice");
  told.resumed = await send(page, form(page, "/parties/alice/resume"), "resuming");

  await open("/parties/carol");
  place = await unfolded(page, "/parties/carol/revoke");
  await choose(page, field(place, "reason"), "superseded");
  told.revokedOne = await send(page, place, "revoking one certificate");
  await open("/parties/alice");
  const all = page.locator("details", { has: page.locator("form[action='/parties/alice/revoke']") }).last();
  await press(page, all.locator("summary"));
  place = all.locator("form");
  await choose(page, field(place, "reason"), "key-compromise");
  told.revoked = await send(page, place, "revoking everything");

  await open("/pending");
  const card = (name) => page.locator("article", { hasText: name });
  await press(page, card("CN=erin").locator("summary"));
  place = card("CN=erin").locator("form[action$='/approve']");
  await write(page, field(place, "party"), "erin");
  await write(page, field(place, "reference"), settings.reference);
  assert.ok(await place.locator("input[name=sites]").first().isChecked(), "the site where it knocked");
  told.approved = await send(page, place, "approving");
  await open("/pending");
  told.rejected = await send(page, card("CN=mallory").locator("form[action$='/reject']"), "dismissing");

  await open("/explain");
  place = page.locator("form[action='/explain'][method=post]");
  await write(page, field(place, "party"), "alice");
  await press(page, button(place));
  await page.locator("[role=status] .ladder").first().waitFor();
  told.failedRungs = await page.locator("ol.ladder > .failed").count();
  wrong.push(...(await violations(page)).map((one) => `after explaining: ${one}`));

  // Looking for things changes nothing, and goes by keyboard too.
  await open("/parties");
  await write(page, page.locator("form[role=search] [name=q]"), "ar");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=ar/);
  told.found = await page.locator("tbody tr td:first-child").allInnerTexts();
  await open("/log");
  await choose(page, page.locator("form[role=search] [name=verdict]"), "changed");
  await press(page, page.locator("form[role=search] button"));
  await page.waitForURL(/verdict=changed/);
  told.changes = await page.locator("tbody tr").count();

  assert.deepEqual(wrong, []);
  quiet(seen, origin);
  return told;
});
