// What can be pressed, chosen or filled in, as DOM nodes: buttons, selects, inputs, and the confirm dialog before them.

import { name, textOf } from "./blocks.js";
import { ask, h, icon, tell, trouble, WARNING } from "./dom.js";
import { isWebAddress, plain } from "./mrkdwn.js";

const NO_ANSWER = "The app did not answer.";

export function elementNode(element, block, surface, view) {
  const key = { "data-action": element.action_id, "data-block": block.block_id };
  if (element.type === "button") return h("span", { class: "with-sign" }, buttonNode(element, block, surface, view, key));
  const make = CONTROLS[element.type];
  if (!make || !CHOICES.has(element.type)) return h("span", { class: "note" }, `(${element.type})`);
  const label = element.placeholder ? plain(element.placeholder.text) : "Choose";
  const node = make(element, surface.fields?.get(block, element) ?? null, { ...key, "aria-label": label }, view);
  node.addEventListener("change", () => chosen(node, element, block, surface, view));
  return h("span", { class: "with-sign" }, node);
}

function buttonNode(element, block, surface, view, key) {
  const press = (event) => pressed(event.currentTarget, element, block, surface, view);
  const attributes = { class: `button ${element.style ?? ""}`.trim(), ...key, onclick: press };
  const target = { href: element.url, target: "_blank", rel: "noopener noreferrer" };
  const isLink = element.url && isWebAddress(element.url) && !element.confirm;
  const node = isLink ? h("a", { ...attributes, ...target }) : h("button", { ...attributes, type: "button" });
  name(node, plain(element.text.text), surface);
  if (element.accessibility_label) node.setAttribute("aria-label", element.accessibility_label);
  return node;
}

async function pressed(node, element, block, surface, view) {
  if (node.getAttribute("aria-busy") === "true") return;
  if (element.confirm && !(await confirmed(element.confirm, view))) return;
  if (element.confirm && element.url && isWebAddress(element.url)) window.open(element.url, "_blank", "noopener");
  await told(node, surface, { action_id: element.action_id, block_id: block.block_id });
}

async function chosen(node, element, block, surface, view) {
  const before = surface.fields?.get(block, element) ?? null;
  const value = valueOf(element, node);
  if (element.confirm && !(await confirmed(element.confirm, view))) {
    node.value = before ?? "";
    return;
  }
  surface.fields?.set(block, element, value);
  const values = { [block.block_id]: { [element.action_id]: value } };
  await told(node, surface, { action_id: element.action_id, block_id: block.block_id, values });
}

async function told(node, surface, what) {
  node.parentNode.querySelector(".sign")?.remove();
  node.setAttribute("aria-busy", "true");
  try {
    const answer = await surface.press(what);
    if (!answer.acked) node.parentNode?.append(h("span", { class: "sign" }, icon(WARNING, NO_ANSWER)));
    if (!answer.acked) tell(NO_ANSWER);
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

// Inputs: a label, the control, a hint, and what is wrong with it.
export function inputNode(block, surface, view) {
  const element = block.element;
  const make = CONTROLS[element.type];
  if (!make) return h("p", { class: "note" }, `(This page cannot show an input of type ${element.type}.)`);
  const id = `field-${block.block_id}`;
  const problem = surface.errors?.[block.block_id];
  const described = [block.hint ? `${id}-hint` : null, problem ? `${id}-error` : null].filter(Boolean).join(" ") || null;
  const told = { "aria-describedby": described, "aria-invalid": problem ? "true" : null, "aria-required": String(!block.optional) };
  const attributes = { id, "data-action": element.action_id, "data-block": block.block_id, ...told };
  const isGroup = GROUPS.has(element.type);
  const label = [plain(block.label.text), block.optional ? h("span", { class: "soft" }, " (optional)") : null];
  const control = make(element, surface.fields.get(block, element), isGroup ? { ...attributes, "aria-labelledby": `${id}-label` } : attributes, view);
  control.addEventListener("input", () => surface.fields.set(block, element, valueOf(element, control)));
  if (block.dispatch_action) control.addEventListener("change", () => chosen(control, element, block, surface, view));
  return h(
    "div",
    { class: problem ? "input wrong" : "input" },
    isGroup ? h("span", { class: "label", id: `${id}-label` }, label) : h("label", { class: "label", for: id }, label),
    control,
    block.hint ? h("p", { class: "note", id: `${id}-hint` }, plain(block.hint.text)) : null,
    problem ? h("p", { class: "wrong-text", id: `${id}-error` }, icon(WARNING), problem) : null,
  );
}

const GROUPS = new Set(["radio_buttons", "checkboxes"]);
const CHOICES = new Set(["users_select", "static_select", "radio_buttons", "checkboxes"]);

const CONTROLS = {
  plain_text_input(element, value, attributes) {
    const limits = { maxlength: element.max_length ?? 3000, placeholder: placeholderOf(element) };
    const node = h(element.multiline ? "textarea" : "input", { ...attributes, ...limits, autocomplete: "off" });
    node.value = value ?? "";
    return node;
  },
  number_input(element, value, attributes) {
    const mode = { inputmode: element.is_decimal_allowed ? "decimal" : "numeric", placeholder: placeholderOf(element) };
    const node = h("input", { ...attributes, ...mode, autocomplete: "off" });
    node.value = value ?? "";
    return node;
  },
  users_select(element, value, attributes, view) {
    const people = Object.entries(view.users).filter(([, user]) => !user.app && !user.deleted);
    return selectNode(element, value, attributes, people.map(([id, user]) => h("option", { value: id }, user.name)));
  },
  static_select(element, value, attributes) {
    const options = (list) => list.map((option) => h("option", { value: option.value }, plain(option.text.text)));
    const groups = (element.option_groups ?? []).map((group) =>
      h("optgroup", { label: plain(group.label.text) }, options(group.options)),
    );
    return selectNode(element, value, attributes, [...options(element.options ?? []), ...groups]);
  },
  radio_buttons: (element, value, attributes, view) => groupNode("radio", element, value ? [value] : [], attributes, view),
  checkboxes: (element, value, attributes, view) => groupNode("checkbox", element, value ?? [], attributes, view),
};

function placeholderOf(element) {
  return element.placeholder ? plain(element.placeholder.text) : null;
}

function selectNode(element, value, attributes, options) {
  const none = h("option", { value: "" }, placeholderOf(element) ?? "Choose…");
  const node = h("select", attributes, none, options);
  node.value = value ?? "";
  return node;
}

function groupNode(type, element, values, attributes, view) {
  const group = `${attributes["data-block"]} ${attributes["data-action"]}`;
  const row = (option) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type, name: group, value: option.value, checked: values.includes(option.value) }),
      h("span", {}, textOf(option.text, view), option.description ? h("span", { class: "note" }, textOf(option.description, view)) : null),
    );
  return h("div", { ...attributes, role: type === "radio" ? "radiogroup" : "group" }, element.options.map(row));
}

function valueOf(element, node) {
  if (!GROUPS.has(element.type)) return node.value || null;
  const checked = [...node.querySelectorAll("input:checked")].map((input) => input.value);
  return element.type === "checkboxes" ? checked : (checked[0] ?? null);
}
