// The fault that the sandbox's session service has: the person chooses one, or none.

import { postOrShowError } from "../api.js";
import { byId, h } from "../ui/element.js";

export function listenToFaults() {
  byId("fault").addEventListener("change", (event) => postOrShowError("fault", { name: event.target.value || null }));
}

export function showFaults(faults, chosen) {
  const options = faults.map(({ name, description }) => h("option", { value: name, "data-description": description }, `${name}: ${description}`));
  byId("fault").replaceChildren(h("option", { value: "" }, "works normally"), ...options);
  showFault(chosen);
}

export function showFault(chosen) {
  const select = byId("fault");
  const note = byId("fault-note");
  select.value = chosen ?? "";
  select.classList.toggle("on", Boolean(chosen));
  note.classList.toggle("on", Boolean(chosen));
  const description = select.selectedOptions[0]?.dataset.description ?? chosen;
  note.textContent = chosen ? `Active fault: ${description.replace(/\.$/, "")}.` : "Choose a fault to see how the bot reports it.";
}
