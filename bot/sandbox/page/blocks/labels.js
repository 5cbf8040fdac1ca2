// Accessible names of buttons: a button's own words, then its subject, which tells it from others with the same words.

import { plainText } from "./plain-text.js";

const MAX_SUBJECT_LENGTH = 120;

// The first text in these blocks, on one line and without markup.
export function subjectOf(blocks) {
  const text = blocks.map((block) => block.text?.text).find(Boolean) ?? "";
  const words = plainText(text.replace(/<[^>|]*\|([^>]*)>/g, "$1")).replace(/[*_~`]/g, "");
  return words.split(/\s+/).join(" ").trim().slice(0, MAX_SUBJECT_LENGTH);
}

export function labelButton(button, words, subject) {
  button.textContent = words;
  if (subject) button.setAttribute("aria-label", `${words}, ${subject}`);
}
