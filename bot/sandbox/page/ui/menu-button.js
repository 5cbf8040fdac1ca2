// A menu button after the ARIA Authoring Practices: arrow keys, Home and End move, Escape and a click elsewhere close.
// https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/

import { h } from "./element.js";
import { icon } from "./icons.js";

const GAP_PX = 4;
const ITEM = { type: "button", role: "menuitem", tabindex: "-1" };

let menus = 0;

// `items` have a `name`, and perhaps a `note` and a `value`; `onSelect` gets the item that the person selects, and the button.
// `attributes` are further ones of the button.
export function menuButton({ label, iconPath, items, onSelect, attributes = {} }) {
  const id = `menu-${(menus += 1)}`;
  const itemNodes = items.map((item) =>
    h("button", { ...ITEM, "data-value": item.value, onclick: () => select(item) }, item.name, noteNode(item)),
  );
  // A popover stands above everything: no scrolling part of the page and no message box hides a piece of it.
  const menu = h("div", { id, class: "menu", role: "menu", "aria-label": label, popover: "manual" }, itemNodes);
  const aria = { "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": id, "aria-label": label, title: label };
  const onclick = () => toggle(!isOpen());
  const button = h("button", { type: "button", class: "icon-button", ...aria, ...attributes, onclick }, icon(iconPath));
  const wrapper = h("div", { class: "menu-wrapper" }, button, menu);

  function isOpen() {
    return menu.matches(":popover-open");
  }

  function toggle(isWanted, focused = 0) {
    if (isWanted === isOpen()) return;
    menu.togglePopover(isWanted);
    button.setAttribute("aria-expanded", String(isWanted));
    if (!isWanted) return;
    place(menu, button);
    addEventListener("scroll", close, { capture: true, once: true }); // the menu would not scroll with its button
    itemNodes.at(focused).focus({ preventScroll: true });
  }

  function close() {
    if (menu.contains(document.activeElement)) button.focus({ preventScroll: true });
    toggle(false);
  }

  function select(item) {
    close();
    onSelect(item, button);
  }

  function moveFocus(key) {
    const current = itemNodes.indexOf(document.activeElement);
    const next = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: itemNodes.length - 1 }[key];
    if (next === undefined) return false;
    itemNodes[(next + itemNodes.length) % itemNodes.length].focus();
    return true;
  }

  wrapper.addEventListener("keydown", (event) => {
    if (!isOpen()) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      toggle(true, event.key === "ArrowUp" ? -1 : 0);
    } else if (event.key === "Escape") {
      close();
    } else if (event.key === "Tab") {
      toggle(false);
      return; // the browser moves the focus
    } else if (!moveFocus(event.key)) return;
    event.preventDefault();
  });
  wrapper.addEventListener("focusout", (event) => {
    if (!wrapper.contains(event.relatedTarget)) toggle(false);
  });
  return wrapper;
}

function noteNode({ note }) {
  return note ? h("span", { class: "note" }, note) : null;
}

// Below the button, or above it where there is no room; its right edge under the button's, but within the window.
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + GAP_PX;
  const top = below + height <= innerHeight ? below : Math.max(GAP_PX, at.top - GAP_PX - height);
  const left = Math.min(Math.max(GAP_PX, at.right - width), innerWidth - width - GAP_PX);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}
