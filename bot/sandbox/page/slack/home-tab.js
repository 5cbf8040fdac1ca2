// The app's two tabs in its direct message: Home, which the app publishes for each person, and Messages.

import { post, postOrShowError } from "../api.js";
import { blockNodes } from "../blocks/blocks.js";
import { h } from "../ui/element.js";
import { keepFocus } from "../ui/focus.js";
import { showError } from "../ui/status-messages.js";
import { InputState } from "./input-state.js";

const NOT_PUBLISHED = "The app has not published a Home tab for this person yet.";

export class HomeTab {
  // `messagesPanels` are the elements that the Messages tab shows.
  constructor({ tabs, panel, messagesPanels, workspace }) {
    Object.assign(this, { tabs, panel, messagesPanels, workspace, isChosen: false, view: null, state: new InputState() });
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

  // Another person starts at the Messages tab.
  reset() {
    this.isChosen = false;
  }

  // Only the direct message with the app has tabs; elsewhere the choice is kept for the next time.
  enter(channel) {
    this.tabs.hidden = channel.kind !== "im";
    this.select(this.isChosen && !this.tabs.hidden);
  }

  choose(isHome) {
    this.isChosen = isHome;
    this.select(isHome);
  }

  select(isHome) {
    this.homeTab.setAttribute("aria-selected", String(isHome));
    this.messagesTab.setAttribute("aria-selected", String(!isHome));
    this.homeTab.tabIndex = isHome ? 0 : -1;
    this.messagesTab.tabIndex = isHome ? -1 : 0;
    this.panel.hidden = !isHome;
    for (const panel of this.messagesPanels) panel.hidden = isHome;
  }

  async open() {
    this.choose(true);
    this.panel.setAttribute("aria-busy", "true");
    const answer = await postOrShowError("home", { as: this.workspace.me, team: this.workspace.team });
    if (answer) showError(answer.acked ? "" : "The app did not answer.");
    this.panel.removeAttribute("aria-busy");
  }

  // `view` is null until the app publishes one.
  show(view) {
    if (this.view?.id !== view?.id) this.state = new InputState();
    this.view = view;
    this.state.update(view?.values ?? {});
    keepFocus(this.panel, () => this.render(view), () => this.panel);
  }

  render(view) {
    if (!view) {
      this.panel.replaceChildren(h("p", { class: "empty" }, NOT_PUBLISHED));
      return;
    }
    const sendAction = (action) => post("press", { as: this.workspace.me, team: this.workspace.team, view: view.id, ...action });
    const surface = { sendAction, state: this.state };
    this.panel.replaceChildren(h("div", { class: "body" }, blockNodes(view.blocks, surface, this.workspace)));
  }
}
