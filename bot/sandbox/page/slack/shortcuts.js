// The app's shortcuts: global ones in a menu beside the message box, message shortcuts in a menu at each message.

import { postOrShowError } from "../api.js";
import { h } from "../ui/element.js";
import { ELLIPSIS, LIGHTNING } from "../ui/icons.js";
import { menuButton } from "../ui/menu-button.js";
import { showError } from "../ui/status-messages.js";

// Both return the nodes to show: none where the app has no such shortcut.
export function globalShortcuts(workspace) {
  return shortcutMenu("global", { label: "Shortcuts", iconPath: LIGHTNING }, {}, workspace);
}

// `description` tells this message's menu from the others. Slack has no shortcuts for ephemeral messages.
export function messageShortcuts(message, description, workspace) {
  if (message.ephemeral) return [];
  const menu = { label: `More actions for ${description}`, iconPath: ELLIPSIS };
  const nodes = shortcutMenu("message", menu, { ts: message.ts }, workspace);
  return nodes.map((node) => h("div", { class: "message-menu" }, node));
}

function shortcutMenu(type, menu, target, workspace) {
  const items = workspace.shortcuts.filter((shortcut) => shortcut.type === type);
  if (!items.length) return [];
  const onSelect = ({ callback_id }) => run({ as: workspace.me, team: workspace.team, callback_id, ...target });
  return [menuButton({ ...menu, items, onSelect })];
}

async function run(shortcut) {
  const answer = await postOrShowError("shortcut", shortcut);
  if (answer) showError(answer.acked ? "" : "The app did not answer. Try again.");
}
