// A button that opens a menu: arrows move in it, Escape and a press elsewhere close it.

import { h, icon } from "./dom.js";

let made = 0;

export function menuButton({ label, sign, rows, choose }) {
  const id = `menu-${(made += 1)}`;
  const items = rows.map((row) => h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => take(row) }, row.name));
  const list = h("div", { id, class: "menu", role: "menu", "aria-label": label, hidden: true }, items);
  const told = { "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": id, "aria-label": label, title: label };
  const button = h("button", { type: "button", class: "sign-button", ...told, onclick: () => set(list.hidden) }, icon(sign));
  const wrap = h("div", { class: "menu-wrap" }, button, list);

  function set(isOpen, from = 0) {
    list.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) items.at(from).focus();
  }

  function take(row) {
    set(false);
    button.focus();
    choose(row);
  }

  wrap.addEventListener("keydown", (event) => {
    if (list.hidden) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      set(true, event.key === "ArrowUp" ? -1 : 0);
    } else if (event.key === "Escape") {
      set(false);
      button.focus();
    } else if (event.key === "Tab") return set(false);
    else if (!move(event.key)) return;
    event.preventDefault();
  });
  wrap.addEventListener("focusout", (event) => {
    if (!wrap.contains(event.relatedTarget)) set(false);
  });

  function move(key) {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[key];
    if (to === undefined) return false;
    items[(to + items.length) % items.length].focus();
    return true;
  }

  return wrap;
}
