// What pages of others can do in a browser whose store has an owner's certificate: nothing. Takes `origin` (the console),
// `port` (of the console), and a `token` and `key` of a page that is open, which no other page has; here it even has them.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { drive, settings, watched } from "./browser.mjs";

const { origin, port, token, key } = settings;

/// A form that sends itself.
const sends = (path, type, fields) => `<form method="post" action="${origin}${path}" enctype="${type}">
  ${fields.map(([name, value]) => `<input name='${name}' value='${value}'>`).join("")}</form><script>document.forms[0].submit()</script>`;

const PAGES = {
  "/form": sends("/parties/alice/suspend", "application/x-www-form-urlencoded", [["token", token], ["key", key]]),
  "/plain": sends("/api/v1/parties/alice/suspend", "text/plain", [['{"a":"', '"}']]),
  "/frame": `<iframe src="${origin}/parties/alice"></iframe>`,
  "/parts": `<script src="${origin}${settings.script}"></script><img src="${origin}/assets/icon.svg">`,
};

function serve() {
  const server = createServer((request, answer) => {
    answer.writeHead(200, { "Content-Type": "text/html" });
    answer.end(`<!doctype html><title>elsewhere</title>${PAGES[request.url] ?? ""}`);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

await drive(async (browser) => {
  const server = await serve();
  const told = {};
  // The same host on another port is another site's page too.
  for (const host of ["evil.test", "localhost"]) {
    const there = `http://${host}:${server.address().port}`;
    const { context, complaints } = await watched(browser);
    const page = await context.newPage();
    for (const path of ["/form", "/plain"]) {
      const answered = page.waitForResponse((one) => one.url().startsWith(origin) && one.request().method() === "POST");
      await page.goto(there + path);
      assert.ok([403, 415].includes((await answered).status()), `${host}${path}: ${(await answered).status()}`);
      if (path === "/form") {
        await page.waitForURL(`${origin}/**`);
        told[host] = await page.locator("body").innerText();
      }
    }
    await page.goto(`${there}/frame`);
    await page.waitForLoadState("networkidle");
    const framed = page.frames().find((frame) => frame !== page.mainFrame());
    assert.doesNotMatch(await framed.content(), /alice/, "framed");
    assert.ok(complaints.some((one) => /frame-ancestors|X-Frame-Options/i.test(one)), `${host}: ${complaints}`);

    const read = await page.evaluate(async ([to, secret]) => {
      const tried = {};
      const attempt = async (name, options, path = "/api/v1/parties") => {
        tried[name] = await fetch(to + path, { credentials: "include", ...options }).then(async (answer) => `${answer.type} ${await answer.text()}`, () => "refused");
      };
      await attempt("read", {});
      await attempt("readBlind", { mode: "no-cors" });
      await attempt("change", { method: "POST", body: "{}", headers: { "Content-Type": "application/json", "Idempotency-Key": "x", "X-CSRF-Token": secret } }, "/api/v1/parties/alice/suspend");
      await attempt("changeBlind", { method: "POST", body: "{}", mode: "no-cors" }, "/api/v1/parties/alice/suspend");
      tried.events = await new Promise((done) => {
        const events = new EventSource(`${to}/api/v1/events`, { withCredentials: true });
        events.onerror = () => { events.close(); done("refused"); };
        events.onopen = () => { events.close(); done("open"); };
      });
      return tried;
    }, [origin, token]);
    assert.deepEqual([read.read, read.readBlind, read.change, read.events], ["refused", "refused", "refused", "refused"], host);
    assert.doesNotMatch(read.changeBlind, /alice/);
    const blocked = [];
    page.on("requestfailed", (request) => blocked.push(new URL(request.url()).pathname));
    await page.goto(`${there}/parts`);
    await page.waitForLoadState("networkidle");
    assert.ok(blocked.includes(settings.script), `${host}: its parts are read elsewhere: ${blocked}`);
  }

  // A name of somebody else's that leads to the same address, for whoever clicks every warning away.
  const rebound = await watched(browser, { ignoreHTTPSErrors: true });
  const page = await rebound.context.newPage();
  const answer = await page.goto(`https://evil.test:${port}/parties/alice`).catch((error) => String(error));
  told.rebound = typeof answer === "string" ? answer : [answer.status(), await page.locator("body").innerText()];
  server.close();
  return told;
});
