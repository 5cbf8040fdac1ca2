// Form controls for Block Kit's elements, and the value each one holds: a string, a list of strings, or null when empty.

import { h } from "../ui/element.js";
import { textNodes } from "./composition-objects.js";
import { plainText } from "./plain-text.js";

const GROUPS = new Set(["radio_buttons", "checkboxes"]);

let groups = 0;

const CONTROLS = {
  plain_text_input(element, value, attributes) {
    const limits = { maxlength: element.max_length ?? 3000, placeholder: placeholderOf(element) };
    const node = h(element.multiline ? "textarea" : "input", { ...attributes, ...limits, autocomplete: "off" });
    node.value = value ?? "";
    return node;
  },
  number_input: (element, value, attributes) =>
    lineNode(element, value, { ...attributes, inputmode: element.is_decimal_allowed ? "decimal" : "numeric" }),
  email_text_input: (element, value, attributes) => lineNode(element, value, { ...attributes, inputmode: "email" }),
  url_text_input: (element, value, attributes) => lineNode(element, value, { ...attributes, inputmode: "url" }),
  users_select(element, value, attributes, workspace) {
    const options = workspace.humanUsers().map(([id, user]) => h("option", { value: id }, user.name));
    return selectNode(element, value, attributes, options);
  },
  static_select(element, value, attributes) {
    const options = (list) => list.map((option) => h("option", { value: option.value }, plainText(option.text.text)));
    const groups = (element.option_groups ?? []).map((group) =>
      h("optgroup", { label: plainText(group.label.text) }, options(group.options)),
    );
    return selectNode(element, value, attributes, [...options(element.options ?? []), ...groups]);
  },
  radio_buttons: (element, value, attributes, workspace) =>
    groupNode("radio", element, value ? [value] : [], attributes, workspace),
  checkboxes: (element, value, attributes, workspace) => groupNode("checkbox", element, value ?? [], attributes, workspace),
};

// Returns undefined for an element that this page cannot show.
export function controlNode(element, value, attributes, workspace) {
  return CONTROLS[element.type]?.(element, value, attributes, workspace);
}

// A group of controls has its label beside it; a single control has it by `for`.
export function isGroup(element) {
  return GROUPS.has(element.type);
}

export function valueOf(element, node) {
  if (!isGroup(element)) return node.value || null;
  const checked = [...node.querySelectorAll("input:checked")].map((input) => input.value);
  return element.type === "checkboxes" ? checked : (checked[0] ?? null);
}

export function setValue(element, node, value) {
  if (!isGroup(element)) node.value = value ?? "";
  else for (const input of node.querySelectorAll("input")) input.checked = (value ?? []).includes(input.value);
}

// Whether the element holds a line of text, which a person enters with the Enter key.
export function isText(element) {
  return element.type.endsWith("_input");
}

function lineNode(element, value, attributes) {
  const node = h("input", { ...attributes, placeholder: placeholderOf(element), autocomplete: "off", spellcheck: "false" });
  node.value = value ?? "";
  return node;
}

function placeholderOf(element) {
  return element.placeholder ? plainText(element.placeholder.text) : null;
}

function selectNode(element, value, attributes, options) {
  const empty = h("option", { value: "" }, placeholderOf(element) ?? "Choose…");
  const node = h("select", attributes, empty, options);
  node.value = value ?? "";
  return node;
}

function groupNode(type, element, values, attributes, workspace) {
  const name = `group-${(groups += 1)}`; // two messages may have the same block id
  const optionNode = (option) => {
    const description = option.description ? h("span", { class: "note" }, textNodes(option.description, workspace)) : null;
    return h(
      "label",
      { class: "option" },
      h("input", { type, name, value: option.value, checked: values.includes(option.value) }),
      h("span", {}, textNodes(option.text, workspace), description),
    );
  };
  return h("div", { ...attributes, role: type === "radio" ? "radiogroup" : "group" }, element.options.map(optionNode));
}
