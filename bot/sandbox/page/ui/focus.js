// Keeps the keyboard focus where the person left it while parts of the page are replaced.

import { byId } from "./element.js";

// Run `redraw`, which replaces nodes in `container`, or the container itself by `replacement`. An element that had the
// focus passes it on to its successor; without one, to the node that `fallback` returns.
export function keepFocus(container, redraw, fallback, replacement = container) {
  const focused = document.activeElement;
  const isInside = container.contains(focused) && focused !== container;
  const before = isInside ? sameAction(container, focused) : [];
  const caret = isInside && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  redraw();
  if (!isInside || document.contains(focused)) return;
  const target = successor(focused, before, sameAction(replacement, focused)) ?? fallback();
  target?.focus({ preventScroll: true });
  if (caret?.[0] != null && target === document.activeElement && target.setSelectionRange) target.setSelectionRange(...caret);
}

function sameAction(container, { dataset: { action } }) {
  return action ? [...container.querySelectorAll(`[data-action="${CSS.escape(action)}"]`)] : [];
}

// The element with the same block id; where the ids are new, the one in the same place of equally many.
function successor(focused, before, after) {
  const same = after.find((node) => node.dataset.block === focused.dataset.block);
  return same ?? (after.length === before.length ? after[before.indexOf(focused)] : null);
}

// Focus what the person uses in the open conversation: the message box, or without one the Home tab or the messages.
export function focusConversation() {
  const parts = [byId("box"), byId("home"), byId("log")];
  parts.find((node) => node.checkVisibility())?.focus();
}

// Return the focus to `node`, or to the conversation when that node is no longer on the page.
export function restoreFocus(node) {
  if (node && node !== document.body && document.contains(node)) node.focus();
  else focusConversation();
}
