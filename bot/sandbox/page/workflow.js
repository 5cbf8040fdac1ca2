// The workflow part of the panel: runs one of the app's steps with chosen inputs, and shows what came of it.

import { h, post, trouble } from "./dom.js";

const byId = (id) => document.getElementById(id);
const USER = "slack#/types/user_id";
let steps = [];
let mine = null;

export function showSteps(fresh, users) {
  const before = JSON.stringify(steps);
  steps = fresh;
  byId("workflow").hidden = steps.length === 0;
  if (JSON.stringify(steps) === before && byId("step").options.length) return;
  byId("step").replaceChildren(...steps.map(({ callback_id, name }) => h("option", { value: callback_id }, name)));
  drawInputs(users);
}

function chosen() {
  return steps.find((step) => step.callback_id === byId("step").value) ?? steps[0];
}

function drawInputs(users) {
  const people = Object.entries(users).filter(([, user]) => !user.app && !user.deleted);
  const control = (input) => {
    const attributes = { name: input.name };
    if (input.type !== USER) return h("input", { ...attributes, type: "text", autocomplete: "off" });
    return h("select", attributes, people.map(([id, user]) => h("option", { value: id }, user.name)));
  };
  const optional = (input) => (input.is_required ? "" : " (optional)");
  const fields = (chosen()?.inputs ?? []).map((input) =>
    h("label", { class: "field" }, h("span", {}, input.title + optional(input)), control(input)),
  );
  byId("inputs").replaceChildren(...fields);
}

export function listenToWorkflow(view) {
  byId("step").addEventListener("change", () => drawInputs(view.users));
  byId("run-step").addEventListener("submit", async (event) => {
    event.preventDefault();
    const typed = [...new FormData(event.target)].filter(([name, value]) => name !== "step" && value !== "");
    mine = null;
    draw("The workflow runs…");
    try {
      mine = (await post("run", { callback_id: chosen().callback_id, inputs: Object.fromEntries(typed) })).id;
      showRun(runs.get(mine));
    } catch (error) {
      draw();
      trouble(error.message);
    }
  });
}

const runs = new Map();

export function keepRun(run) {
  runs.set(run.id, run);
  if (run.id === mine) showRun(run);
}

export function showRuns(fresh) {
  for (const run of fresh) runs.set(run.id, run);
  if (!mine && fresh.length) mine = fresh.at(-1).id;
  if (mine) showRun(runs.get(mine));
}

function showRun(run) {
  if (!run) return;
  const rows = Object.entries(run.outputs).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]);
  if (run.status === "succeeded") draw("The step has succeeded.", h("dl", {}, rows));
  else if (run.status === "failed") draw("The step has failed, and Slack tells whoever looks after the workflow:", h("p", { class: "wrong-text" }, run.error));
  else draw(run.taken === false ? "The app did not answer; Slack tries again." : "The workflow runs…");
}

function draw(...parts) {
  const [sentence, ...more] = parts;
  byId("run-state").textContent = sentence ?? "";
  byId("run-result").replaceChildren(...more);
}
