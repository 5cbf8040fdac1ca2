// Slack's composition objects: text and the confirmation dialog.
// https://docs.slack.dev/reference/block-kit/composition-objects

import { askToConfirm } from "../ui/dialog.js";
import { h } from "../ui/element.js";
import { mrkdwn } from "./mrkdwn.js";
import { plainText } from "./plain-text.js";

export function textNodes(text, workspace) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, workspace) : plainText(text.text);
}

export function isConfirmed(confirm, workspace) {
  return askToConfirm({
    title: plainText(confirm.title.text),
    text: h("span", {}, textNodes(confirm.text, workspace)),
    confirm: plainText(confirm.confirm.text),
    deny: plainText(confirm.deny.text),
    danger: confirm.style === "danger",
  });
}
