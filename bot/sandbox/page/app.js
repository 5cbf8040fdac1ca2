// The page: keeps what the acting person sees, draws it, and tells the server what they do.

import { Composer } from "./composer.js";
import { BOLT, h, keepFocus, post, tell, trouble } from "./dom.js";
import { Home } from "./home.js";
import { menuButton } from "./menu.js";
import { messageNode, useShortcut } from "./message.js";
import { Modal } from "./modal.js";
import { addTraffic, drawer, listenToFaults, listenToTalk, showFault, showFaults, showOutbox, showTalk, showTraffic } from "./panel.js";
import { keepRun, listenToWorkflow, showRuns, showSteps } from "./workflow.js";

const byId = (id) => document.getElementById(id);
const LOST = "The sandbox does not answer. Trying again…";
const state = { me: "", users: {}, shortcuts: [], people: [], places: [], messages: new Map(), place: {}, news: {}, read: loadRead() };
let live = null;

const view = {
  get me() {
    return state.me;
  },
  get users() {
    return state.users;
  },
  get shortcuts() {
    return state.shortcuts;
  },
  placeName: (id) => state.places.find((place) => place.id === id)?.name ?? id,
};

// live

function connect(person) {
  live?.close();
  live = new EventSource(person ? `live?as=${encodeURIComponent(person)}` : "live");
  const on = (event, act) => live.addEventListener(event, (message) => act(JSON.parse(message.data)));
  on("state", start);
  on("message", (message) => keep(message));
  on("gone", (ts) => forget(ts));
  on("elsewhere", (id) => {
    state.news[id] = (state.news[id] ?? 0) + 1;
    drawPeople();
  });
  on("traffic", addTraffic);
  on("fault", showFault);
  on("talk", showTalk);
  on("modals", (stack) => modal.show(stack));
  on("home", (published) => home.show(published));
  on("run", keepRun);
  const mine = live;
  live.onerror = () => {
    trouble(LOST);
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === live && connect(state.me || null), 2000);
  };
}

function start(fresh) {
  trouble("");
  if (state.me !== fresh.me) home.isOn = false;
  const { title, command, me, people, users, places, messages, faults, fault, talk, traffic, shortcuts } = fresh;
  Object.assign(state, { title, command, me, people, users, places, shortcuts });
  state.messages = new Map(messages.map((message) => [message.ts, message]));
  state.place[me] ??= places[0]?.id;
  delete state.news[me];
  document.title = byId("title").textContent = title;
  showFaults(faults, fault);
  showTalk(talk);
  showOutbox(fresh.outbox);
  showTraffic(traffic);
  showSteps(fresh.steps, users);
  showRuns(fresh.runs);
  drawPeople();
  drawLightning();
  home.show(fresh.home);
  drawPlace();
  byId("box").disabled = false;
  modal.show(fresh.modals);
}

function keep(message) {
  const isNew = !state.messages.has(message.ts);
  state.messages.set(message.ts, message);
  if (message.channel === here()) draw(message, isNew);
  drawPlaces();
}

function forget(ts) {
  state.messages.delete(ts);
  const node = nodeOf(ts);
  keepFocus(byId("log"), () => node?.remove(), () => byId("log"));
  drawPlaces();
}

// the conversation

const here = () => state.place[state.me];
const nodeOf = (ts) => byId("log").querySelector(`[data-ts="${CSS.escape(ts)}"]`);

function draw(message, isNew) {
  const log = byId("log");
  const wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const node = messageNode(message, view);
  if (isNew) log.append(node);
  else keepFocus(log, () => nodeOf(message.ts)?.replaceWith(node), () => node);
  log.querySelector(".empty")?.remove();
  if (wasAtEnd) log.scrollTop = log.scrollHeight;
  markRead();
}

function drawPlace() {
  const place = state.places.find((one) => one.id === here()) ?? state.places[0];
  if (!place) return;
  const isIm = place.kind === "im";
  byId("place").textContent = isIm ? place.name : `# ${place.name}`;
  const wanted = isIm ? place.name : `#${place.name}`;
  byId("box").placeholder = `Message ${wanted}, or type / for the command`;
  byId("box").setAttribute("aria-label", `Message ${wanted}`);
  const shown = [...state.messages.values()].filter((message) => message.channel === place.id);
  const log = byId("log");
  log.setAttribute("aria-live", "off"); // what was said before is not news
  log.replaceChildren(...(shown.length ? shown.map((message) => messageNode(message, view)) : [emptyNode()]));
  home.at(place);
  log.scrollTop = log.scrollHeight;
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
  markRead();
  drawPlaces();
}

function emptyNode() {
  const { name } = state.command;
  return h("p", { class: "empty" }, "Nothing here yet. Type ", h("code", {}, name), " and press Enter to start a session.");
}

function drawLightning() {
  const rows = state.shortcuts.filter((shortcut) => shortcut.type === "global");
  const choose = ({ callback_id }) => useShortcut({ as: state.me, callback_id });
  byId("lightning").replaceChildren(...(rows.length ? [menuButton({ label: "Shortcuts", sign: BOLT, rows, choose })] : []));
}

// the left side

function drawPlaces() {
  for (const kind of ["channel", "im"]) {
    const rows = state.places.filter((place) => place.kind === kind).map(placeRow);
    byId(`${kind}s`).replaceChildren(...rows);
  }
}

function placeRow(place) {
  const count = unread(place.id);
  const label = place.kind === "im" ? place.name : `# ${place.name}`;
  const look = { type: "button", class: count ? "place unread" : "place" };
  const told = { "aria-current": place.id === here() ? "true" : null, "aria-label": count ? `${label}, ${count} unread` : null };
  const badge = count ? h("span", { class: "count" }, String(count)) : null;
  return h("li", {}, h("button", { ...look, ...told, onclick: () => go(place.id) }, h("span", {}, label), badge));
}

function go(placeId) {
  state.place[state.me] = placeId;
  closePlaces();
  drawPlace();
  byId(byId("composer").hidden ? "home" : "box").focus();
}

function drawPeople() {
  const options = state.people.map(({ id, label }) => {
    const news = state.news[id] ? ` (${state.news[id]} new)` : "";
    return h("option", { value: id, selected: id === state.me }, label + news);
  });
  byId("person").replaceChildren(...options);
}

// what was read, remembered over reloads

function loadRead() {
  try {
    return JSON.parse(localStorage.getItem("read")) ?? {};
  } catch {
    return {};
  }
}

function markRead() {
  const latest = [...state.messages.values()].filter((message) => message.channel === here()).at(-1);
  if (!latest) return;
  state.read[`${state.me} ${here()}`] = latest.ts;
  try {
    localStorage.setItem("read", JSON.stringify(state.read));
  } catch {
    // a private window without storage: counts start afresh on reload
  }
}

function unread(placeId) {
  const last = Number(state.read[`${state.me} ${placeId}`] ?? 0);
  const isNews = (message) => message.channel === placeId && message.user !== state.me && Number(message.ts) > last;
  return placeId === here() ? 0 : [...state.messages.values()].filter(isNews).length;
}

// what the person does

function offersFor(word) {
  if (word.startsWith("/")) {
    const { name, usage } = state.command;
    return name.startsWith(word) ? [{ insert: name, hint: usage }] : [];
  }
  const wanted = word.slice(1).toLowerCase();
  const isWanted = (user) => user.handle.startsWith(wanted) || user.name.toLowerCase().includes(wanted);
  const people = Object.values(state.users).filter((user) => !user.app && !user.deleted && isWanted(user));
  return people.map((user) => ({ insert: `@${user.handle}`, hint: user.name }));
}

async function send(text) {
  byId("log").scrollTop = byId("log").scrollHeight; // whoever says something wants to see what comes of it
  try {
    await post("say", { as: state.me, channel: here(), text });
    trouble("");
  } catch (error) {
    trouble(error instanceof TypeError ? LOST : error.message);
  }
}

new Composer({ form: byId("composer"), box: byId("box"), list: byId("offers"), offersFor, send, who: () => state.me });
const modal = new Modal(byId("modal"), view);
const home = new Home({ tabs: byId("tabs"), panel: byId("home"), others: [byId("log"), byId("composer")], view });
byId("person").addEventListener("change", (event) => {
  tell(`Acting as ${event.target.selectedOptions[0].textContent}`);
  byId("box").disabled = true; // until the page is that person's: nothing is typed as somebody else
  connect(event.target.value);
});
const closePlaces = drawer(byId("show-places"), byId("places"));
drawer(byId("show-panel"), byId("panel"));
listenToFaults();
listenToTalk();
listenToWorkflow(view);
connect(new URLSearchParams(location.search).get("as"));
