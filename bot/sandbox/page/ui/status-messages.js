// Status messages in the sense of WCAG 4.1.3: a screen reader reads them although the focus stays where it is.

import { byId } from "./element.js";

// Announce a change that sighted people see elsewhere on the page.
export function announce(sentence) {
  byId("announcements").textContent = sentence;
}

// Show an error above the page; an empty text removes it.
export function showError(sentence) {
  const banner = byId("error");
  banner.textContent = sentence;
  banner.hidden = !sentence;
}
