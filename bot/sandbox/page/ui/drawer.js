// A part of the page that a narrow window hides behind a button. Escape closes it.

import { announce } from "./status-messages.js";

// Returns the function that closes the drawer.
export function drawer(button, content) {
  const toggle = (isOpen) => {
    content.classList.toggle("open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) announce(`${button.textContent} shown`);
  };
  button.addEventListener("click", () => toggle(!content.classList.contains("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !content.classList.contains("open") || event.defaultPrevented) return;
    toggle(false);
    button.focus();
  });
  return () => toggle(false);
}
