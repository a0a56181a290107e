// Drives headless Chromium on an invite's page, as a visitor would: node invite_page.mjs SETTINGS, which is JSON with
// `url`, `home`, `profile`, `downloads` and `steps`. Prints JSON: what each step gave, every address that was asked for,
// and what the browser complained of.
import { spawn } from "node:child_process";

const settings = JSON.parse(process.argv[2]);
const browser = spawn(
  "chromium",
  [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-pipe", `--user-data-dir=${settings.profile}`,
    ...(settings.arguments ?? []), "about:blank",
  ],
  { env: { ...process.env, HOME: settings.home }, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);
const [to, from] = [browser.stdio[3], browser.stdio[4]];
const waiting = new Map();
const [addresses, complaints] = [[], []];
let last = 0;
let rest = Buffer.alloc(0);
from.on("data", (data) => {
  rest = Buffer.concat([rest, data]);
  for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
    const message = JSON.parse(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
    if (message.id !== undefined) {
      const { done, failed } = waiting.get(message.id);
      waiting.delete(message.id);
      message.error ? failed(new Error(message.error.message)) : done(message.result);
    }
    if (message.method === "Network.requestWillBeSent") addresses.push(message.params.request.url + (message.params.request.urlFragment ?? ""));
    if (message.method === "Log.entryAdded") complaints.push(message.params.entry.text);
    if (message.method === "Runtime.exceptionThrown") complaints.push(message.params.exceptionDetails.text);
  }
});

function ask(method, params = {}, sessionId = undefined) {
  last += 1;
  const id = last;
  to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((done, failed) => waiting.set(id, { done, failed }));
}

async function run() {
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => ask(method, params, sessionId);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  };
  for (const domain of ["Page", "Network", "Log", "Runtime"]) await page(`${domain}.enable`);
  await ask("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: settings.downloads });
  if (settings.language) await page("Network.setExtraHTTPHeaders", { headers: { "Accept-Language": settings.language } });
  await page("Page.navigate", { url: settings.url });
  const given = [];
  for (const step of settings.steps) {
    if (step.until) {
      const end = Date.now() + 30000;
      while (!(await evaluate(`Boolean(${step.until})`).catch(() => false))) {
        if (Date.now() > end) throw new Error(`never: ${step.until}; ${await evaluate("document.body.innerText")}`);
        await new Promise((done) => setTimeout(done, 50));
      }
    } else {
      given.push(await evaluate(step.get));
    }
  }
  return { given, addresses, complaints };
}

let code = 0;
try {
  console.log(JSON.stringify(await run()));
} catch (error) {
  console.error(String(error));
  code = 1;
}
const ended = new Promise((done) => browser.on("exit", done));
browser.kill();
await ended;
process.exit(code);
