// The Slack workspace as the acting person sees it. Components read it; only app.js changes it.

import { InputState } from "./input-state.js";

export class Workspace {
  constructor(readMarkers) {
    Object.assign(this, { readMarkers, me: "", command: {}, users: {}, shortcuts: [], channels: [], messages: new Map() });
    Object.assign(this, { teams: {}, team: "" }); // of an Enterprise Grid: the names by id, and the open one
    this.openChannelIds = {}; // by person, so that switching back returns to the same channel
    this.inputStates = new Map(); // of messages, by timestamp
  }

  // Replace everything with what the server sends on each connection. A channel's `kind` is "channel" or "im".
  load({ me, command, users, shortcuts, channels, messages, teams }) {
    if (me !== this.me) this.inputStates.clear();
    Object.assign(this, { me, command, shortcuts, channels, teams });
    this.users = Object.assign(Object.create(null), users); // no prototype, so that only ids of users find something
    this.messages = new Map(messages.map((message) => [message.ts, message]));
    this.open(this.openChannelIds[me] ?? channels[0]?.id);
  }

  get openChannelId() {
    return this.openChannelIds[this.me];
  }

  get openChannel() {
    return this.channels.find(({ id }) => id === this.openChannelId) ?? this.channels[0];
  }

  // A channel of the whole organization and a direct message are read in the workspace that was open before.
  open(channelId) {
    this.openChannelIds[this.me] = channelId;
    this.team = this.openChannel?.team || this.team || Object.keys(this.teams)[0];
  }

  get teamName() {
    return this.teams[this.team];
  }

  // The name of the other workspace that a channel is in; "" if that is the open one.
  otherTeamName({ team }) {
    return team && team !== this.team ? this.teams[team] : "";
  }

  channelName(id) {
    return this.channels.find((channel) => channel.id === id)?.name ?? id;
  }

  // Entries of id and user, without apps and deactivated accounts.
  humanUsers() {
    return Object.entries(this.users).filter(([, user]) => !user.app && !user.deleted);
  }

  messagesIn(channelId) {
    return [...this.messages.values()].filter((message) => message.channel === channelId);
  }

  // What the message's inputs hold. An update of the message keeps what the person chose in those that it still has.
  inputsOf(message) {
    if (!this.inputStates.has(message.ts)) this.inputStates.set(message.ts, new InputState());
    const state = this.inputStates.get(message.ts);
    state.update(message.values);
    return state;
  }

  markRead() {
    const latest = this.messagesIn(this.openChannelId).at(-1);
    if (latest) this.readMarkers.set(this.me, this.openChannelId, latest.ts);
  }

  unreadCount(channelId) {
    if (channelId === this.openChannelId) return 0;
    const marker = Number(this.readMarkers.get(this.me, channelId) ?? 0);
    return this.messagesIn(channelId).filter(({ user, ts }) => user !== this.me && Number(ts) > marker).length;
  }
}

// A channel's name as Slack shows it before a message is sent to it and in lists.
export function channelTitle({ kind, name }, sign = "# ") {
  return kind === "im" ? name : sign + name;
}
