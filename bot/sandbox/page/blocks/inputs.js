// The input block: a label, a control, a hint, and the error that the app or Slack found in it.

import { h } from "../ui/element.js";
import { icon, WARNING } from "../ui/icons.js";
import { controlNode, isGroup, isText, valueOf } from "./controls.js";
import { change } from "./interactions.js";
import { plainText } from "./plain-text.js";

const TYPING_PAUSE_MS = 400;

export function inputNode(block, surface, workspace) {
  const { element } = block;
  const id = `field-${block.block_id}`;
  const error = surface.errors?.[block.block_id];
  const attributes = { id, "data-action": element.action_id, "data-block": block.block_id, ...ariaOf(block, id, error) };
  const control = controlNode(element, surface.state.get(block, element), attributes, workspace);
  if (!control) return h("p", { class: "note" }, `(This page cannot show an input of type ${element.type}.)`);
  control.addEventListener("input", () => surface.state.set(block, element, valueOf(element, control)));
  if (block.dispatch_action) dispatchOn(control, element, () => change(control, element, block, surface, workspace));
  return h(
    "div",
    { class: error ? "input invalid" : "input" },
    labelNode(block, id),
    control,
    block.hint ? h("p", { class: "note", id: `${id}-hint` }, plainText(block.hint.text)) : null,
    error ? h("p", { class: "error-text", id: `${id}-error` }, icon(WARNING), error) : null,
  );
}

// A choice is sent at once; a text when the person presses Enter, or pauses in typing where the app asks for that.
// https://docs.slack.dev/reference/block-kit/composition-objects/dispatch-action-configuration-object
function dispatchOn(control, element, dispatch) {
  if (!isText(element)) {
    control.addEventListener("change", dispatch);
    return;
  }
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  control.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || element.multiline || !triggers.includes("on_enter_pressed")) return;
    event.preventDefault(); // Enter would submit the form
    dispatch();
  });
  if (!triggers.includes("on_character_entered")) return;
  let timer;
  control.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(dispatch, TYPING_PAUSE_MS);
  });
}

function ariaOf(block, id, error) {
  const describedBy = [block.hint ? `${id}-hint` : null, error ? `${id}-error` : null].filter(Boolean).join(" ") || null;
  return {
    "aria-describedby": describedBy,
    "aria-invalid": error ? "true" : null,
    "aria-required": String(!block.optional),
    "aria-labelledby": isGroup(block.element) ? `${id}-label` : null,
  };
}

function labelNode(block, id) {
  const words = [plainText(block.label.text), block.optional ? h("span", { class: "secondary" }, " (optional)") : null];
  if (isGroup(block.element)) return h("span", { class: "label", id: `${id}-label` }, words);
  return h("label", { class: "label", for: id }, words);
}
