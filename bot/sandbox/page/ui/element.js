// Builds DOM nodes. Text always becomes a text node, so that the browser never reads what somebody wrote as HTML.

export const byId = (id) => document.getElementById(id);

// Attributes that start with "on" are event listeners. Null, undefined and false leave an attribute or a child out.
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}
