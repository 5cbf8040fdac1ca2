// Slack's mrkdwn to DOM nodes: https://docs.slack.dev/messaging/formatting-message-text

import { h } from "../ui/element.js";
import { dateReference } from "./dates.js";
import { broadcastMention, channelMention, isWebAddress, link, userMention } from "./inline.js";
import { emoji, unescapeText } from "./plain-text.js";

// Code, reference, bold, italic, strike, emoji, bare URL: `inlineNode` takes the groups in this order.
const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "<([^<>\\n]+)>",
    "(?<![\\w*])\\*(?=\\S)([^*\\n]*?\\S)\\*(?![\\w*])",
    "(?<![\\w_])_(?=\\S)([^_\\n]*?\\S)_(?![\\w_])",
    "(?<![\\w~])~(?=\\S)([^~\\n]*?\\S)~(?![\\w~])",
    ":([a-z0-9_+-]+):",
    "(https?://[^\\s<>]+)",
  ].join("|"),
  "g",
);

export function mrkdwn(text, workspace) {
  const parts = text.split(/```\n?([\s\S]+?)\n?```/);
  return parts.flatMap((part, index) => {
    if (index % 2) return [h("pre", {}, unescapeText(part))]; // split() puts what its group has found at odd places
    return part ? quotesAndText(part, workspace) : [];
  });
}

function quotesAndText(text, workspace) {
  const nodes = [];
  for (const run of text.split(/((?:^(?:&gt;|>) ?.*(?:\n|$))+)/m)) {
    if (/^(&gt;|>)/.test(run)) {
      nodes.push(h("blockquote", {}, inlineNodes(run.replace(/^(&gt;|>) ?/gm, "").trimEnd(), workspace)));
    } else if (run) nodes.push(...inlineNodes(run, workspace));
  }
  return nodes;
}

function inlineNodes(text, workspace) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(unescapeText(text.slice(end, match.index)));
    nodes.push(inlineNode(match, workspace));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(unescapeText(text.slice(end)));
  return nodes;
}

function inlineNode([, code, reference, bold, italic, strike, emojiName, url], workspace) {
  if (code) return h("code", {}, unescapeText(code));
  if (reference) return referenceNode(reference, workspace);
  if (bold) return h("strong", {}, inlineNodes(bold, workspace));
  if (italic) return h("em", {}, inlineNodes(italic, workspace));
  if (strike) return h("s", {}, inlineNodes(strike, workspace));
  if (emojiName) return emoji(emojiName);
  return link(unescapeText(url), unescapeText(url));
}

// What stands in angle brackets: a user, a channel, a date, a broadcast or a URL, perhaps with a label after a bar.
function referenceNode(reference, workspace) {
  const bar = reference.indexOf("|");
  const target = bar < 0 ? reference : reference.slice(0, bar);
  const label = bar < 0 ? undefined : unescapeText(reference.slice(bar + 1));
  if (target.startsWith("@")) return userMention(target.slice(1), label, workspace);
  if (target.startsWith("#")) return channelMention(target.slice(1), label, workspace);
  if (target.startsWith("!date^")) return dateReference(target, label);
  if (target.startsWith("!")) return broadcastMention(label ?? target.slice(1).split("^")[0]);
  const url = unescapeText(target);
  return isWebAddress(url) ? link(url, label ?? url) : unescapeText(`<${reference}>`);
}
