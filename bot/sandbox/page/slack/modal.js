// The modal on top of the stack, changed in place; what the person typed survives updates by the app.
// During a guided tour the rest of the page stays usable, because the tour's buttons are there.

import { post, postOrShowError } from "../api.js";
import { blockNodes } from "../blocks/blocks.js";
import { askToConfirm } from "../ui/dialog.js";
import { h } from "../ui/element.js";
import { keepFocus, restoreFocus } from "../ui/focus.js";
import { CLOSE, icon } from "../ui/icons.js";
import { announce } from "../ui/status-messages.js";
import { InputState } from "./input-state.js";

const DISCARD = {
  title: "Discard what you entered?",
  text: "It is not saved.",
  confirm: "Discard",
  deny: "Keep editing",
  danger: true,
};

export class Modal {
  constructor(dialog, workspace) {
    Object.assign(this, { dialog, workspace, shown: null, states: new Map(), opener: null });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault(); // the app may want a view_closed event, so the browser must not close the dialog itself
      this.close({ clear: true });
    });
  }

  // `stack` holds the person's open views, the top one last.
  show(stack) {
    const ids = new Set(stack.map(({ id }) => id));
    for (const id of this.states.keys()) if (!ids.has(id)) this.states.delete(id);
    const top = stack.at(-1);
    if (top) this.showView(top);
    else this.hide();
  }

  showView(view) {
    const isNew = this.shown?.id !== view.id;
    const hadErrors = Object.keys(this.shown?.errors ?? {}).length > 0;
    this.shown = view;
    if (!this.states.has(view.id)) this.states.set(view.id, new InputState());
    this.states.get(view.id).update(view.values);
    if (!this.dialog.open) {
      this.opener = document.activeElement;
      if (document.body.classList.contains("touring")) this.dialog.show();
      else this.dialog.showModal();
    }
    keepFocus(this.dialog, () => this.render(view), () => this.firstField());
    if (isNew) this.firstField().focus();
    else if (!hadErrors) announce(`${view.title} has changed`);
    const invalid = this.dialog.querySelector("[aria-invalid]");
    (invalid?.querySelector("input") ?? invalid)?.focus();
  }

  hide() {
    this.shown = null;
    if (!this.dialog.open) return;
    this.dialog.close();
    restoreFocus(this.opener);
  }

  firstField() {
    return this.dialog.querySelector(".modal-body :is(input, select, textarea)") ?? this.dialog.querySelector(".modal-title");
  }

  render(view) {
    const sendAction = (action) => post("press", { as: this.workspace.me, view: view.id, ...action });
    const surface = { sendAction, state: this.states.get(view.id), errors: view.errors };
    const form = h(
      "form",
      { class: "modal-form", novalidate: true, "aria-labelledby": "modal-title", onsubmit: (event) => this.submit(event) },
      this.header(view),
      h("div", { class: "modal-body" }, blockNodes(view.blocks, surface, this.workspace)),
      view.submit_error ? h("p", { class: "error-text modal-error", role: "alert" }, view.submit_error) : null,
      this.footer(view),
    );
    this.dialog.replaceChildren(form);
  }

  header(view) {
    const attributes = { type: "button", class: "icon-button", "aria-label": "Close" };
    return h(
      "div",
      { class: "modal-header" },
      h("h2", { id: "modal-title", class: "modal-title", tabindex: "-1" }, view.title),
      h("button", { ...attributes, onclick: () => this.close({ clear: true }) }, icon(CLOSE)),
    );
  }

  footer(view) {
    const label = view.close ?? (view.stacked ? "Back" : view.submit ? "Cancel" : "Close");
    const style = view.stacked ? "button back" : "button";
    return h(
      "div",
      { class: "modal-footer" },
      h("button", { type: "button", class: style, onclick: () => this.close({ clear: false }) }, label),
      view.submit ? h("button", { type: "submit", class: "button primary" }, view.submit) : null,
    );
  }

  async submit(event) {
    event.preventDefault();
    const button = this.dialog.querySelector("[type=submit]");
    if (!button || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    await this.post("submit", { values: this.states.get(this.shown.id).toJSON() });
    button.removeAttribute("aria-busy");
  }

  // Escape and the cross close the whole stack, the button below only the view on top.
  async close({ clear }) {
    const isTouched = [...this.states.values()].some((state) => state.isTouched);
    if (isTouched && !(await askToConfirm(DISCARD))) return;
    await this.post("close", { clear: clear ? "yes" : "" });
  }

  post(action, body) {
    return postOrShowError(action, { as: this.workspace.me, view: this.shown?.id, ...body });
  }
}
