// The modal that is on top: drawn as Slack draws it, changed in place, its fields kept over changes until it is sent.

import { blockNodes } from "./blocks.js";
import { ask, backTo, CROSS, h, icon, keepFocus, post, tell, trouble } from "./dom.js";

// What stands in the fields of one view, by block and action.
export class Fields {
  constructor() {
    this.values = new Map();
    this.isTouched = false;
  }

  // Fields that stay keep what was typed; new ones start as the server says.
  follow(values) {
    const kept = this.values;
    this.values = new Map();
    for (const [block, actions] of Object.entries(values))
      for (const [action, value] of Object.entries(actions)) {
        const key = JSON.stringify([block, action]);
        this.values.set(key, kept.has(key) ? kept.get(key) : value);
      }
  }

  get(block, element) {
    return this.values.get(JSON.stringify([block.block_id, element.action_id])) ?? null;
  }

  set(block, element, value) {
    this.values.set(JSON.stringify([block.block_id, element.action_id]), value);
    this.isTouched = true;
  }

  sent() {
    const nested = {};
    for (const [key, value] of this.values) {
      const [block, action] = JSON.parse(key);
      (nested[block] ??= {})[action] = value;
    }
    return nested;
  }
}

export class Modal {
  constructor(dialog, view) {
    Object.assign(this, { dialog, view, shown: null, fields: new Map(), opener: null });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault(); // the browser must not close what the bot may want to know of
      this.leave(true);
    });
  }

  // Shows the last of these, the others being below it.
  show(stack) {
    const ids = new Set(stack.map((each) => each.id));
    for (const id of this.fields.keys()) if (!ids.has(id)) this.fields.delete(id);
    const top = stack.at(-1);
    if (!top) return this.hide();
    const isNew = this.shown?.id !== top.id;
    const hadErrors = Object.keys(this.shown?.errors ?? {}).length > 0;
    this.shown = top;
    if (!this.fields.has(top.id)) this.fields.set(top.id, new Fields());
    this.fields.get(top.id).follow(top.values);
    if (!this.dialog.open) {
      this.opener = document.activeElement;
      this.dialog.showModal();
    }
    keepFocus(this.dialog, () => this.draw(top), () => this.first());
    if (isNew) this.first().focus();
    if (!isNew && !hadErrors) tell(`${top.title} has changed`);
    const wrong = this.dialog.querySelector("[aria-invalid]");
    (wrong?.querySelector("input") ?? wrong)?.focus();
    return undefined;
  }

  hide() {
    this.shown = null;
    if (!this.dialog.open) return;
    this.dialog.close();
    backTo(this.opener);
  }

  first() {
    return this.dialog.querySelector(".modal-body :is(input, select, textarea)") ?? this.dialog.querySelector(".modal-title");
  }

  draw(top) {
    const fields = this.fields.get(top.id);
    const press = (what) => {
      const values = { ...fields.sent(), ...what.values };
      return post("press", { as: this.view.me, view: top.id, ...what, values });
    };
    const surface = { press, fields, errors: top.errors };
    const close = () => this.leave(false);
    const words = top.close ?? (top.stacked ? "Back" : top.submit ? "Cancel" : "Close");
    const submit = top.submit ? h("button", { type: "submit", class: "button primary" }, top.submit) : null;
    const form = h(
      "form",
      { class: "modal-form", novalidate: true, "aria-labelledby": "modal-title", onsubmit: (event) => this.submit(event) },
      h(
        "div",
        { class: "modal-top" },
        h("h2", { id: "modal-title", class: "modal-title", tabindex: "-1" }, top.title),
        h("button", { type: "button", class: "sign-button", "aria-label": "Close", onclick: () => this.leave(true) }, icon(CROSS)),
      ),
      h("div", { class: "modal-body" }, blockNodes(top.blocks, surface, this.view)),
      top.trouble ? h("p", { class: "wrong-text modal-trouble", role: "alert" }, top.trouble) : null,
      h("div", { class: "modal-foot" }, h("button", { type: "button", class: "button", onclick: close }, words), submit),
    );
    this.dialog.replaceChildren(form);
  }

  async submit(event) {
    event.preventDefault();
    const button = this.dialog.querySelector("[type=submit]");
    if (!button || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    await this.act("submit", { values: this.fields.get(this.shown.id).sent() });
    button.removeAttribute("aria-busy");
  }

  // Escape and the cross leave the whole dialog, the button below only what is on top.
  async leave(everything) {
    const isTouched = [...this.fields.values()].some((fields) => fields.isTouched);
    const sure = { title: "Discard what you entered?", text: "It is not saved.", confirm: "Discard", deny: "Keep editing", danger: true };
    if (isTouched && !(await ask(sure))) return;
    await this.act("close", { everything: everything ? "yes" : "" });
  }

  async act(what, more) {
    try {
      await post(what, { as: this.view.me, view: this.shown?.id, ...more });
    } catch (error) {
      trouble(error.message);
    }
  }
}
