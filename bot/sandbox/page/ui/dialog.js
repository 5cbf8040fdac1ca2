// A confirmation dialog. Resolves to true when the person confirms, to false when they deny it or press Escape.

import { h } from "./element.js";

export function askToConfirm({ title, text, confirm, deny, danger }) {
  return new Promise((resolve) => {
    const close = (value) => () => dialog.close(value);
    const denyButton = h("button", { type: "button", class: "button", autofocus: true, onclick: close("no") }, deny);
    const style = danger ? "button danger" : "button primary";
    const confirmButton = h("button", { type: "button", class: style, onclick: close("yes") }, confirm);
    const dialog = h(
      "dialog",
      { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      h("h2", { id: "confirm-title" }, title),
      h("p", { id: "confirm-text" }, text),
      h("div", { class: "buttons" }, denyButton, confirmButton),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
