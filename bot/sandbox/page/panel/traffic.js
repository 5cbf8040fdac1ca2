// The table of requests between the bot and the sandbox's servers, the newest first.

import { byId, h } from "../ui/element.js";

const MAX_ROWS = 500;
const NAMES = { genesys: "Genesys", slack: "Slack" };
const SUCCESS_NOTES = ["ok", "acknowledged", "", undefined, null];

const rowsOf = () => byId("traffic").tBodies[0];

export function showTraffic(entries) {
  rowsOf().replaceChildren(...entries.map(row).reverse());
  showOrHide();
}

export function addTraffic(entry) {
  const body = rowsOf();
  body.prepend(row(entry));
  while (body.rows.length > MAX_ROWS) body.lastElementChild.remove();
  showOrHide();
}

function showOrHide() {
  const isEmpty = rowsOf().rows.length === 0;
  byId("traffic").hidden = isEmpty;
  byId("traffic-empty").hidden = !isEmpty;
}

function row(entry) {
  const summary = entry.operation ?? [entry.method, entry.path].filter(Boolean).join(" ");
  const time = new Date(entry.at * 1000).toLocaleTimeString(undefined, { hour12: false });
  const route = `${time}  ${nameOf(entry.from)} → ${nameOf(entry.to)}`;
  return h(
    "tr",
    { class: hasFailed(entry) ? "failed" : "" },
    h("td", {}, h("span", { class: "route" }, route), h("span", { class: "summary" }, summary)),
    h("td", {}, h("span", { class: "response" }, responseOf(entry)), entry.note ? h("span", { class: "route" }, entry.note) : null),
  );
}

function responseOf({ status, ms }) {
  const duration = typeof ms === "number" ? `${Math.round(ms)} ms` : "";
  return [status ?? null, duration].filter((part) => part !== null && part !== "").join(" · ");
}

const nameOf = (side) => NAMES[side] ?? side;

// Slack refuses with status 200 and an error in the body, which is the note. Without a status there was no response.
function hasFailed({ status, note, from, to }) {
  if (typeof status === "number" && status >= 400) return true;
  const isSlack = [nameOf(from), nameOf(to)].includes("Slack");
  return !SUCCESS_NOTES.includes(note) && (typeof status !== "number" || isSlack);
}
