// What the invite page does. The token stays behind the # of the address until it is sent in the one request that uses it
// up; the key is made here, and stays here.

import { certificates, makeKey, password, pkcs12, request } from "/invite/pkcs12.js";

const $ = (id) => document.getElementById(id);
const show = (element, on) => { element.hidden = !on; };
const token = location.hash.slice(1);
// The same request again is the same request: an answer that got lost is not a certificate that is lost.
const idempotencyKey = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
let made = null;

function tell(what) {
  for (const one of $("told").children) show(one, one.dataset.for === what);
  if (what !== null) $("told").scrollIntoView({ block: "nearest" });
}

function busy(on) {
  show($("working"), on);
  for (const button of [$("make"), $("bring")]) button.disabled = on;
}

// Brings a request; the answer, or null where it was refused, which is told.
async function enrol(csr) {
  const code = $("code").value.trim();
  let answer;
  try {
    answer = await fetch("/api/v1/enrolments", {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json", "Idempotency-Key": idempotencyKey },
      body: JSON.stringify(code === "" ? { csr } : { csr, code }),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
  } catch {
    tell("away");
    return null;
  }
  if (answer.status === 201) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  const by = { 400: "request", 401: "refused", 409: "refused", 415: "request", 422: "request", 429: "wait" };
  const what = problem.code === "code-wanted" || problem.code === "code-wrong" ? problem.code : by[answer.status] ?? "away";
  if (what.startsWith("code-")) {
    show($("code-field"), true);
    $("code").required = true;
    $("code").value = "";
    $("code").focus();
  }
  if (what === "refused") show($("start"), false);
  tell(what);
  return null;
}

function offer(link, bytes, type, name) {
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
}

function listed(sites) {
  for (const site of sites) {
    const url = new URL(site);
    if (url.protocol !== "https:") continue;
    const link = document.createElement("a");
    link.href = url.href;
    link.rel = "noreferrer";
    link.textContent = url.host;
    const item = document.createElement("li");
    item.append(link);
    $("sites").append(item);
  }
  show($("no-sites"), sites.length === 0);
  show($("some-sites"), sites.length > 0);
}

function finished(given, which) {
  // The link is used up: nobody who looks at the address later needs to wonder.
  history.replaceState(null, "", location.pathname);
  tell(null);
  listed(given.sites);
  show($("start"), false);
  show($("by-hand"), false);
  show($(which), true);
  show($("done"), true);
}

async function make() {
  made ??= await makeKey();
  const given = await enrol(await request(made));
  if (given === null) return;
  const secret = password();
  const file = await pkcs12(made, certificates(given.pem), given.party, secret);
  made = null;
  offer($("p12"), file, "application/x-pkcs12", `${given.party}.p12`);
  $("password").textContent = secret;
  finished(given, "with-key");
}

async function bring() {
  const given = await enrol($("csr").value);
  if (given === null) return;
  offer($("pem"), given.pem, "application/x-pem-file", `${given.party}.pem`);
  finished(given, "without-key");
}

async function working(work) {
  tell(null);
  busy(true);
  try {
    await work();
  } catch {
    tell("no-crypto");
  }
  busy(false);
}

// The visitor's own system, as far as its browser tells.
function system() {
  const agent = navigator.userAgent;
  if (/Android/.test(agent)) return "android";
  if (/iPhone|iPad/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1)) return "ios";
  if (/Firefox/.test(agent)) return "firefox";
  if (/Windows/.test(agent)) return "windows";
  if (/Macintosh/.test(agent)) return "macos";
  return "linux";
}

for (const one of document.querySelectorAll("details[data-system]")) one.open = one.dataset.system === system();
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  working(make);
});
$("bring").addEventListener("click", () => working(bring));
$("copy").addEventListener("click", () => navigator.clipboard.writeText($("password").textContent).catch(() => {}));
window.addEventListener("hashchange", () => location.reload());
if (!/^[0-9a-f]{32}$/.test(token)) {
  tell("no-token");
} else if (globalThis.crypto?.subtle === undefined) {
  tell("no-crypto");
  show($("start"), true);
} else {
  show($("start"), true);
}
