// Buttons that copy, and a word while a look takes its time. Everything else works without this.
"use strict";

const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

function text(place) {
  if (!place.classList.contains("finding")) return place.querySelector("code").textContent;
  const lines = ["h3", ".place", ".remedy"].map((part) => place.querySelector(part));
  const all = lines.filter(Boolean).map((line) => line.textContent.replace(/^What to do/, "What to do: "));
  place.querySelectorAll("dt").forEach((name) => {
    all.push(name.textContent + ": " + name.nextElementSibling.textContent);
  });
  return all.join("\n") + "\n";
}

async function copy(what) {
  if (navigator.clipboard) return navigator.clipboard.writeText(what);
  // Without TLS there is no clipboard but the old one.
  const area = document.createElement("textarea");
  area.value = what;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("no clipboard");
}

function label(button, word) {
  button.textContent = word;
  said.textContent = word;
  setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
}

document.querySelectorAll(".code, article.finding").forEach((place) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const title = place.querySelector("h3, pre");
  button.setAttribute("aria-label", "Copy: " + (title.getAttribute("aria-label") || title.textContent));
  button.addEventListener("click", () => {
    copy(text(place)).then(() => label(button, "Copied"), () => label(button, "Not copied"));
  });
  place.append(button);
});

const form = document.querySelector("form.ask");
const send = form && form.querySelector("button");
if (send) {
  const word = send.textContent;
  form.addEventListener("submit", () => {
    send.textContent = send.dataset.busy;
    send.setAttribute("aria-disabled", "true");
    said.textContent = "The host is being looked at; one that does not answer takes 15 seconds.";
  });
  // Back from the next page: it can be sent again.
  window.addEventListener("pageshow", () => {
    send.textContent = word;
    send.removeAttribute("aria-disabled");
  });
}
