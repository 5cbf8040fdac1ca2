// Keeps the keyboard focus where the person left it while parts of the page are replaced.

import { byId } from "./element.js";

// Run `redraw`, which replaces nodes in `container`. An element that had the focus passes it on to its replacement, which
// has the same action and, if possible, block; without one, to the node that `fallback` returns.
export function keepFocus(container, redraw, fallback) {
  const focused = document.activeElement;
  const isInside = container.contains(focused) && focused !== container;
  const { action, block } = focused?.dataset ?? {};
  const caret = isInside && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  redraw();
  if (!isInside || document.contains(focused)) return;
  const candidates = action ? [...container.querySelectorAll(`[data-action="${CSS.escape(action)}"]`)] : [];
  const target = candidates.find((node) => node.dataset.block === block) ?? candidates[0] ?? fallback();
  target?.focus({ preventScroll: true });
  if (caret?.[0] != null && target === document.activeElement && target.setSelectionRange) target.setSelectionRange(...caret);
}

// Return the focus to `node`, or to the message box when that node is no longer on the page.
export function restoreFocus(node) {
  const isOnPage = node && node !== document.body && document.contains(node);
  (isOnPage ? node : byId("box")).focus();
}
