// Checks the workflows under .github with actionlint, which the package carries as WebAssembly. Its own command needs a newer
// Node than Debian 12 has, so this loads the module itself.
const fs = require("node:fs");
const path = require("node:path");

const PACKAGE = path.join(__dirname, "node_modules", "@tktco", "node-actionlint");
const WORKFLOWS = process.argv[2] ?? path.join(__dirname, "..", "..", ".github", "workflows");

async function main() {
  globalThis.crypto ??= require("node:crypto").webcrypto; // Node 18 has none under this name
  globalThis.throwError = (message) => {
    throw new Error(message);
  };
  require(path.join(PACKAGE, "wasm_exec.js"));
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(path.join(PACKAGE, "main.wasm")), go.importObject);
  go.run(instance);
  const names = fs.readdirSync(WORKFLOWS).filter((name) => /\.ya?ml$/.test(name));
  const faults = names.flatMap((name) =>
    globalThis
      .runActionlint(fs.readFileSync(path.join(WORKFLOWS, name), "utf8"), name)
      .map(({ line, column, message, kind }) => `${name}:${line}:${column}: ${message} [${kind}]`),
  );
  faults.forEach((fault) => console.error(fault));
  console.log(`actionlint: ${names.length} workflows, ${faults.length} faults`);
  process.exit(faults.length || !names.length ? 1 : 0);
}

main();
