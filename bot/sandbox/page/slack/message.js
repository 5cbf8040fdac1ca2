// A message to a DOM node: its author, its blocks, and the menu of shortcuts.

import { post } from "../api.js";
import { blockNodes } from "../blocks/blocks.js";
import { formatTime } from "../blocks/dates.js";
import { subjectOf } from "../blocks/labels.js";
import { mrkdwn } from "../blocks/mrkdwn.js";
import { h } from "../ui/element.js";
import { EYE, icon } from "../ui/icons.js";
import { messageShortcuts } from "./shortcuts.js";

const AVATAR_COLORS = 4; // message.css has as many

export function messageNode(message, workspace) {
  const author = workspace.users[message.user] ?? { name: message.user };
  const authorId = `author-${message.ts}`;
  const seconds = Number(message.ts);
  const time = formatTime(seconds);
  return h(
    "article",
    { class: `message${message.ephemeral ? " ephemeral" : ""}${message.thread ? " reply" : ""}`, "aria-labelledby": authorId, "data-ts": message.ts, "data-thread": message.thread, tabindex: "-1" },
    avatar(author, message.user),
    h(
      "div",
      { class: "body" },
      message.ephemeral ? h("p", { class: "visibility" }, icon(EYE), "Only visible to you") : null,
      message.thread ? h("p", { class: "visibility" }, "Reply in this thread") : null,
      h(
        "div",
        { class: "byline" },
        h("span", { class: "author", id: authorId }, author.name),
        author.app ? h("span", { class: "badge" }, "APP") : null,
        h("time", { datetime: new Date(seconds * 1000).toISOString() }, time),
      ),
      content(message, workspace),
    ),
    messageShortcuts(message, `${author.name}, ${time}`, workspace),
  );
}

function content(message, workspace) {
  if (!message.blocks.length) return h("div", { class: "text" }, mrkdwn(message.text, workspace));
  const sendAction = (action) => post("press", { as: workspace.me, ts: message.ts, ...action });
  const surface = { sendAction, state: workspace.inputsOf(message), subject: subjectOf(message.blocks) };
  return blockNodes(message.blocks, surface, workspace);
}

function avatar(author, userId) {
  const color = author.app ? "app" : `color-${colorOf(userId)}`;
  return h("div", { class: `avatar ${color}`, "aria-hidden": "true" }, initials(author.name));
}

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase();
}

// The same person has the same color on every page.
function colorOf(userId) {
  return [...userId].reduce((sum, character) => sum + character.charCodeAt(0), 0) % AVATAR_COLORS;
}
