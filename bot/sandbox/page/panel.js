// The panel at the right: how the session service shall behave, and what the bot and the servers send each other.

import { h, post, tell, trouble } from "./dom.js";

const MOST_ROWS = 500;
const NAMES = { genesys: "Genesys", slack: "Slack" };
const byId = (id) => document.getElementById(id);

export function showFaults(faults, chosen) {
  const options = faults.map(({ name, sentence }) => h("option", { value: name, "data-sentence": sentence }, `${name}: ${sentence}`));
  byId("fault").replaceChildren(h("option", { value: "" }, "works normally"), ...options);
  showFault(chosen);
}

export function showFault(chosen) {
  const select = byId("fault");
  select.value = chosen ?? "";
  select.classList.toggle("on", Boolean(chosen));
  byId("fault-note").classList.toggle("on", Boolean(chosen));
  const sentence = select.selectedOptions[0]?.dataset.sentence ?? chosen;
  byId("fault-note").textContent = chosen ? `On now: ${sentence.replace(/\.$/, "")}.` : "Choose a fault to see what people are told.";
}

export function showOutbox(url) {
  byId("outbox").hidden = !url;
  if (url) byId("outbox").href = url;
}

export function showTalk(talk) {
  byId("talk").hidden = !talk;
  if (!talk) return;
  byId("conversations").replaceChildren(...talk.choices.map((name) => h("option", { value: name }, name)));
  byId("conversations").value = talk.chosen;
}

export function listenToTalk() {
  byId("conversations").addEventListener("change", async (event) => {
    try {
      await post("talk", { name: event.target.value });
    } catch (error) {
      trouble(error.message);
    }
  });
}

export function listenToFaults() {
  byId("fault").addEventListener("change", async (event) => {
    try {
      await post("fault", { name: event.target.value || null });
    } catch (error) {
      trouble(error.message);
    }
  });
}

export function showTraffic(entries) {
  byId("traffic").tBodies[0].replaceChildren(...entries.map(row).reverse());
  settle();
}

export function addTraffic(entry) {
  const body = byId("traffic").tBodies[0];
  body.prepend(row(entry));
  while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
  settle();
}

function settle() {
  const isEmpty = byId("traffic").tBodies[0].rows.length === 0;
  byId("traffic").hidden = isEmpty;
  byId("traffic-empty").hidden = !isEmpty;
}

function row(entry) {
  const what = entry.what ?? [entry.method, entry.path].filter(Boolean).join(" ");
  const when = new Date(entry.at * 1000).toLocaleTimeString(undefined, { hour12: false });
  const took = typeof entry.ms === "number" ? `${Math.round(entry.ms)} ms` : "";
  const answer = [entry.status ?? null, took].filter((part) => part !== null && part !== "").join(" · ");
  return h(
    "tr",
    { class: hasFailed(entry) ? "failed" : "" },
    h("td", {}, h("span", { class: "route" }, `${when}  ${nameOf(entry.from)} → ${nameOf(entry.to)}`), h("span", { class: "what" }, what)),
    h("td", {}, h("span", { class: "answer" }, answer), entry.note ? h("span", { class: "route" }, entry.note) : null),
  );
}

const nameOf = (side) => NAMES[side] ?? side;

// Slack answers 200 to what it refuses, so there the note tells; without a status nothing came back.
function hasFailed({ status, note, from, to }) {
  const isFine = ["ok", "acknowledged", "", undefined, null].includes(note);
  if (typeof status === "number" && status >= 400) return true;
  return !isFine && (typeof status !== "number" || [nameOf(from), nameOf(to)].includes("Slack"));
}

// A part of the page that a narrow window hides behind a button.
export function drawer(button, part) {
  const set = (isOpen) => {
    part.classList.toggle("open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) tell(`${button.textContent} shown`);
  };
  button.addEventListener("click", () => set(!part.classList.contains("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !part.classList.contains("open") || event.defaultPrevented) return;
    set(false);
    button.focus();
  });
  return () => set(false);
}
