// The guided tours beside the page: the list of tours, or the steps of the one under way. The person does each step, or
// lets the page do it; either way it is the real bot that answers.

import { h } from "../ui/element.js";
import { announce, showError } from "../ui/status-messages.js";
import { TOURS } from "./scripts.js";

const CHECK_MS = 200;
const ANSWER_MS = 10_000;

export class TourGuide {
  constructor(container, stage) {
    Object.assign(this, { container, stage, tour: null, position: 0, answers: 0, heard: false, timer: 0 });
    this.render();
  }

  // The app has answered the acting person.
  noticeAnswer() {
    this.answers += 1;
  }

  start(tour) {
    clearInterval(this.timer);
    Object.assign(this, { tour, timer: setInterval(() => this.check(), CHECK_MS) });
    this.enter(0);
  }

  leave() {
    clearInterval(this.timer);
    this.tour = null;
    this.render();
    this.container.querySelector("button").focus();
  }

  get step() {
    return this.tour?.steps[this.position];
  }

  enter(position) {
    Object.assign(this, { position, answers: 0, heard: false });
    const hadFocus = this.container.contains(document.activeElement);
    this.render();
    announce(this.step ? `Step ${position + 1}: ${this.step.text}` : "The tour is over.");
    if (hadFocus || position === 0) this.container.querySelector(".tour-controls button").focus();
  }

  check() {
    if (this.step?.until?.said && this.stage.says(this.step.until.said)) this.heard = true;
    if (this.step?.until && this.isDone(this.step.until)) this.enter(this.position + 1);
  }

  isDone(until) {
    if (until === "answer") return this.answers > 0;
    if ("as" in until) return this.stage.handle === until.as;
    if ("said" in until) return this.heard && !this.stage.hasDialog;
    if ("open" in until) return this.stage.place === until.open;
    return this.stage.fault === until.fault;
  }

  async perform(button) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true"); // until the next step: doing it twice would ask the bot twice
    const { step } = this;
    const release = () => button.removeAttribute("aria-busy");
    try {
      await this.stage.perform(step.does);
      if (this.step === step) this.heard = true; // the dialog may be closed before the next look
      setTimeout(release, ANSWER_MS);
    } catch (error) {
      release();
      showError(error.message);
    }
    this.container.querySelector(".tour-controls button")?.focus(); // doing it has moved the focus into the conversation
  }

  // During a tour the app's dialogs leave the panel usable: see modal.js.
  render() {
    document.body.classList.toggle("touring", Boolean(this.tour));
    this.container.replaceChildren(...(this.tour ? this.tourNodes() : this.listNodes()));
  }

  listNodes() {
    const buttons = TOURS.map((tour) =>
      h("li", {}, h("button", { type: "button", class: "tour-choice", onclick: () => this.start(tour) }, tour.title)),
    );
    return [h("h2", { id: "tours-name" }, "Guided tours"), h("ul", { class: "tour-list" }, buttons)];
  }

  tourNodes() {
    const steps = this.tour.steps.map((step, index) => {
      const state = index < this.position ? "done" : index === this.position ? "current" : "";
      const current = index === this.position ? "step" : null;
      const said = index < this.position ? h("span", { class: "visually-hidden" }, "Done: ") : null;
      return h("li", { class: `tour-step ${state}`.trim(), "aria-current": current }, said, step.text);
    });
    return [
      h("h2", { id: "tours-name" }, this.tour.title),
      h("ol", { class: "tour-steps", "aria-labelledby": "tours-name" }, steps),
      h("div", { class: "tour-controls" }, this.nextButton(), this.leaveButton()),
    ];
  }

  nextButton() {
    const { step } = this;
    if (!step) return null;
    const button = h("button", { type: "button", class: "button primary" }, step.does ? "Do it for me" : "Next");
    button.addEventListener("click", () => (step.does ? this.perform(button) : this.enter(this.position + 1)));
    return button;
  }

  leaveButton() {
    const words = this.step ? "Leave the tour" : "Other tours";
    return h("button", { type: "button", class: "button", onclick: () => this.leave() }, words);
  }
}
