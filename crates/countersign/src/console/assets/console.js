// What is better with a script: buttons that copy, lists that follow what happens, times of the visitor's own zone, and how
// much goes on. Every page reads, and every form is sent, without it.
"use strict";

const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

function say(button, word) {
  button.dataset.said = word;
  said.textContent = word;
  setTimeout(() => { delete button.dataset.said; said.textContent = ""; }, 2000);
}

function dress(root) {
  root.querySelectorAll(".code").forEach((place) => {
    if (place.querySelector(".copy")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-label", "Copy: " + place.querySelector("pre").getAttribute("aria-label"));
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(place.querySelector("code").textContent).then(() => say(button, "\u2713"), () => say(button, "\u2717"));
    });
    place.append(button);
  });
  // A file is read here and put into the field as text: what is sent is what is seen.
  root.querySelectorAll("textarea[data-file]").forEach((area) => {
    const label = document.createElement("label");
    const choose = document.createElement("input");
    choose.type = "file";
    const wrong = document.createElement("span");
    wrong.className = "wrong";
    wrong.setAttribute("role", "status");
    label.append(area.dataset.file + " ", choose);
    choose.addEventListener("change", async () => {
      const file = choose.files[0];
      wrong.textContent = file && file.size > 200000 ? area.dataset.large : "";
      if (!file || wrong.textContent) return;
      const bytes = new Uint8Array(await file.arrayBuffer());
      const text = new TextDecoder().decode(bytes);
      if (!text.includes("-----BEGIN")) {
        const der = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replace(/.{64}/g, "$&\n").trim();
        area.value = `-----BEGIN ${area.dataset.block}-----\n${der}\n-----END ${area.dataset.block}-----\n`;
        return;
      }
      // A key is not sent anywhere.
      const open = text.replace(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^]*?(-----END [A-Z0-9 ]*PRIVATE KEY-----\s*|$)/g, "");
      if (open.includes("-----BEGIN")) area.value = open;
      else wrong.textContent = area.dataset.key;
    });
    area.after(label, wrong);
  });
  const own = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" });
  root.querySelectorAll("time").forEach((time) => { time.title = own.format(new Date(time.dateTime)); });
}
dress(document);

// Parts that follow: asked for again when something happens that they are about, unless somebody works in them.
const live = Array.from(document.querySelectorAll("[data-live]"));
// Milliseconds in which more of the same may come before it is asked. Somebody who knocks may be at the telephone.
const WAITS = { pending: 100, log: 400 };

async function refresh(kinds, isOpening) {
  // What follows a form has the form's address, under which nothing is read.
  const page = document.querySelector(".top nav a[aria-current]");
  const here = page && new URL(page.href).pathname !== location.pathname ? page.href : location.href;
  const answer = await fetch(here, { credentials: "same-origin" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const count = [fresh, document].map((page) => page.querySelector(".top nav"));
  const differs = (one, other) => !isOpening || one.textContent !== other.textContent;
  if (count[0] && count[1] && differs(...count) && !count[1].contains(document.activeElement)) count[1].replaceWith(count[0]);
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!next) continue;
    // How much goes on is counted here, below.
    next.querySelectorAll(".rate").forEach((one, at) => { one.replaceWith(part.querySelectorAll(".rate")[at].cloneNode(true)); });
    const busy = part.contains(document.activeElement) || part.querySelector("details[open]");
    if (!busy && differs(next, part) && part.dataset.on.split(" ").some((kind) => kinds.has(kind))) {
      part.replaceWith(next);
      dress(next);
    }
  }
}

if (live.length > 0) {
  const events = new EventSource("/api/v1/events");
  const kinds = new Set();
  let due = Infinity;
  let timer;
  const ask = () => {
    due = Infinity;
    const now = new Set(kinds);
    kinds.clear();
    refresh(now, false).catch(() => {});
  };
  // Who waits is counted at the head of each page.
  const about = new Set(["pending", ...live.flatMap((part) => part.dataset.on.split(" "))]);
  for (const [kind, wait] of Object.entries(WAITS)) {
    if (about.has(kind)) events.addEventListener(kind, () => {
      kinds.add(kind);
      if (performance.now() + wait >= due) return;
      due = performance.now() + wait;
      clearTimeout(timer);
      timer = setTimeout(ask, wait);
    });
  }
  // What came after the page was made and before this began to listen, also where it was cut off for a while.
  events.addEventListener("open", () => { refresh(about, true).catch(() => {}); });
}

// Requests a second and open connections, from the metrics of this address.
const rate = document.getElementById("rate");
if (rate) {
  let before = null;
  const sum = (text, name) => text.split("\n").filter((line) => line.startsWith(name + "{") || line.startsWith(name + " "))
    .reduce((all, line) => all + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  const look = async () => {
    const answer = await fetch("/metrics", { credentials: "same-origin" });
    if (!answer.ok) return;
    const text = await answer.text();
    const now = { at: performance.now(), count: sum(text, "countersign_requests_total") };
    const [rate, open] = ["rate", "open"].map((id) => document.getElementById(id));
    open.textContent = String(sum(text, "countersign_open_connections"));
    if (before) rate.textContent = ((now.count - before.count) * 1000 / (now.at - before.at)).toFixed(1);
    open.parentElement.hidden = false;
    rate.parentElement.hidden = !before;
    before = now;
  };
  look().catch(() => {});
  setInterval(() => { look().catch(() => {}); }, 5000);
}
