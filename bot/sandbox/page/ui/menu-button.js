// A menu button after the ARIA Authoring Practices: arrow keys, Home and End move, Escape and a click elsewhere close.
// https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/

import { h } from "./element.js";
import { icon } from "./icons.js";

let menus = 0;

// `items` have a `name`; `onSelect` gets the item that the person selects.
export function menuButton({ label, iconPath, items, onSelect }) {
  const id = `menu-${(menus += 1)}`;
  const itemNodes = items.map((item) =>
    h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => select(item) }, item.name),
  );
  const menu = h("div", { id, class: "menu", role: "menu", "aria-label": label, hidden: true }, itemNodes);
  const aria = { "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": id, "aria-label": label, title: label };
  const button = h("button", { type: "button", class: "icon-button", ...aria, onclick: () => toggle(menu.hidden) }, icon(iconPath));
  const wrapper = h("div", { class: "menu-wrapper" }, button, menu);

  function toggle(isOpen, focused = 0) {
    menu.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) itemNodes.at(focused).focus();
  }

  function select(item) {
    toggle(false);
    button.focus();
    onSelect(item);
  }

  function moveFocus(key) {
    const current = itemNodes.indexOf(document.activeElement);
    const next = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: itemNodes.length - 1 }[key];
    if (next === undefined) return false;
    itemNodes[(next + itemNodes.length) % itemNodes.length].focus();
    return true;
  }

  wrapper.addEventListener("keydown", (event) => {
    if (menu.hidden) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      toggle(true, event.key === "ArrowUp" ? -1 : 0);
    } else if (event.key === "Escape") {
      toggle(false);
      button.focus();
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
