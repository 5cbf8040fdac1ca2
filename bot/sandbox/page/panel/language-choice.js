// Chooses the language in which the acting person reads Slack. The bot answers in it, where it has it.

import { postOrShowError } from "../api.js";
import { h } from "../ui/element.js";
import { announce } from "../ui/status-messages.js";

export class LanguageChoice {
  constructor({ select, currentPerson }) {
    this.select = select;
    select.addEventListener("change", () => {
      announce(`Reading Slack in ${select.selectedOptions[0].textContent}`);
      postOrShowError("locale", { as: currentPerson(), name: select.value });
    });
  }

  load(locales, chosen) {
    this.select.replaceChildren(...locales.map(({ name, label }) => h("option", { value: name }, label)));
    this.show(chosen);
  }

  show(chosen) {
    this.select.value = chosen;
  }
}
