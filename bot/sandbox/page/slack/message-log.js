// The messages of the open channel.

import { h } from "../ui/element.js";
import { keepFocus } from "../ui/focus.js";
import { messageNode } from "./message.js";

const NEAR_END_PX = 80;

export class MessageLog {
  constructor(log, workspace) {
    Object.assign(this, { log, workspace });
  }

  // Show all messages of a channel, without having a screen reader read old messages as new ones.
  render(channel) {
    const messages = this.workspace.messagesIn(channel.id);
    this.log.setAttribute("aria-live", "off");
    this.log.replaceChildren(...(messages.length ? [] : [this.emptyNode(channel)]));
    for (const message of messages) this.place(message);
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  add(message) {
    this.keepEnd(() => {
      this.log.querySelector(".empty")?.remove();
      this.place(message);
    });
  }

  // A reply stands below its message and the earlier replies. Slack shows replies in a pane of their own.
  place(message) {
    const node = messageNode(message, this.workspace);
    const thread = message.thread ? CSS.escape(message.thread) : null;
    const last = thread && [...this.log.querySelectorAll(`[data-ts="${thread}"], [data-thread="${thread}"]`)].at(-1);
    if (last) last.after(node);
    else this.log.append(node);
  }

  replace(message) {
    const node = messageNode(message, this.workspace);
    const old = this.nodeOf(message.ts);
    if (old) this.keepEnd(() => keepFocus(old, () => old.replaceWith(node), () => node, node));
  }

  remove(ts) {
    keepFocus(this.log, () => this.nodeOf(ts)?.remove(), () => this.log);
  }

  scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  // Follow new messages only when the person has not scrolled up to read older ones.
  keepEnd(redraw) {
    const isAtEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END_PX;
    redraw();
    if (isAtEnd) this.scrollToEnd();
  }

  nodeOf(ts) {
    return this.log.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  }

  emptyNode(channel) {
    if (channel.read_only) return h("p", { class: "empty" }, "Nothing here yet. The app writes here.");
    const command = h("code", {}, this.workspace.command.name);
    return h("p", { class: "empty" }, "Nothing here yet. Type ", command, " and press Enter to start a session.");
  }
}
