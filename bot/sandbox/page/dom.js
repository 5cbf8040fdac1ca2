// Builds DOM nodes; text always becomes a text node, so nothing anybody wrote is ever read as HTML.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(path, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

export const EYE =
  "M8 3C4.5 3 1.7 5.2.5 8c1.2 2.8 4 5 7.5 5s6.3-2.2 7.5-5C14.3 5.2 11.5 3 8 3zm0 8.4a3.4 3.4 0 1 1 0-6.8 3.4 3.4 0 0 1 0 6.8zm0-1.6a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z";
export const WARNING = "M8 1.5L15.5 14.5H.5zM7.25 6v4.25h1.5V6zm0 5.25v1.5h1.5v-1.5z";

export const BOLT = "M9.5.5 2.5 9.2h4.6L6 15.5l7.5-9H8.6z";
export const DOTS = "M3 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zm5 0a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zm5 0a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2z";
export const CROSS = "M3.6 2.5 2.5 3.6 6.9 8l-4.4 4.4 1.1 1.1L8 9.1l4.4 4.4 1.1-1.1L9.1 8l4.4-4.4-1.1-1.1L8 6.9z";

// Draws a part of the page anew; the focus stays at the same element where there still is one, else goes to `otherwise()`.
export function keepFocus(part, redraw, otherwise) {
  const had = document.activeElement;
  const isInside = part.contains(had) && had !== part;
  const { action, block } = had?.dataset ?? {};
  const caret = isInside && "selectionStart" in had ? [had.selectionStart, had.selectionEnd] : null;
  redraw();
  if (!isInside || document.contains(had)) return;
  const alike = action ? [...part.querySelectorAll(`[data-action="${CSS.escape(action)}"]`)] : [];
  const found = alike.find((node) => node.dataset.block === block) ?? alike[0] ?? otherwise();
  found?.focus({ preventScroll: true });
  if (caret?.[0] != null && found === document.activeElement && found.setSelectionRange) found.setSelectionRange(...caret);
}

// Gives the focus back to where it was, or to the message box when that is gone.
export function backTo(node) {
  const isThere = node && node !== document.body && document.contains(node);
  (isThere ? node : document.getElementById("box")).focus();
}

// Tells a screen reader what the eye sees elsewhere.
export function tell(sentence) {
  document.getElementById("said").textContent = sentence;
}

export async function post(what, body) {
  const response = await fetch(`api/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export function trouble(sentence) {
  const place = document.getElementById("trouble");
  place.textContent = sentence;
  place.hidden = !sentence;
}

// Asks before something is done, as Slack's confirm object says; answers true or false.
export function ask({ title, text, confirm, deny, danger }) {
  return new Promise((resolve) => {
    const no = h("button", { type: "button", class: "button", autofocus: true, onclick: () => dialog.close("no") }, deny);
    const look = danger ? "button danger" : "button primary";
    const yes = h("button", { type: "button", class: look, onclick: () => dialog.close("yes") }, confirm);
    const name = h("h2", { id: "ask-title" }, title);
    const what = h("p", { id: "ask-text" }, text);
    const described = { "aria-labelledby": "ask-title", "aria-describedby": "ask-text" };
    const dialog = h("dialog", described, name, what, h("div", { class: "buttons" }, no, yes));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
