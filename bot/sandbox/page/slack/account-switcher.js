// Chooses the person whom the page acts as, and counts the new private messages of the others.

import { h } from "../ui/element.js";
import { announce } from "../ui/status-messages.js";

export class AccountSwitcher {
  constructor({ select, onSwitch }) {
    Object.assign(this, { select, accounts: [], current: "", unread: {} });
    select.addEventListener("change", () => {
      announce(`Acting as ${select.selectedOptions[0].textContent}`);
      onSwitch(select.value);
    });
  }

  load(accounts, current) {
    Object.assign(this, { accounts, current });
    delete this.unread[current];
    this.render();
  }

  addUnread(person) {
    this.unread[person] = (this.unread[person] ?? 0) + 1;
    this.render();
  }

  render() {
    const options = this.accounts.map(({ id, label }) => {
      const count = this.unread[id] ? ` (${this.unread[id]} new)` : "";
      return h("option", { value: id, selected: id === this.current }, label + count);
    });
    this.select.replaceChildren(...options);
  }
}
