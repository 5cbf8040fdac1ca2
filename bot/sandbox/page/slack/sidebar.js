// The list of channels and direct messages, with the number of unread messages in each.

import { h } from "../ui/element.js";
import { channelTitle } from "./workspace.js";

export class Sidebar {
  // `lists` are the list elements by kind of channel; `onOpen` gets the id of the channel that the person opens.
  constructor({ lists, workspace, onOpen }) {
    Object.assign(this, { lists, workspace, onOpen });
  }

  render() {
    for (const [kind, list] of Object.entries(this.lists)) {
      const channels = this.workspace.channels.filter((channel) => channel.kind === kind);
      list.replaceChildren(...channels.map((channel) => this.item(channel)));
    }
  }

  item(channel) {
    const count = this.workspace.unreadCount(channel.id);
    const team = this.workspace.otherTeamName(channel);
    const title = channelTitle(channel) + (team ? ` (${team})` : "");
    const attributes = {
      type: "button",
      class: count ? "channel unread" : "channel",
      "aria-current": channel.id === this.workspace.openChannelId ? "true" : null,
      onclick: () => this.onOpen(channel.id),
    };
    // The words for a screen reader are part of the content: a separate name would differ from what is to be seen.
    const words = count ? h("span", { class: "visually-hidden" }, " unread") : null;
    const badge = count ? h("span", { class: "unread-count" }, String(count), words) : null;
    return h("li", {}, h("button", attributes, h("span", {}, title), badge));
  }
}
