// The message box: offers the command after "/" and people after "@", as a combobox with a list, sends on Enter, and
// brings back with the arrows what the acting person has sent before.

import { h } from "./dom.js";

export class Composer {
  constructor({ form, box, list, offersFor, send, who }) {
    Object.assign(this, { form, box, list, offersFor, send, who, offers: [], active: -1, sent: new Map(), at: null });
    box.addEventListener("input", () => this.refresh());
    box.addEventListener("click", () => this.refresh());
    box.addEventListener("blur", () => this.close());
    box.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  submit() {
    const text = this.box.value.trim();
    this.close();
    if (!text) return;
    this.box.value = "";
    this.at = null;
    const lines = this.sent.get(this.who()) ?? [];
    this.sent.set(this.who(), [...lines.filter((line) => line !== text), text].slice(-50));
    this.send(text);
  }

  // Up brings back what was sent before, from an empty box; Down goes forward again, and in the end empties it.
  recall(event) {
    const lines = this.sent.get(this.who()) ?? [];
    const isRecalled = this.at !== null && this.box.value === lines[this.at];
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    if (!isRecalled && (this.box.value !== "" || event.key === "ArrowDown")) return;
    const from = isRecalled ? this.at : lines.length;
    const to = event.key === "ArrowUp" ? Math.max(from - 1, 0) : from + 1;
    if (!lines.length) return;
    this.at = to < lines.length ? to : null;
    this.box.value = lines[to] ?? "";
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
    event.preventDefault();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.offers.length === 0) {
      this.recall(event);
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.choose((this.active + step + this.offers.length) % this.offers.length);
    } else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) this.take(this.offers[this.active]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  // The word the caret stands in, when it starts with "/" (first in the box) or "@".
  word() {
    const before = this.box.value.slice(0, this.box.selectionStart ?? this.box.value.length);
    const found = /(?:^\/\S*|(?:^|(?<=\s))@[\w.-]*)$/.exec(before);
    return found ? { text: found[0], from: found.index } : null;
  }

  refresh() {
    const word = this.word();
    const offers = word ? this.offersFor(word.text) : [];
    const isWhole = offers.length === 1 && offers[0].insert === word.text;
    this.offers = isWhole ? [] : offers;
    this.list.replaceChildren(...this.offers.map((offer, index) => this.row(offer, index)));
    this.list.hidden = this.offers.length === 0;
    this.box.setAttribute("aria-expanded", String(this.offers.length > 0));
    this.choose(this.offers.length ? 0 : -1);
  }

  row(offer, index) {
    const taken = (event) => {
      event.preventDefault(); // the box keeps the focus
      this.take(offer);
    };
    return h(
      "li",
      { id: `offer-${index}`, role: "option", onmousedown: taken },
      h("span", { class: "offer-name" }, offer.insert),
      h("span", { class: "offer-hint" }, offer.hint),
    );
  }

  choose(index) {
    this.active = index;
    [...this.list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    if (index < 0) return this.box.removeAttribute("aria-activedescendant");
    this.box.setAttribute("aria-activedescendant", `offer-${index}`);
    return this.list.children[index].scrollIntoView({ block: "nearest" });
  }

  take(offer) {
    const word = this.word();
    const after = this.box.value.slice(word.from + word.text.length).trimStart();
    const start = `${this.box.value.slice(0, word.from)}${offer.insert} `;
    this.box.value = start + after;
    this.box.setSelectionRange(start.length, start.length);
    this.close();
  }

  close() {
    this.offers = [];
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.choose(-1);
  }
}
