// What the console's forms read from files: chosen in the browser's own way, shown in the field, and sent from there. Takes
// `origin`, `folder`, and there `ca-and-key.pem`, `ca.der`, `only.key`, `long.pem`, `picture.png`, `dave.der` and `carol.csr.der`.
import assert from "node:assert/strict";
import { drive, quiet, settings, violations, watched } from "./browser.mjs";
import { button, field, form, send, unfolded, write, wrong } from "./keyboard.mjs";

const { origin, folder } = settings;

/// Chooses a file beside a field.
async function choose(page, area, file) {
  const asked = page.waitForEvent("filechooser");
  await area.locator("xpath=..").locator("input[type=file]").click();
  await (await asked).setFiles(`${folder}/${file}`);
}

await drive(async (browser) => {
  const seen = await watched(browser);
  const page = await seen.context.newPage();
  const told = {};
  const open = (path) => page.goto(origin + path);
  const filled = (area, text) => page.waitForFunction(([one, part]) => one.value.includes(part), [area, text]);

  await open("/cas");
  let place = form(page, "/ca-previews");
  let area = place.locator("[name=certificates]");
  const says = area.locator("xpath=..").locator("[role=status]");

  // Nothing of these is read into the field, and it is said why.
  await choose(page, area, "long.pem");
  await says.filter({ hasText: "larger than 200 kB" }).waitFor();
  assert.equal(await area.inputValue(), "");
  await choose(page, area, "only.key");
  await says.filter({ hasText: "private key" }).waitFor();
  assert.equal(await area.inputValue(), "");
  wrong.push(...await violations(page));

  // Of a file with both the key stays behind.
  await choose(page, area, "ca-and-key.pem");
  await filled(await area.elementHandle(), "-----BEGIN CERTIFICATE-----");
  assert.equal(await says.innerText(), "");
  assert.doesNotMatch(await area.inputValue(), /PRIVATE/);
  const pem = (await area.inputValue()).trim();
  // The same in DER is the same.
  await area.fill("");
  await choose(page, area, "ca.der");
  await filled(await area.elementHandle(), "-----BEGIN CERTIFICATE-----");
  assert.equal((await area.inputValue()).trim(), pem);
  await write(page, field(place, "name"), "partner");
  await place.locator("input[name=sites]").first().check();
  await place.locator("input[name=rule][value=named-only]").check();
  told.preview = await send(page, place, "looking at a rule", { by: place.getByRole("button", { name: "What would it let in?" }) });

  // What is no certificate is refused where it is read.
  await open("/cas");
  place = form(page, "/ca-previews");
  area = place.locator("[name=certificates]");
  await choose(page, area, "picture.png");
  await filled(await area.elementHandle(), "-----BEGIN CERTIFICATE-----");
  await write(page, field(place, "name"), "picture");
  await place.locator("input[name=sites]").first().check();
  await place.locator("input[name=rule][value=named-only]").check();
  await place.getByRole("button", { name: "What would it let in?" }).click();
  told.picture = await page.locator(".note.bad[role=alert]").innerText();

  await open("/parties");
  place = page.locator("form[action='/parties'][method=post]");
  await write(page, field(place, "party"), "dave");
  await place.locator("input[name=sites]").first().check();
  await choose(page, field(place, "certificate"), "dave.der");
  await filled(await field(place, "certificate").elementHandle(), "-----BEGIN CERTIFICATE-----");
  told.pinned = await send(page, place, "pinning");

  await open("/parties/alice");
  place = await unfolded(page, "/parties/alice/issue");
  await choose(page, field(place, "request"), "carol.csr.der");
  await filled(await field(place, "request").elementHandle(), "-----BEGIN CERTIFICATE REQUEST-----");
  await write(page, field(place, "label"), "server");
  told.issued = await send(page, place, "issuing", { by: button(place) });

  assert.deepEqual(wrong, []);
  quiet(seen, origin, ["/ca-previews"]);
  return told;
});
