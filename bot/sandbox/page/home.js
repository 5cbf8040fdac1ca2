// The app's two tabs where its direct messages are: Home, which the bot publishes for each person, and Messages.

import { blockNodes } from "./blocks.js";
import { h, keepFocus, post, trouble } from "./dom.js";
import { Fields } from "./modal.js";

const NONE = "The app has not published a Home tab for this person yet.";

export class Home {
  constructor({ tabs, panel, others, view }) {
    Object.assign(this, { tabs, panel, others, view, isOn: false, shown: null, fields: new Fields() });
    [this.homeTab, this.messagesTab] = tabs.querySelectorAll("[role=tab]");
    this.homeTab.addEventListener("click", () => this.open());
    this.messagesTab.addEventListener("click", () => this.choose(false));
    tabs.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = document.activeElement === this.homeTab ? this.messagesTab : this.homeTab;
      other.focus();
      other.click();
    });
  }

  // `place` is where the person is: the tabs are there only with the app.
  at(place) {
    this.tabs.hidden = place?.kind !== "im";
    this.choose(this.isOn && !this.tabs.hidden, false);
  }

  choose(isOn, isKept = true) {
    if (isKept) this.isOn = isOn;
    this.homeTab.setAttribute("aria-selected", String(isOn));
    this.messagesTab.setAttribute("aria-selected", String(!isOn));
    this.homeTab.tabIndex = isOn ? 0 : -1;
    this.messagesTab.tabIndex = isOn ? -1 : 0;
    this.panel.hidden = !isOn;
    for (const other of this.others) other.hidden = isOn;
  }

  async open() {
    this.choose(true);
    this.panel.setAttribute("aria-busy", "true");
    try {
      const { acked } = await post("home", { as: this.view.me });
      trouble(acked ? "" : "The app did not answer.");
    } catch (error) {
      trouble(error.message);
    } finally {
      this.panel.removeAttribute("aria-busy");
    }
  }

  show(home) {
    if (this.shown?.id !== home?.id) this.fields = new Fields();
    this.shown = home;
    this.fields.follow(home?.values ?? {});
    keepFocus(this.panel, () => this.draw(home), () => this.panel);
  }

  draw(home) {
    if (!home) return this.panel.replaceChildren(h("p", { class: "empty" }, NONE));
    const press = (what) => post("press", { as: this.view.me, view: home.id, ...what, values: { ...this.fields.sent(), ...what.values } });
    const surface = { press, fields: this.fields, errors: {} };
    return this.panel.replaceChildren(h("div", { class: "body" }, blockNodes(home.blocks, surface, this.view)));
  }
}
