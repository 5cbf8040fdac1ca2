// Block Kit to DOM nodes, for every surface: a message, a modal or the Home tab.
//
// A surface has `sendAction(action)`, which tells the server what the person clicks or chooses; `state`, the InputState of
// its inputs; `errors`, by block_id; and `subject`, which goes into the names of its buttons. A surface without a subject
// takes the last text before a button instead.

import { h } from "../ui/element.js";
import { textNodes } from "./composition-objects.js";
import { elementNode } from "./elements.js";
import { inputNode } from "./inputs.js";
import { subjectOf } from "./labels.js";
import { plainText } from "./plain-text.js";
import { richText } from "./rich-text.js";

const BLOCKS = {
  section(block, surface, workspace) {
    const text = block.text ? h("div", { class: "text" }, textNodes(block.text, workspace)) : null;
    const fields = (block.fields ?? []).map((field) => h("div", { class: "text" }, textNodes(field, workspace)));
    const body = h("div", { class: "section-body" }, text, fields.length ? h("div", { class: "fields" }, fields) : null);
    const accessory = block.accessory ? elementNode(block.accessory, block, surface, workspace) : null;
    return h("div", { class: "section" }, body, accessory);
  },
  header: (block) => h("h3", { class: "header" }, plainText(block.text.text)),
  divider: () => h("hr"),
  context: (block, surface, workspace) =>
    h("div", { class: "context" }, block.elements.map((element) => h("span", {}, contextNodes(element, workspace)))),
  actions: (block, surface, workspace) =>
    h("div", { class: "actions" }, block.elements.map((element) => elementNode(element, block, surface, workspace))),
  input: inputNode,
  rich_text: richText,
};

export function blockNodes(blocks, surface, workspace) {
  let subject = surface.subject;
  return blocks.flatMap((block) => {
    const render = BLOCKS[block.type];
    if (!render) return h("p", { class: "note" }, `(This page cannot show a block of type ${block.type}.)`);
    const own = block.text ? subjectOf([block]) : "";
    if (own && !surface.subject) subject = own;
    return render(block, { ...surface, subject: block.accessory ? own || subject : subject }, workspace);
  });
}

function contextNodes(element, workspace) {
  return element.type === "image" ? `(${element.alt_text ?? "image"})` : textNodes(element, workspace);
}
