// A message to DOM nodes: its author, its blocks, its buttons and what pressing them does.

import { ask, EYE, h, icon, post, tell, trouble, WARNING } from "./dom.js";
import { clock, emoji, isWebAddress, link, mention, mrkdwn, plain } from "./mrkdwn.js";

export function messageNode(message, view) {
  const author = view.users[message.user] ?? { name: message.user };
  const seconds = Number(message.ts);
  const id = `by-${message.ts}`;
  const name = h("span", { class: "author", id }, author.name);
  const time = h("time", { datetime: new Date(seconds * 1000).toISOString() }, clock(seconds));
  const body = message.blocks.length
    ? message.blocks.map((block) => blockNode(block, message, view))
    : [h("div", { class: "text" }, mrkdwn(message.text, view))];
  return h(
    "article",
    { class: message.ephemeral ? "message ephemeral" : "message", "aria-labelledby": id, "data-ts": message.ts },
    h("div", { class: `avatar ${author.app ? "app" : `tone-${tone(message.user)}`}`, "aria-hidden": "true" }, initials(author.name)),
    h(
      "div",
      { class: "body" },
      message.ephemeral ? h("p", { class: "only-you" }, icon(EYE), "Only visible to you") : null,
      h("div", { class: "by" }, name, author.app ? h("span", { class: "badge" }, "APP") : null, time),
      body,
    ),
  );
}

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase();
}

function tone(id) {
  return [...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 4;
}

function blockNode(block, message, view) {
  const make = BLOCKS[block.type];
  if (make) return make(block, message, view);
  return h("p", { class: "note" }, `(This page cannot show a block of type ${block.type}.)`);
}

const BLOCKS = {
  section(block, message, view) {
    const text = block.text ? h("div", { class: "text" }, textOf(block.text, view)) : null;
    const fields = (block.fields ?? []).map((field) => h("div", { class: "text" }, textOf(field, view)));
    const words = h("div", { class: "words" }, text, fields.length ? h("div", { class: "fields" }, fields) : null);
    const more = block.accessory ? elementNode(block.accessory, block, message, view) : null;
    return h("div", { class: "section" }, words, more);
  },
  header: (block) => h("h3", { class: "header" }, plain(block.text.text)),
  divider: () => h("hr"),
  context: (block, message, view) =>
    h("div", { class: "context" }, block.elements.map((element) => h("span", {}, contextOf(element, view)))),
  actions: (block, message, view) =>
    h("div", { class: "actions" }, block.elements.map((element) => elementNode(element, block, message, view))),
  rich_text: (block, message, view) => h("div", { class: "rich" }, block.elements.map((part) => richGroup(part, view))),
};

function textOf(text, view) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, view) : plain(text.text);
}

function contextOf(element, view) {
  return element.type === "image" ? `(${element.alt_text ?? "image"})` : textOf(element, view);
}

function elementNode(element, block, message, view) {
  if (element.type !== "button") return h("span", { class: "note" }, `(${element.type})`);
  return h("span", { class: "with-sign" }, buttonNode(element, block, message, view));
}

function buttonNode(element, block, message, view) {
  const attributes = { class: `button ${element.style ?? ""}`.trim(), "aria-label": element.accessibility_label };
  const press = (event) => pressed(event.currentTarget, element, block, message, view);
  if (element.url && isWebAddress(element.url) && !element.confirm) {
    const target = { href: element.url, target: "_blank", rel: "noopener noreferrer" };
    return h("a", { ...attributes, ...target, onclick: press }, plain(element.text.text));
  }
  return h("button", { ...attributes, type: "button", onclick: press }, plain(element.text.text));
}

async function pressed(node, element, block, message, view) {
  if (node.getAttribute("aria-busy") === "true") return;
  if (element.confirm && !(await confirmed(element.confirm, view))) return;
  if (element.confirm && element.url && isWebAddress(element.url)) window.open(element.url, "_blank", "noopener");
  node.parentNode.querySelector(".sign")?.remove();
  node.setAttribute("aria-busy", "true");
  try {
    const ids = { action_id: element.action_id, block_id: block.block_id };
    const answer = await post("press", { as: view.me, ts: message.ts, ...ids });
    if (!answer.acked) node.parentNode.append(h("span", { class: "sign" }, icon(WARNING, "The app did not answer.")));
    if (!answer.acked) tell("The app did not answer.");
  } catch (error) {
    trouble(error.message);
  } finally {
    node.removeAttribute("aria-busy");
  }
}

function confirmed(confirm, view) {
  return ask({
    title: plain(confirm.title.text),
    text: h("span", {}, textOf(confirm.text, view)),
    confirm: plain(confirm.confirm.text),
    deny: plain(confirm.deny.text),
    danger: confirm.style === "danger",
  });
}

function richGroup(group, view) {
  const leaves = () => group.elements.map((leaf) => richLeaf(leaf, view));
  if (group.type === "rich_text_preformatted") return preformatted(group);
  if (group.type === "rich_text_quote") return h("blockquote", {}, leaves());
  if (group.type === "rich_text_list") {
    const items = group.elements.map((item) => h("li", {}, richGroup(item, view)));
    return h(group.style === "ordered" ? "ol" : "ul", {}, items);
  }
  return h("div", { class: "text" }, leaves());
}

function preformatted(group) {
  const text = group.elements.map((leaf) => leaf.text ?? leaf.url ?? "").join("");
  const pre = h("pre", {}, text);
  const copy = h("button", { type: "button", class: "button copy", onclick: () => copied(copy, pre) }, "Copy");
  return h("div", { class: "pre" }, pre, copy);
}

async function copied(button, pre) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch {
    getSelection().selectAllChildren(pre);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  tell("Copied");
  setTimeout(() => (button.textContent = "Copy"), 2000);
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
