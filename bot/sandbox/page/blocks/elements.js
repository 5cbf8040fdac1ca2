// Interactive elements in a section or an actions block: buttons, links, overflow menus, and selects and choices that send
// an action at once.

import { h } from "../ui/element.js";
import { ELLIPSIS } from "../ui/icons.js";
import { menuButton } from "../ui/menu-button.js";
import { controlNode } from "./controls.js";
import { isWebAddress } from "./inline.js";
import { change, choose, click } from "./interactions.js";
import { labelButton } from "./labels.js";
import { plainText } from "./plain-text.js";

const CONTROLS = new Set(["users_select", "static_select", "radio_buttons", "checkboxes"]);

export function elementNode(element, block, surface, workspace) {
  const ids = { "data-action": element.action_id, "data-block": block.block_id };
  if (element.type === "button") return h("span", { class: "element" }, buttonNode(element, block, ids, surface, workspace));
  if (element.type === "overflow") return h("span", { class: "element" }, overflowNode(element, block, ids, surface, workspace));
  if (!CONTROLS.has(element.type)) return h("span", { class: "note" }, `(${element.type})`);
  const placeholder = element.placeholder ? plainText(element.placeholder.text) : "Choose";
  const label = surface.subject ? `${placeholder}, ${surface.subject}` : placeholder;
  const node = controlNode(element, surface.state.get(block, element), { ...ids, "aria-label": label }, workspace);
  node.addEventListener("change", () => change(node, element, block, surface, workspace));
  return h("span", { class: "element" }, node);
}

function buttonNode(element, block, ids, surface, workspace) {
  const onclick = (event) => click(event.currentTarget, element, block, surface, workspace);
  const attributes = { class: `button ${element.style ?? ""}`.trim(), ...ids, onclick };
  const target = { href: element.url, target: "_blank", rel: "noopener noreferrer" };
  const isLink = element.url && isWebAddress(element.url) && !element.confirm; // a link would open before the confirmation
  const node = isLink ? h("a", { ...attributes, ...target }) : h("button", { ...attributes, type: "button" });
  labelButton(node, plainText(element.text.text), surface.subject);
  if (element.accessibility_label) node.setAttribute("aria-label", element.accessibility_label);
  return node;
}

function overflowNode(element, block, ids, surface, workspace) {
  const items = element.options.map((option) => ({
    option,
    value: option.value,
    name: plainText(option.text.text),
    note: option.description ? plainText(option.description.text) : null,
  }));
  const label = surface.subject ? `More actions, ${surface.subject}` : "More actions";
  const onSelect = ({ option }, button) => choose(button, option, element, block, surface, workspace);
  return menuButton({ label, iconPath: ELLIPSIS, items, onSelect, attributes: { ...ids, class: "icon-button overflow" } });
}
