// The customer's phone beside the conversation: the messages that Genesys has sent and the sessions to join. Links open in
// the same frame, so that the card and the customer's page are side by side.

import { byId, h } from "../ui/element.js";

const SENDING = /\/agentless\b|\/conversations\/•••\/cobrowse$/;

let address = "";

export function listenToCustomerPhone() {
  byId("customer").addEventListener("toggle", load);
}

// `url` is empty when the sandbox's Genesys sends nothing to customers.
export function showCustomerPhone(url) {
  address = url;
  byId("customer").hidden = !url;
  byId("outbox").href = url;
}

// Show a message as soon as Genesys has taken it, and a session as soon as there is one to join.
export function refreshOnSending({ path, status }) {
  if (SENDING.test(path ?? "") && status < 300) load();
}

function load() {
  const { open } = byId("customer");
  const frame = h("iframe", { src: address, title: "The customer's phone", referrerpolicy: "no-referrer" });
  byId("customer-frame").replaceChildren(...(open ? [frame] : []));
}
