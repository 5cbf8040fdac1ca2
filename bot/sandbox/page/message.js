// A message to DOM nodes: its author, its blocks, and the menu of what the app does with a message.

import { blockNodes, subjectOf } from "./blocks.js";
import { DOTS, EYE, h, icon, post, trouble } from "./dom.js";
import { menuButton } from "./menu.js";
import { clock, mrkdwn } from "./mrkdwn.js";

export function messageNode(message, view) {
  const author = view.users[message.user] ?? { name: message.user };
  const seconds = Number(message.ts);
  const id = `by-${message.ts}`;
  const name = h("span", { class: "author", id }, author.name);
  const time = h("time", { datetime: new Date(seconds * 1000).toISOString() }, clock(seconds));
  const subject = subjectOf(message.blocks);
  const press = (what) => post("press", { as: view.me, ts: message.ts, ...what });
  const body = message.blocks.length
    ? blockNodes(message.blocks, { press, subject }, view)
    : [h("div", { class: "text" }, mrkdwn(message.text, view))];
  return h(
    "article",
    { class: message.ephemeral ? "message ephemeral" : "message", "aria-labelledby": id, "data-ts": message.ts, tabindex: "-1" },
    h("div", { class: `avatar ${author.app ? "app" : `tone-${tone(message.user)}`}`, "aria-hidden": "true" }, initials(author.name)),
    h(
      "div",
      { class: "body" },
      message.ephemeral ? h("p", { class: "only-you" }, icon(EYE), "Only visible to you") : null,
      h("div", { class: "by" }, name, author.app ? h("span", { class: "badge" }, "APP") : null, time),
      body,
    ),
    message.ephemeral ? null : more(message, author.name, clock(seconds), view),
  );
}

// Slack has no shortcuts for ephemeral messages.
function more(message, author, time, view) {
  const rows = view.shortcuts.filter((shortcut) => shortcut.type === "message");
  if (!rows.length) return null;
  const label = `More actions for ${author}, ${time}`;
  const choose = ({ callback_id }) => useShortcut({ as: view.me, callback_id, ts: message.ts });
  return h("div", { class: "more" }, menuButton({ label, sign: DOTS, rows, choose }));
}

export async function useShortcut(what) {
  try {
    const { acked } = await post("shortcut", what);
    trouble(acked ? "" : "The app did not answer. Try again.");
  } catch (error) {
    trouble(error.message);
  }
}

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase();
}

function tone(id) {
  return [...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 4;
}
