// The message box: a combobox that suggests commands and people, sends on Enter, and has a history on the arrow keys.
// https://www.w3.org/WAI/ARIA/apg/patterns/combobox/

import { h } from "../ui/element.js";

const MAX_HISTORY = 50;

export class Composer {
  // `suggest` returns suggestions for a word, `send` takes the text, `currentPerson` says whose history it is.
  // `readOnlyNotice` stands in the form's place where Slack lets nobody write.
  constructor({ form, readOnlyNotice, box, list, suggest, send, currentPerson }) {
    Object.assign(this, { form, readOnlyNotice, box, list, suggest, send, currentPerson });
    Object.assign(this, { suggestions: [], active: -1, histories: new Map(), recalled: null });
    box.addEventListener("input", () => this.refresh());
    box.addEventListener("click", () => this.refresh());
    box.addEventListener("blur", () => this.close());
    box.addEventListener("keydown", (event) => this.handleKey(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  // `recipient` is a channel or a person, as Slack writes it.
  setChannel(recipient, { isReadOnly }) {
    this.form.hidden = Boolean(isReadOnly);
    this.readOnlyNotice.hidden = !isReadOnly;
    this.box.placeholder = `Message ${recipient}, or type / for the command`;
    this.box.setAttribute("aria-label", `Message ${recipient}`);
  }

  setEnabled(isEnabled) {
    this.box.disabled = !isEnabled;
  }

  submit() {
    const text = this.box.value.trim();
    this.close();
    if (!text) return;
    this.box.value = "";
    this.recalled = null;
    const earlier = this.history().filter((entry) => entry !== text);
    this.histories.set(this.currentPerson(), [...earlier, text].slice(-MAX_HISTORY));
    this.send(text);
  }

  history() {
    return this.histories.get(this.currentPerson()) ?? [];
  }

  // Up goes back in the history, from an empty box only, so that no draft is lost. Down goes forward and then empties it.
  recall(event) {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const history = this.history();
    const isRecalled = this.recalled !== null && this.box.value === history[this.recalled];
    if (!history.length || (!isRecalled && (this.box.value !== "" || event.key === "ArrowDown"))) return;
    const current = isRecalled ? this.recalled : history.length;
    const next = event.key === "ArrowUp" ? Math.max(current - 1, 0) : current + 1;
    this.recalled = next < history.length ? next : null;
    this.box.value = history[next] ?? "";
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
    event.preventDefault();
  }

  handleKey(event) {
    if (event.isComposing) return;
    const count = this.suggestions.length;
    if (count === 0) {
      this.recall(event);
      return;
    }
    if (event.key === "ArrowDown") this.activate((this.active + 1) % count);
    else if (event.key === "ArrowUp") this.activate((this.active - 1 + count) % count);
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) this.accept(this.suggestions[this.active]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  // The word before the caret, when it starts with "/" (only at the start of the box) or "@".
  word() {
    const before = this.box.value.slice(0, this.box.selectionStart ?? this.box.value.length);
    const match = /(?:^\/\S*|(?:^|(?<=\s))@[\w.-]*)$/.exec(before);
    return match ? { text: match[0], index: match.index } : null;
  }

  refresh() {
    const word = this.word();
    const suggestions = word ? this.suggest(word.text) : [];
    const isComplete = suggestions.length === 1 && suggestions[0].insert === word.text;
    this.suggestions = isComplete ? [] : suggestions;
    this.list.replaceChildren(...this.suggestions.map((suggestion, index) => this.option(suggestion, index)));
    this.list.hidden = this.suggestions.length === 0;
    this.box.setAttribute("aria-expanded", String(this.suggestions.length > 0));
    this.activate(this.suggestions.length ? 0 : -1);
  }

  option(suggestion, index) {
    const onmousedown = (event) => {
      event.preventDefault(); // keeps the focus in the box
      this.accept(suggestion);
    };
    return h(
      "li",
      { id: `suggestion-${index}`, role: "option", onmousedown },
      h("span", { class: "suggestion-text" }, suggestion.insert),
      h("span", { class: "suggestion-hint" }, suggestion.hint),
    );
  }

  activate(index) {
    this.active = index;
    [...this.list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === index)));
    if (index < 0) {
      this.box.removeAttribute("aria-activedescendant");
      return;
    }
    this.box.setAttribute("aria-activedescendant", `suggestion-${index}`);
    this.list.children[index].scrollIntoView({ block: "nearest" });
  }

  accept(suggestion) {
    const word = this.word();
    const before = `${this.box.value.slice(0, word.index)}${suggestion.insert} `;
    const after = this.box.value.slice(word.index + word.text.length).trimStart();
    this.box.value = before + after;
    this.box.setSelectionRange(before.length, before.length);
    this.close();
  }

  close() {
    this.suggestions = [];
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.activate(-1);
  }
}
