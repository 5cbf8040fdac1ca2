// Inline nodes that mrkdwn and rich text have in common: links and mentions.

import { h } from "../ui/element.js";

export function isWebAddress(url) {
  return /^(https?:\/\/|mailto:)/i.test(url);
}

export function link(url, label) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

export function userMention(id, label, workspace) {
  const name = workspace.users[id]?.name ?? label ?? id;
  return h("span", { class: id === workspace.me ? "mention me" : "mention" }, `@${name}`);
}

export function channelMention(id, label, workspace) {
  return h("span", { class: "mention" }, `#${label ?? workspace.channelName(id)}`);
}

// @here, @channel and @everyone mention the reader, too.
export function broadcastMention(range) {
  return h("span", { class: "mention me" }, `@${range}`);
}
