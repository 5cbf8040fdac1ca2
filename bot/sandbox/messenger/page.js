// The company's page of the sandbox: the code from the fragment, Messenger's snippet, and what Messenger says.

const byId = (id) => document.getElementById(id);
const say = (sentence, sharing) => {
  byId("told").textContent = sentence;
  byId("accept").disabled = sharing;
  byId("stop").disabled = !sharing;
};

window._genesysJs = "Genesys";
window.Genesys = function () {
  (window.Genesys.q = window.Genesys.q || []).push(arguments);
};
window.Genesys.c = { environment: "sandbox", deploymentId: "de910c0b-0000-4000-8000-000000000001" };
const script = document.createElement("script");
script.src = "/genesys-bootstrap/genesys.min.js";
document.head.append(script);

window.Genesys("subscribe", "CobrowseService.sessionStarted", () => say("You are sharing this page", true));
window.Genesys("subscribe", "CobrowseService.sessionEnded", () => say("Sharing has ended", false));
byId("code").value = decodeURIComponent(location.hash.slice(1));
byId("accept").addEventListener("click", () => {
  const joinCode = byId("code").value.trim();
  window.Genesys("command", "CobrowseService.acceptSession", { joinCode }, undefined, () => say("This code does not work", false));
});
byId("stop").addEventListener("click", () => window.Genesys("command", "CobrowseService.stopSession", {}));
