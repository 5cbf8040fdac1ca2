// What a tour does on the page for the person: the same typing, choosing and pressing, in the same controls.

import { byId } from "../ui/element.js";

const LOOK_MS = 50;
const PATIENCE_MS = 5000;
const DIALOG_MS = 1000; // the app opens its dialogs itself

export class Stage {
  // `openChannel` opens a channel by its id.
  constructor({ workspace, openChannel }) {
    Object.assign(this, { workspace, openChannel });
  }

  get handle() {
    return this.workspace.users[this.workspace.me]?.handle;
  }

  get place() {
    return this.workspace.openChannel?.name;
  }

  get hasDialog() {
    return document.querySelector("dialog[open]") !== null;
  }

  // Whether the open dialog has these words.
  says(words) {
    return document.querySelector(DIALOG)?.innerText.includes(words) ?? false;
  }

  get fault() {
    return byId("fault").value;
  }

  // Throws Error with a sentence when a control is missing.
  async perform({ as, open, fault, say, press, option, connect }) {
    if (as) await this.actAs(as);
    if (open) this.open(open);
    if (fault !== undefined) select(byId("fault"), fault);
    if (say) this.say(say);
    if (press) await this.press(press, option);
    if (connect) await this.connect(connect);
  }

  async actAs(handle) {
    const [id] = Object.entries(this.workspace.users).find(([, user]) => user.handle === handle);
    select(byId("account"), id);
    await appearance(() => this.handle === handle);
  }

  open(name) {
    const channel = this.workspace.channels.find((each) => each.name === name);
    if (this.place !== name) this.openChannel(channel.id);
  }

  say(text) {
    byId("box").value = text;
    byId("composer").requestSubmit();
  }

  // Press the control whose action_id starts with `action` in the modal or the newest message, and confirm. A menu opens,
  // and its `option` is chosen.
  // A dialog with a field is no question: a later step fills it in.
  async press(action, option) {
    const control = await appearance(() => controlOf(action));
    control.click();
    if (option) (await appearance(() => itemOf(control, option))).click();
    const confirm = await appearance(() => document.querySelector(CONFIRM), DIALOG_MS).catch(() => null);
    confirm?.click();
  }

  // Send each step of the dialog that `action` opens as it is, with the first of its choices, and close the last one.
  async connect(action) {
    if (!this.hasDialog) await this.press(action);
    const field = (kind) => document.querySelector(`${DIALOG} .modal-body input${kind}`);
    await appearance(() => field(":not([type=radio])"));
    document.querySelector(DIALOG).requestSubmit();
    (await appearance(() => field("[type=radio]"))).click();
    document.querySelector(DIALOG).requestSubmit();
    const ends = () => !field("[type=radio]") && !document.querySelector(`${DIALOG} [type=submit]`);
    await appearance(() => ends() && this.says(" is connected "));
    document.querySelector(`${DIALOG} .modal-footer button`).click();
  }
}

const DIALOG = "dialog[open] .modal-form";
const CONFIRM = "dialog[open] .buttons :last-child, dialog[open]:not(:has(.modal-body :is(input, textarea, select))) [type=submit]";

// A list may have several such controls in one message, the newest session first.
function controlOf(action) {
  const selector = `[data-action^="${CSS.escape(action)}"]`;
  const surfaces = [...document.querySelectorAll("article, dialog[open]")];
  return surfaces.findLast((node) => node.querySelector(selector)?.checkVisibility())?.querySelector(selector);
}

function itemOf(control, option) {
  const item = control.parentNode.querySelector(`[role=menuitem][data-value="${CSS.escape(option)}"]`);
  return item?.checkVisibility() ? item : null;
}

function select(node, value) {
  if (node.value === value) return;
  node.value = value;
  node.dispatchEvent(new Event("change"));
}

// Resolves to what `look` finds, as soon as it finds something.
function appearance(look, patience = PATIENCE_MS) {
  const end = performance.now() + patience;
  return new Promise((resolve, reject) => {
    const check = () => {
      const found = look();
      if (found) resolve(found);
      else if (performance.now() > end) reject(new Error("The tour does not find it. Do this step yourself."));
      else setTimeout(check, LOOK_MS);
    };
    check();
  });
}
