// The rich_text block: paragraphs, lists, quotes, and preformatted text. Slack's desktop app shows an icon that copies
// such a text under the pointer; its phone apps show none.

import { h } from "../ui/element.js";
import { CHECK, COPY, icon } from "../ui/icons.js";
import { announce } from "../ui/status-messages.js";
import { broadcastMention, isWebAddress, link, userMention } from "./inline.js";
import { emoji } from "./plain-text.js";

const COPIED_MS = 2000;
const STYLE_TAGS = { bold: "strong", italic: "em", strike: "s", code: "code" };

export function richText(block, surface, workspace) {
  return h("div", { class: "rich-text" }, block.elements.map((element) => sectionNode(element, surface, workspace)));
}

function sectionNode(section, surface, workspace) {
  const children = () => section.elements.map((element) => inlineNode(element, workspace));
  if (section.type === "rich_text_preformatted") return preformatted(section, surface);
  if (section.type === "rich_text_quote") return h("blockquote", {}, children());
  if (section.type === "rich_text_list") {
    const items = section.elements.map((item) => h("li", {}, sectionNode(item, surface, workspace)));
    return h(section.style === "ordered" ? "ol" : "ul", {}, items);
  }
  return h("div", { class: "text" }, children());
}

function preformatted(section, { subject }) {
  const text = section.elements.map((element) => element.text ?? element.url ?? "").join("");
  const pre = h("pre", {}, text);
  const button = h("button", { type: "button", class: "icon-button copy", onclick: () => copy(pre, button, subject) });
  showCopy(button, COPY, "Copy", subject);
  return h("div", { class: "preformatted" }, pre, button);
}

function showCopy(button, iconPath, words, subject) {
  button.replaceChildren(icon(iconPath));
  button.title = words;
  button.setAttribute("aria-label", subject ? `${words}, ${subject}` : words);
}

async function copy(pre, button, subject) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch {
    // The page has no permission for the clipboard: the older command needs none, only a selection.
    getSelection().selectAllChildren(pre);
    document.execCommand("copy");
  }
  showCopy(button, CHECK, "Copied", subject);
  announce("Copied");
  setTimeout(() => showCopy(button, COPY, "Copy", subject), COPIED_MS);
}

function inlineNode(element, workspace) {
  if (element.type === "link") return isWebAddress(element.url) ? link(element.url, element.text ?? element.url) : element.url;
  if (element.type === "user") return userMention(element.user_id, undefined, workspace);
  if (element.type === "emoji") return emoji(element.name);
  if (element.type === "broadcast") return broadcastMention(element.range);
  if (element.type !== "text") return element.fallback ?? `(${element.type})`;
  let node = document.createTextNode(element.text);
  for (const [style, tag] of Object.entries(STYLE_TAGS)) if (element.style?.[style]) node = h(tag, {}, node);
  return node;
}
