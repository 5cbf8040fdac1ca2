// The page's entry: makes its parts, applies the server's events to them, and sends what the person types.

import { CONNECTION_LOST, EventStream, post } from "./api.js";
import { LanguageChoice } from "./panel/language-choice.js";
import { Panel } from "./panel/panel.js";
import { AccountSwitcher } from "./slack/account-switcher.js";
import { Composer } from "./slack/composer.js";
import { HomeTab } from "./slack/home-tab.js";
import { MessageLog } from "./slack/message-log.js";
import { Modal } from "./slack/modal.js";
import { ReadMarkers } from "./slack/read-markers.js";
import { globalShortcuts } from "./slack/shortcuts.js";
import { Sidebar } from "./slack/sidebar.js";
import { suggestionsFor } from "./slack/suggestions.js";
import { channelTitle, Workspace } from "./slack/workspace.js";
import { Stage } from "./tours/stage.js";
import { TourGuide } from "./tours/tour-guide.js";
import { drawer } from "./ui/drawer.js";
import { byId } from "./ui/element.js";
import { focusConversation } from "./ui/focus.js";
import { phonePreview, rememberInAddress } from "./ui/phone-preview.js";
import { showError } from "./ui/status-messages.js";

const SLACKBOT = "USLACKBOT";

const workspace = new Workspace(new ReadMarkers());
const accountSwitcher = new AccountSwitcher({ select: byId("account"), onSwitch: switchAccount });
const languageChoice = new LanguageChoice({ select: byId("locale"), currentPerson: () => workspace.me });
const sidebar = new Sidebar({ lists: { channel: byId("channels"), im: byId("direct-messages") }, workspace, onOpen: openChannel });
const messageLog = new MessageLog(byId("log"), workspace);
const homeTab = new HomeTab({ tabs: byId("tabs"), panel: byId("home"), messagesPanels: [byId("log"), byId("composing")], workspace });
const modal = new Modal(byId("modal"), workspace);
const composer = new Composer({
  form: byId("composer"),
  readOnlyNotice: byId("read-only"),
  box: byId("box"),
  list: byId("suggestions"),
  suggest: (word) => suggestionsFor(word, workspace),
  send: sendMessage,
  currentPerson: () => workspace.me,
});
const panel = new Panel(workspace);
const tourGuide = new TourGuide(byId("tours"), new Stage({ workspace, openChannel }));
phonePreview(byId("phone"));
const closeSidebar = drawer(byId("show-sidebar"), byId("sidebar"));
drawer(byId("show-panel"), byId("panel"));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  focusConversation();
});

const events = new EventStream({
  handlers: {
    state: load,
    message: showMessage,
    message_deleted: removeMessage,
    unread: (person) => accountSwitcher.addUnread(person),
    modals: showModals,
    home: (view) => homeTab.show(view),
    locale: (chosen) => languageChoice.show(chosen),
    ...panel.handlers,
  },
  currentPerson: () => workspace.me || null,
});
events.connect(new URLSearchParams(location.search).get("as"));

function load(snapshot) {
  showError("");
  if (workspace.me !== snapshot.me) homeTab.reset();
  workspace.load(snapshot);
  document.title = byId("title").textContent = snapshot.title;
  panel.load(snapshot);
  accountSwitcher.load(snapshot.people, snapshot.me);
  languageChoice.load(snapshot.locales, snapshot.locale);
  rememberInAddress("as", workspace.users[snapshot.me].handle);
  byId("shortcuts").replaceChildren(...globalShortcuts(workspace));
  homeTab.show(snapshot.home);
  showChannel();
  composer.setEnabled(true);
  modal.show(snapshot.modals);
}

function showChannel() {
  const channel = workspace.openChannel;
  if (!channel) return;
  byId("channel-title").textContent = channelTitle(channel);
  byId("workspace").textContent = workspace.teamName;
  composer.setChannel(channelTitle(channel, "#"), { isReadOnly: channel.read_only });
  messageLog.render(channel);
  homeTab.enter(channel);
  messageLog.scrollToEnd();
  workspace.markRead();
  sidebar.render();
}

function openChannel(id) {
  workspace.open(id);
  closeSidebar();
  showChannel();
  focusConversation();
}

function showMessage(message) {
  if (workspace.users[message.user]?.app && message.user !== SLACKBOT) tourGuide.noticeAnswer();
  const isNew = !workspace.messages.has(message.ts);
  workspace.messages.set(message.ts, message);
  if (message.channel === workspace.openChannelId) {
    if (isNew) messageLog.add(message);
    else messageLog.replace(message);
    workspace.markRead();
  }
  sidebar.render();
}

function showModals(stack) {
  tourGuide.noticeAnswer();
  modal.show(stack);
}

function removeMessage(ts) {
  workspace.messages.delete(ts);
  messageLog.remove(ts);
  sidebar.render();
}

function switchAccount(person) {
  composer.setEnabled(false); // until the new person's state is here, or a message could be sent as somebody else
  events.connect(person);
}

async function sendMessage(text) {
  messageLog.scrollToEnd(); // the log follows the answer only from its end
  try {
    await post("message", { as: workspace.me, channel: workspace.openChannelId, text });
    showError("");
  } catch (error) {
    showError(error instanceof TypeError ? CONNECTION_LOST : error.message);
  }
}
