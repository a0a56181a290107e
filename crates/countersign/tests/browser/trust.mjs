// What the console's forms change about issuers, who enters a site, renewals and rollovers, by keyboard alone. Takes `origin`,
// and `step`: `give` with `certificates` of a CA and a `request` of alice's (PEM), then `take`, then `end`, when nobody needs the
// old generation.
import assert from "node:assert/strict";
import { drive, quiet, settings, watched } from "./browser.mjs";
import { button, choose, field, form, press, send, unfolded, write, wrong } from "./keyboard.mjs";

const { origin } = settings;

await drive(async (browser) => {
  const seen = await watched(browser);
  const page = await seen.context.newPage();
  const told = {};
  const open = (path) => page.goto(origin + path);
  const card = (name) => page.locator("article", { hasText: name });
  // Of the forms of a list, the one that adds to it, and the one that takes somebody off it.
  const written = (path) => page.locator(`form[action="${path}"]`, { has: page.locator("[name=who]:not([type=hidden])") });
  const taking = (path, who) => page.locator(`form[action="${path}"]`, { has: page.locator(`[type=hidden][name=who][value="${who}"]`) });
  let place;

  if (settings.step === "give") {
    // Looked at first: what it would let in stands on the page that has the button to save it.
    await open("/cas");
    place = form(page, "/ca-previews");
    await write(page, field(place, "name"), "partner");
    await write(page, field(place, "certificates"), settings.certificates);
    await press(page, place.locator("input[name=sites]").first(), "Space");
    await press(page, place.locator("input[name=rule]").first(), "Space");
    await write(page, place.locator("[name=match]").first(), "san:email=*@acme.example");
    let by = place.getByRole("button", { name: "What would it let in?" });
    told.preview = await send(page, place, "looking at a rule", { by });
    place = form(page, "/ca-previews");
    by = place.getByRole("button", { name: "Trust this issuer" });
    told.trusted = await send(page, place, "trusting it", { by, path: "/cas" });

    await open("/pending");
    told.ignored = await send(page, card("CN=mallory").locator("form[action$='/ignore']"), "ignoring an issuer");

    await open("/sites");
    place = await unfolded(page, "/sites/portal.test/grant");
    await write(page, field(place, "parties"), "bob");
    told.granted = await send(page, place, "granting");
    await open("/sites");
    await unfolded(page, "/sites/second.test/allow");
    place = written("/sites/second.test/allow");
    await write(page, field(place, "who"), "bob");
    told.allowed = await send(page, place, "allowing at a site");

    await open("/parties/alice");
    place = await unfolded(page, "/parties/alice/renew");
    await write(page, field(place, "request"), settings.request);
    told.renewed = await send(page, place, "renewing");

    await open("/cas");
    place = await unfolded(page, "/cas/own/rollovers/start");
    await choose(page, field(place, "ca"), "client");
    told.begun = await send(page, place, "beginning a rollover");
    // While alice's certificates are of the old generation, nothing on the page ends it.
    assert.equal(await page.locator("form[action='/cas/own/rollovers/finish']").count(), 0);
  } else if (settings.step === "take") {
    await open("/cas");
    place = await unfolded(page, "/cas/partner/remove");
    told.removed = await send(page, place, "removing an issuer");
    await open("/pending");
    told.heeded = await send(page, form(page, "/ignored-issuers/heed"), "ignoring it no longer");
    await open("/sites");
    await unfolded(page, "/sites/portal.test/grant");
    place = page.locator("li", { hasText: "bob" }).locator("form[action='/sites/portal.test/ungrant']");
    told.ungranted = await send(page, place, "taking back");
    await open("/sites");
    await unfolded(page, "/sites/second.test/deny");
    place = written("/sites/second.test/deny");
    await write(page, field(place, "who"), "bob");
    told.banned = await send(page, place, "banning at a site");
    // The check refuses what is inside, and says so on its page.
    await open("/check/");
    place = page.locator("form").first();
    await write(page, place.locator("input[type=text], input:not([type])").first(), "localhost");
    await press(page, button(place));
    await page.waitForURL((url) => url.pathname !== "/check/" || url.search !== "");
    told.checked = await page.locator("main").innerText();
  } else {
    await open("/sites");
    await unfolded(page, "/sites/second.test/deny");
    told.unbanned = await send(page, taking("/sites/second.test/deny", "bob"), "taking a ban back");
    await open("/cas");
    told.finished = await send(page, form(page, "/cas/own/rollovers/finish"), "finishing a rollover");
    assert.equal(await page.locator("form[action='/cas/own/rollovers/finish']").count(), 0);
  }
  assert.deepEqual(wrong, []);
  quiet(seen, origin, ["/check/?host=localhost&starttls="]);
  return told;
});
