// Somebody knocks with a certificate of their own, is let in, and is shut out again. Takes `origin` (the console), `portal`
// (the site's) and `party`, which the stranger becomes.
import assert from "node:assert/strict";
import { PATIENCE, drive, quiet, settings, watched } from "./browser.mjs";

const { origin, portal, party } = settings;

await drive(async (browser) => {
  const seen = await watched(browser);
  const desk = await seen.context.newPage();
  // Once it listens, it asks what came before.
  const listens = seen.context.waitForEvent("response", (answer) => answer.request().resourceType() === "fetch");
  await desk.goto(`${origin}/pending`);
  await listens;
  await desk.locator(".empty").waitFor();
  // A page that was loaded again would have forgotten this.
  await desk.evaluate(() => {
    window.before = true;
    // When it is there: whoever looks from outside looks now and then.
    new MutationObserver(() => { if (document.querySelector("article")) window.came ??= Date.now(); })
      .observe(document.querySelector("main"), { childList: true, subtree: true });
  });
  // The same page in a browser that hears no events.
  const deaf = await watched(browser);
  await deaf.context.route("**/api/v1/events*", (route) => route.abort());
  const unmoved = await deaf.context.newPage();
  await unmoved.goto(`${origin}/pending`);
  await unmoved.locator(".empty").waitFor();
  const asked = (addresses) => addresses.filter((one) => one === `${origin}/pending`).length;
  const before = [asked(seen.addresses), asked(deaf.addresses)];
  assert.deepEqual(before, [2, 1], "a list is asked for again where nothing happens");

  const outside = await watched(browser);
  const visitor = await outside.context.newPage();
  assert.equal((await visitor.goto(`${portal}/`)).status(), 403);
  const knocked = Date.now();
  const page = await visitor.locator("body").innerText();
  const reference = page.match(/\b[0-9A-Z]{4}-[0-9A-Z]{2}\b/)?.[0];
  assert.ok(reference, page);

  const card = desk.locator("article", { hasText: "CN=stranger" });
  await card.waitFor({ timeout: PATIENCE });
  const waited = (await desk.evaluate(() => window.came)) - knocked;
  assert.equal(await desk.evaluate(() => window.before), true, "the page was loaded again");
  assert.ok(asked(seen.addresses) > 2, "the list was not asked for");
  // It came by the event: who hears none neither asks nor shows it.
  assert.equal(asked(deaf.addresses), 1, "the list is asked for without an event");
  assert.ok(await unmoved.locator(".empty").isVisible());
  assert.match(await card.innerText(), /nobody: anyone could have made it/);

  await card.locator("summary").click();
  const approve = card.locator("form[action$='/approve']");
  await approve.locator("[name=party]").fill(party);
  await approve.locator("[name=reference]").fill(reference);
  await approve.locator("[name=sites]").first().check();
  await approve.getByRole("button").click();
  await desk.locator(".note.good").waitFor();

  // The next click, on the page that refused.
  const link = visitor.locator("a[href]").first();
  const clicked = visitor.waitForResponse((answer) => answer.request().isNavigationRequest());
  await (await link.count() ? link.click() : visitor.reload());
  assert.equal((await clicked).status(), 200);

  await visitor.evaluate(() => new Promise((done, failed) => {
    const socket = new WebSocket(`wss://${location.host}/socket`);
    window.ended = new Promise((end) => { socket.onclose = ({ code }) => end(code); });
    socket.onopen = done;
    socket.onerror = () => failed(new Error("no WebSocket"));
  }));

  await desk.locator(`.note a[href='/parties/${party}']`).click();
  const all = desk.locator("details", { has: desk.locator(`form[action='/parties/${party}/revoke']`) }).last();
  await all.locator("summary").click();
  await all.locator("[name=reason]").selectOption("key-compromise");
  await all.getByRole("button").click();
  const note = desk.locator(".note.good");
  await note.waitFor();
  const told = await note.innerText();

  const end = await visitor.evaluate((patience) => Promise.race([
    window.ended, new Promise((done) => { setTimeout(() => done("never"), patience); }),
  ]), PATIENCE);
  assert.equal(end, 1008, "the WebSocket is closed for a reason of policy (RFC 6455 section 7.4.1)");
  const refused = await visitor.goto(`${portal}/`);
  assert.equal(refused.status(), 403);
  quiet(seen, origin);
  return { waited, told, refused: await visitor.locator("body").innerText() };
});
