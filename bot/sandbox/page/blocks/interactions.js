// What happens when the person clicks a button or changes a control: confirm first, then send the action to the app.

import { h } from "../ui/element.js";
import { icon, WARNING } from "../ui/icons.js";
import { announce, showError } from "../ui/status-messages.js";
import { isConfirmed } from "./composition-objects.js";
import { valueOf } from "./controls.js";
import { isWebAddress } from "./inline.js";

const NOT_ACKNOWLEDGED = "The app did not answer.";

export async function click(node, element, block, surface, workspace) {
  if (node.getAttribute("aria-busy") === "true") return;
  if (element.confirm && !(await isConfirmed(element.confirm, workspace))) return;
  if (element.confirm && element.url && isWebAddress(element.url)) window.open(element.url, "_blank", "noopener");
  await send(node, surface, { action_id: element.action_id, block_id: block.block_id });
}

export async function change(node, element, block, surface, workspace) {
  const before = surface.state?.get(block, element) ?? null;
  const value = valueOf(element, node);
  if (element.confirm && !(await isConfirmed(element.confirm, workspace))) {
    node.value = before ?? "";
    return;
  }
  surface.state?.set(block, element, value);
  const values = { [block.block_id]: { [element.action_id]: value } };
  await send(node, surface, { action_id: element.action_id, block_id: block.block_id, values });
}

async function send(node, surface, action) {
  node.parentNode.querySelector(".element-error")?.remove();
  node.setAttribute("aria-busy", "true");
  try {
    const { acked } = await surface.sendAction(action);
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
