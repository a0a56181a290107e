// The first day of somebody who read what quickstart prints and nothing else: follows what the pages themselves offer. Takes
// `origin` (the console), `portal` (the site), and where `pictures` of each step go, if anywhere.
import assert from "node:assert/strict";
import { drive, quiet, settings, watched } from "./browser.mjs";

const { origin, portal, pictures } = settings;

/// The reference on a page that refuses.
const read = (page) => page.match(/Reference\s+([0-9A-Z]{4}-[0-9A-Z]{2})\b/)[1];

await drive(async (browser) => {
  const seen = await watched(browser);
  const desk = await seen.context.newPage();
  const told = {};
  let step = 0;
  const picture = async (page, name) => {
    step += 1;
    if (pictures) await page.screenshot({ path: `${pictures}/${step}-${name}.png`, fullPage: true });
  };

  await desk.goto(`${origin}/`);
  await picture(desk, "overview");
  const outside = await watched(browser);
  const visitor = await outside.context.newPage();
  assert.equal((await visitor.goto(`${portal}/`)).status(), 403);
  await picture(visitor, "refused");
  const page = await visitor.locator("body").innerText();
  const reference = read(page);

  // The overview itself says that somebody waits.
  const waits = desk.locator("nav a[href='/pending'] .count");
  await waits.waitFor();
  await picture(desk, "overview-after-the-knock");
  await desk.locator("nav a[href='/pending']").click();
  const card = desk.locator("article", { hasText: "CN=stranger" });
  await card.waitFor();
  await picture(desk, "pending");

  // First why: by the reference that the visitor reads.
  await desk.locator("nav a[href='/explain']").click();
  await desk.locator("form[action='/explain'][method=get] [name=reference]").fill(reference);
  await desk.locator("form[action='/explain'][method=get] button").click();
  await desk.locator("main table").first().waitFor();
  await picture(desk, "explained-by-reference");

  // What is explained leads to where it waits.
  await desk.locator("main a[href^='/pending#']").click();
  await card.locator("summary").click();
  await picture(desk, "letting-in");
  const approve = card.locator("form[action$='/approve']");
  await approve.locator("[name=party]").fill("visitor");
  await approve.locator("[name=reference]").fill(reference);
  await approve.locator("button:not([type=button])").click();
  await desk.locator(".note.good").waitFor();
  told.letIn = await desk.locator(".note.good").innerText();
  await picture(desk, "let-in");

  await visitor.reload();
  told.entered = await visitor.locator("body").innerText();
  await picture(visitor, "entered");

  // From the note to the party, and there why it enters.
  await desk.locator(".note a[href='/parties/visitor']").click();
  await desk.locator("h1", { hasText: "visitor" }).waitFor();
  await picture(desk, "party");
  await desk.locator("a[href='/explain?party=visitor']").click();
  await desk.locator("form[action='/explain'][method=post] button:not([type=button])").click();
  await desk.locator("[role=status] .ladder").first().waitFor();
  told.failedRungs = await desk.locator("ol.ladder > .failed").count();
  await picture(desk, "would-it-enter");
  await desk.locator("nav a[href='/parties']").click();
  await desk.locator("main a[href='/parties/visitor']").click();
  const all = desk.locator("details", { has: desk.locator("form[action='/parties/visitor/revoke']") }).last();
  await all.locator("summary").click();
  await picture(desk, "revoking");
  await all.locator("[name=reason]").selectOption("key-compromise");
  await all.locator("button:not([type=button])").click();
  await desk.locator(".note.good").waitFor();
  told.revoked = await desk.locator(".note.good").innerText();
  await picture(desk, "revoked");

  assert.equal((await visitor.goto(`${portal}/`)).status(), 403);
  told.shut = await visitor.locator("body").innerText();
  await picture(visitor, "shut-out");
  const again = read(told.shut);
  await desk.locator("nav a[href='/explain']").click();
  await desk.locator("form[action='/explain'][method=get] [name=reference]").fill(again);
  await desk.locator("form[action='/explain'][method=get] button").click();
  // It was shown this moment: the page follows the log until it is there.
  await desk.locator("main table").first().waitFor();
  told.why = await desk.locator("main").innerText();
  await picture(desk, "why-shut-out");
  await desk.locator("nav a[href='/log']").click();
  await desk.locator("main table").first().waitFor();
  await picture(desk, "log");
  quiet(seen, origin);
  return told;
});
