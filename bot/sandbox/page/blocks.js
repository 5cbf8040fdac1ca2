// Block Kit to DOM nodes, wherever the blocks stand: in a message, a modal or the Home tab.
//
// A surface says where that is: `press(what)` tells the server, `fields` holds what is filled in, `errors` what is wrong
// with it, `subject` is what it is about, which tells its buttons from others of the same name; where there is none, the
// text before them does.

import { elementNode, inputNode } from "./elements.js";
import { h, tell } from "./dom.js";
import { emoji, isWebAddress, link, mention, mrkdwn, plain } from "./mrkdwn.js";

export function blockNodes(blocks, surface, view) {
  let subject = surface.subject;
  return blocks.flatMap((block) => {
    const make = BLOCKS[block.type];
    if (!make) return h("p", { class: "note" }, `(This page cannot show a block of type ${block.type}.)`);
    const own = block.text ? subjectOf([block]) : "";
    if (own && !surface.subject) subject = own;
    return make(block, { ...surface, subject: block.accessory ? own || subject : subject }, view);
  });
}

// The first text of some blocks, on one line: what they are about.
export function subjectOf(blocks) {
  const text = blocks.map((block) => block.text?.text).find(Boolean) ?? "";
  const words = plain(text.replace(/<[^>|]*\|([^>]*)>/g, "$1")).replace(/[*_~`]/g, "");
  return words.split(/\s+/).join(" ").trim().slice(0, 120);
}

const BLOCKS = {
  section(block, surface, view) {
    const text = block.text ? h("div", { class: "text" }, textOf(block.text, view)) : null;
    const fields = (block.fields ?? []).map((field) => h("div", { class: "text" }, textOf(field, view)));
    const words = h("div", { class: "words" }, text, fields.length ? h("div", { class: "fields" }, fields) : null);
    const more = block.accessory ? elementNode(block.accessory, block, surface, view) : null;
    return h("div", { class: "section" }, words, more);
  },
  header: (block) => h("h3", { class: "header" }, plain(block.text.text)),
  divider: () => h("hr"),
  context: (block, surface, view) =>
    h("div", { class: "context" }, block.elements.map((element) => h("span", {}, contextOf(element, view)))),
  actions: (block, surface, view) =>
    h("div", { class: "actions" }, block.elements.map((element) => elementNode(element, block, surface, view))),
  input: (block, surface, view) => inputNode(block, surface, view),
  rich_text: (block, surface, view) =>
    h("div", { class: "rich" }, block.elements.map((part) => richGroup(part, surface, view))),
};

export function textOf(text, view) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, view) : plain(text.text);
}

function contextOf(element, view) {
  return element.type === "image" ? `(${element.alt_text ?? "image"})` : textOf(element, view);
}

function richGroup(group, surface, view) {
  const leaves = () => group.elements.map((leaf) => richLeaf(leaf, view));
  if (group.type === "rich_text_preformatted") return preformatted(group, surface);
  if (group.type === "rich_text_quote") return h("blockquote", {}, leaves());
  if (group.type === "rich_text_list") {
    const items = group.elements.map((item) => h("li", {}, richGroup(item, surface, view)));
    return h(group.style === "ordered" ? "ol" : "ul", {}, items);
  }
  return h("div", { class: "text" }, leaves());
}

function preformatted(group, surface) {
  const text = group.elements.map((leaf) => leaf.text ?? leaf.url ?? "").join("");
  const pre = h("pre", {}, text);
  const copy = h("button", { type: "button", class: "button copy", onclick: () => copied(copy, pre, surface) });
  name(copy, "Copy", surface);
  return h("div", { class: "pre" }, pre, copy);
}

// A button is heard as its own words and then what it is about.
export function name(button, words, surface) {
  button.textContent = words;
  if (surface.subject) button.setAttribute("aria-label", `${words}, ${surface.subject}`);
}

async function copied(button, pre, surface) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch {
    getSelection().selectAllChildren(pre);
    document.execCommand("copy");
  }
  name(button, "Copied", surface);
  tell("Copied");
  setTimeout(() => name(button, "Copy", surface), 2000);
}

function richLeaf(leaf, view) {
  if (leaf.type === "link") return isWebAddress(leaf.url) ? link(leaf.url, leaf.text ?? leaf.url) : leaf.url;
  if (leaf.type === "user") return mention(leaf.user_id, undefined, view);
  if (leaf.type === "emoji") return emoji(leaf.name);
  if (leaf.type === "broadcast") return h("span", { class: "mention me" }, `@${leaf.range}`);
  if (leaf.type !== "text") return leaf.fallback ?? `(${leaf.type})`;
  let node = document.createTextNode(leaf.text);
  const looks = { bold: "strong", italic: "em", strike: "s", code: "code" };
  for (const [style, tag] of Object.entries(looks)) if (leaf.style?.[style]) node = h(tag, {}, node);
  return node;
}
