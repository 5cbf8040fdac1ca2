// Shows the conversation as wide as a phone, with what Slack's phone apps show. The address keeps the choice.

import { announce } from "./status-messages.js";

export function phonePreview(button) {
  const show = (isPhone) => {
    document.body.classList.toggle("phone", isPhone);
    button.setAttribute("aria-pressed", String(isPhone));
  };
  button.addEventListener("click", () => {
    const isPhone = button.getAttribute("aria-pressed") !== "true";
    show(isPhone);
    rememberInAddress("phone", isPhone ? "yes" : null);
    announce(isPhone ? "The conversation is as wide as a phone" : "The conversation is as wide as the window");
  });
  show(new URLSearchParams(location.search).has("phone"));
}

// Keep a value in the page's address, so that reloading the page keeps it; null removes it.
export function rememberInAddress(name, value) {
  const fields = new URLSearchParams(location.search);
  if (value === null) fields.delete(name);
  else fields.set(name, value);
  history.replaceState(null, "", fields.size ? `?${fields}` : location.pathname);
}
