// The number of live conversations that each agent has at Genesys. Hidden when the bot works without conversations.

import { postOrShowError } from "../api.js";
import { byId, h } from "../ui/element.js";

export function listenToLiveConversations() {
  byId("live-conversations").addEventListener("change", (event) => postOrShowError("live-conversations", { name: event.target.value }));
}

// `setting` has the `choices` and the `chosen` one, or is null.
export function showLiveConversations(setting) {
  byId("live-conversations-field").hidden = !setting;
  if (!setting) return;
  const select = byId("live-conversations");
  select.replaceChildren(...setting.choices.map((name) => h("option", { value: name }, name)));
  select.value = setting.chosen;
}
