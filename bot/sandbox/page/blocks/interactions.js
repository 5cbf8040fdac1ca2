// What happens when the person clicks a button or changes a control: confirm first, then send the action to the app.

import { h } from "../ui/element.js";
import { icon, WARNING } from "../ui/icons.js";
import { announce, showError } from "../ui/status-messages.js";
import { isConfirmed } from "./composition-objects.js";
import { setValue, valueOf } from "./controls.js";
import { isWebAddress } from "./inline.js";

const NOT_ACKNOWLEDGED = "The app did not answer.";
const APP_REDIRECT = "https://slack.com/app_redirect";

export async function click(node, element, block, surface, workspace) {
  if (node.getAttribute("aria-busy") === "true") return;
  if (element.confirm && !(await isConfirmed(element.confirm, workspace))) return;
  if (element.confirm) openPage(element.url);
  await send(node, surface, { action_id: element.action_id, block_id: block.block_id });
}

// Choose an option of an overflow menu; the menu keeps no value.
export async function choose(node, option, element, block, surface, workspace) {
  if (element.confirm && !(await isConfirmed(element.confirm, workspace))) return;
  const person = workspace.users[messagedUserId(option.url)];
  if (!person) openPage(option.url);
  await send(node, surface, { action_id: element.action_id, block_id: block.block_id, chosen: option.value });
  if (person) note(node, `Slack opens your direct message with ${person.name} here. The sandbox has none.`);
}

export async function change(node, element, block, surface, workspace) {
  const before = surface.state.get(block, element);
  const value = valueOf(element, node);
  if (element.confirm && !(await isConfirmed(element.confirm, workspace))) {
    setValue(element, node, before);
    return;
  }
  surface.state.set(block, element, value);
  await send(node, surface, { action_id: element.action_id, block_id: block.block_id });
}

function openPage(url) {
  if (url && isWebAddress(url)) window.open(url, "_blank", "noopener");
}

// The id of the user with whom Slack opens a direct message at this address; null for any other address.
// https://docs.slack.dev/interactivity/deep-linking
function messagedUserId(url) {
  return url?.startsWith(`${APP_REDIRECT}?`) ? new URL(url).searchParams.get("channel") : null;
}

function note(node, sentence) {
  node.parentNode?.append(h("span", { class: "element-note note" }, sentence));
  announce(sentence);
}

async function send(node, surface, action) {
  node.parentNode.querySelector(".element-error, .element-note")?.remove();
  node.setAttribute("aria-busy", "true");
  try {
    const { acked } = await surface.sendAction({ ...action, values: surface.state.toJSON() });
    if (acked) return;
    // The message may have been replaced meanwhile; then the node has no parent.
    node.parentNode?.append(h("span", { class: "element-error" }, icon(WARNING, NOT_ACKNOWLEDGED)));
    announce(NOT_ACKNOWLEDGED);
  } catch (error) {
    showError(error.message);
  } finally {
    node.removeAttribute("aria-busy");
  }
}
