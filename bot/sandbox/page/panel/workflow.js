// Workflow steps: runs one of the app's custom steps with the inputs the person chooses, and shows the result.

import { post } from "../api.js";
import { byId, h } from "../ui/element.js";
import { showError } from "../ui/status-messages.js";

const USER_ID_TYPE = "slack#/types/user_id";
const RUNNING = "The step is running…";
const FAILED = "The step failed. Slack shows this error to the owner of the workflow:";

export class WorkflowPanel {
  constructor(workspace) {
    Object.assign(this, { workspace, steps: [], executions: new Map(), shownId: null });
    byId("step").addEventListener("change", () => this.renderInputs());
    byId("run-step").addEventListener("submit", (event) => {
      event.preventDefault();
      this.run(new FormData(event.target));
    });
  }

  load(steps, executions) {
    this.loadSteps(steps);
    for (const execution of executions) this.executions.set(execution.id, execution);
    this.shownId ??= executions.at(-1)?.id ?? null;
    this.renderExecution();
  }

  // The server sends the same steps on each connection: keep the inputs that the person has filled in.
  loadSteps(steps) {
    const isUnchanged = JSON.stringify(steps) === JSON.stringify(this.steps) && byId("step").options.length > 0;
    this.steps = steps;
    byId("workflow").hidden = steps.length === 0;
    if (isUnchanged) return;
    byId("step").replaceChildren(...steps.map(({ callback_id, name }) => h("option", { value: callback_id }, name)));
    this.renderInputs();
  }

  get step() {
    return this.steps.find(({ callback_id }) => callback_id === byId("step").value) ?? this.steps[0];
  }

  renderInputs() {
    const fields = (this.step?.inputs ?? []).map((input) => {
      const title = input.title + (input.is_required ? "" : " (optional)");
      return h("label", { class: "field" }, h("span", {}, title), this.control(input));
    });
    byId("inputs").replaceChildren(...fields);
  }

  control({ name, type }) {
    if (type !== USER_ID_TYPE) return h("input", { name, type: "text", autocomplete: "off" });
    return h("select", { name }, this.workspace.humanUsers().map(([id, user]) => h("option", { value: id }, user.name)));
  }

  async run(form) {
    const inputs = [...form].filter(([name, value]) => name !== "step" && value !== "");
    this.shownId = null;
    render(RUNNING);
    try {
      const { id } = await post("run-step", { callback_id: this.step.callback_id, inputs: Object.fromEntries(inputs) });
      this.shownId = id;
      this.renderExecution();
    } catch (error) {
      render("");
      showError(error.message);
    }
  }

  update(execution) {
    this.executions.set(execution.id, execution);
    if (execution.id === this.shownId) this.renderExecution();
  }

  renderExecution() {
    const execution = this.executions.get(this.shownId);
    if (!execution) return; // nothing was run, or the answer to the request came before the first event
    if (execution.status === "succeeded") render("The step succeeded.", outputList(execution.outputs));
    else if (execution.status === "failed") render(FAILED, h("p", { class: "error-text" }, execution.error));
    else render(execution.acked === false ? "The app did not answer. Slack will try again." : RUNNING);
  }
}

function outputList(outputs) {
  return h("dl", {}, Object.entries(outputs).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]));
}

function render(sentence, ...details) {
  byId("run-state").textContent = sentence;
  byId("run-result").replaceChildren(...details);
}
