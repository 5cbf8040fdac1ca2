// What modals and the Home tab have in common as Slack's views: the state of their inputs, and the surface of their blocks.

import { post } from "../api.js";

// What the inputs of one view hold, by block_id and then action_id, as Slack's `view.state.values`.
export class ViewState {
  constructor() {
    this.values = new Map();
    this.isTouched = false;
  }

  // Take the inputs of an updated view: those it had before keep what was typed, new ones start with the server's value.
  update(values) {
    const before = this.values;
    this.values = new Map();
    for (const [block, actions] of Object.entries(values))
      for (const [action, value] of Object.entries(actions)) {
        const key = keyOf(block, action);
        this.values.set(key, before.has(key) ? before.get(key) : value);
      }
  }

  get(block, element) {
    return this.values.get(keyOf(block.block_id, element.action_id)) ?? null;
  }

  set(block, element, value) {
    this.values.set(keyOf(block.block_id, element.action_id), value);
    this.isTouched = true;
  }

  toJSON() {
    const nested = {};
    for (const [key, value] of this.values) {
      const [block, action] = JSON.parse(key);
      (nested[block] ??= {})[action] = value;
    }
    return nested;
  }
}

// An action in a view carries all its inputs; the one just chosen may not be among them, as it is no input block.
export function viewSurface(view, state, workspace) {
  const sendAction = (action) => {
    const values = { ...state.toJSON(), ...action.values };
    return post("press", { as: workspace.me, view: view.id, ...action, values });
  };
  return { sendAction, state, errors: view.errors };
}

function keyOf(block, action) {
  return JSON.stringify([block, action]);
}
