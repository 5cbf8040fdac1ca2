// The company's page in the sandbox: takes the join code from the fragment, loads Messenger, and shows what it reports.

const byId = (id) => document.getElementById(id);

function showStatus(sentence, isSharing) {
  byId("status").textContent = sentence;
  byId("accept").disabled = isSharing;
  byId("stop").disabled = byId("expire").disabled = !isSharing;
}

// Messenger's snippet: calls wait in `q` until the script has loaded.
window._genesysJs = "Genesys";
window.Genesys = function () {
  (window.Genesys.q = window.Genesys.q || []).push(arguments);
};
const deploymentId = "de910c0b-0000-4000-8000-000000000001";
window.Genesys.c = { environment: "sandbox", deploymentId };
const script = document.createElement("script");
script.src = "/genesys-bootstrap/genesys.min.js";
document.head.append(script);

for (const plugin of ["CobrowseService", "CobrowseVoice"]) {
  window.Genesys("subscribe", `${plugin}.sessionStarted`, () => showStatus("You are sharing this page", true));
  window.Genesys("subscribe", `${plugin}.sessionEnded`, () => showStatus("Sharing has ended", false));
}

byId("code").value = decodeURIComponent(location.hash.slice(1));
byId("accept").addEventListener("click", () => {
  const joinCode = byId("code").value.trim();
  const onRejected = () => showStatus("This code does not work", false);
  window.Genesys("command", "CobrowseService.acceptSession", { joinCode }, undefined, onRejected);
});
byId("stop").addEventListener("click", () => window.Genesys("command", "CobrowseService.stopSession", {}));
byId("expire").addEventListener("click", async () => {
  const path = ["messenger", deploymentId, byId("code").value.trim(), "expire"].map(encodeURIComponent);
  await fetch(`/${path.join("/")}`, { method: "POST" }); // Messenger then says that sharing has ended
});
