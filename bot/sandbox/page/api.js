// The page's server: POST requests for what the person does, server-sent events for what changes.

import { showError } from "./ui/status-messages.js";

export const CONNECTION_LOST = "The sandbox does not answer. Trying again…";
const RECONNECT_MS = 2000;

// Returns the JSON of the answer. Throws TypeError without an answer, and Error with the server's sentence on a refusal.
export async function post(action, body) {
  const response = await fetch(`api/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// Like `post`, but shows the error and returns undefined.
export async function postOrShowError(action, body) {
  try {
    return await post(action, body);
  } catch (error) {
    showError(error.message);
    return undefined;
  }
}

// One stream of events for the acting person. The browser reconnects after a network error but gives up when the server
// refuses; then this reconnects as `currentPerson()`, or as the server's first person when that is null.
export class EventStream {
  constructor({ handlers, currentPerson }) {
    Object.assign(this, { handlers, currentPerson, source: null });
  }

  connect(person) {
    this.source?.close();
    const source = new EventSource(person ? `events?as=${encodeURIComponent(person)}` : "events");
    this.source = source;
    for (const [type, handle] of Object.entries(this.handlers))
      source.addEventListener(type, (event) => handle(JSON.parse(event.data)));
    source.onerror = () => {
      showError(CONNECTION_LOST);
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(() => source === this.source && this.connect(this.currentPerson()), RECONNECT_MS);
    };
  }
}
