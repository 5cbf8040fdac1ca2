// What the composer suggests for a word: the command after "/", people after "@".

export function suggestionsFor(word, workspace) {
  if (word.startsWith("/")) {
    const { name, usage } = workspace.command;
    return name.startsWith(word) ? [{ insert: name, hint: usage }] : [];
  }
  const typed = word.slice(1).toLowerCase();
  const isMatch = ([, user]) => user.handle.startsWith(typed) || user.name.toLowerCase().includes(typed);
  return workspace
    .humanUsers()
    .filter(isMatch)
    .map(([, user]) => ({ insert: `@${user.handle}`, hint: user.name }));
}
