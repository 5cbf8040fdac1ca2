// Asks the customer's consent, and accepts the co-browse session that the join code in the fragment is for.
//
// Genesys Messenger SDK: https://developer.genesys.cloud/commdigital/digital/webmessaging/messengersdk/SDKCommandsEvents/
// Without dependencies, and without inline code: a Content-Security-Policy of script-src 'self' and Genesys's host will do.

"use strict";

(() => {
  const { bootstrap, environment, deploymentId } = document.currentScript.dataset;
  const PATIENCE_MS = 20_000;
  const CODE_LENGTH = 200;
  const sections = [...document.querySelectorAll("[data-state]")];
  let joinCode = "";
  let state = "";
  let attempt = 0; // what an earlier attempt reports late is not listened to

  // The first language of the browser that the page has; English is in index.html.
  function translate() {
    const known = window.cobrowseWords || {};
    const wanted = navigator.languages.map((language) => language.toLowerCase().split("-")[0]);
    const language = wanted.find((each) => each === "en" || Object.hasOwn(known, each)) || "en";
    if (language === "en") return;
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll("[data-words]")) {
      element.textContent = known[language][element.dataset.words] || element.textContent;
    }
  }

  function show(next) {
    if (next === state) return;
    state = next;
    for (const section of sections) section.hidden = section.dataset.state !== next;
    const heading = document.querySelector(`[data-state="${next}"] h1`);
    document.title = heading.textContent;
    heading.focus(); // so that a screen reader says what has become of it
  }

  // The fragment never leaves the browser; it is taken out of the address bar and the history, too.
  function takeCode() {
    const fragment = location.hash.slice(1);
    if (fragment) history.replaceState(null, "", location.pathname + location.search);
    try {
      return decodeURIComponent(fragment).trim().slice(0, CODE_LENGTH);
    } catch {
      return "";
    }
  }

  function begin() {
    joinCode = takeCode();
    show(joinCode ? "consent" : "code");
  }

  // Genesys's own snippet, as it stands on your other pages.
  function loadMessenger() {
    if (typeof window.Genesys === "function") return;
    window._genesysJs = "Genesys";
    window.Genesys = function () {
      (window.Genesys.q = window.Genesys.q || []).push(arguments);
    };
    window.Genesys.t = 1 * new Date();
    window.Genesys.c = { environment, deploymentId };
    const script = document.createElement("script");
    script.async = true;
    script.src = bootstrap;
    script.charset = "utf-8";
    script.addEventListener("error", () => setReady(false));
    document.head.append(script);
  }

  let setReady;
  const ready = new Promise((resolve) => {
    setReady = resolve;
  });

  async function accept() {
    const mine = ++attempt;
    show("connecting");
    const timer = setTimeout(() => mine === attempt && giveUp(), PATIENCE_MS);
    const settle = (next) => {
      clearTimeout(timer);
      if (mine === attempt && state === "connecting") show(next);
    };
    if (!(await ready)) return settle("unavailable");
    if (mine !== attempt) return undefined;
    return window.Genesys(
      "command",
      "CobrowseService.acceptSession",
      { joinCode },
      () => settle("started"),
      () => settle("refused"),
    );
  }

  function giveUp() {
    attempt += 1;
    show("unavailable");
  }

  // An error in a call while the customer waits: no session has started.
  function onCallError() {
    if (state !== "connecting") return; // a session that goes on says itself when it ends
    attempt += 1;
    show("refused");
  }

  function stop() {
    window.Genesys("command", "CobrowseService.stopSession", {});
  }

  const actions = {
    accept,
    stop,
    decline: () => show("declined"),
    ask: () => show("consent"),
    retype: () => show("code"),
    reload: () => location.reload(),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) actions[button.dataset.do]();
  });

  document.getElementById("code-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = document.getElementById("code");
    joinCode = typed.value.trim();
    typed.value = "";
    if (joinCode) show("consent");
  });

  window.addEventListener("hashchange", () => {
    if (location.hash.length > 1 && !["connecting", "started"].includes(state)) begin();
  });

  loadMessenger();
  window.Genesys("subscribe", "CobrowseService.ready", () => setReady(true));
  // CobrowseService reports about chats, CobrowseVoice about calls.
  for (const plugin of ["CobrowseService", "CobrowseVoice"]) {
    window.Genesys("subscribe", `${plugin}.sessionStarted`, () => show("started"));
    window.Genesys("subscribe", `${plugin}.sessionEnded`, () => show("ended"));
  }
  window.Genesys("subscribe", "CobrowseVoice.error", onCallError);
  translate();
  begin();
})();
