// What the inputs of one message, modal or Home tab hold, by block_id and then action_id, as Slack's `state.values`.

export class InputState {
  constructor() {
    this.values = new Map();
    this.touched = new Set();
  }

  get isTouched() {
    return this.touched.size > 0;
  }

  // Take the inputs of an updated surface: those it had before keep what was typed, new ones start with the server's value.
  update(values) {
    const before = this.values;
    this.values = new Map();
    for (const [block, actions] of Object.entries(values))
      for (const [action, value] of Object.entries(actions)) {
        const key = keyOf(block, action);
        this.values.set(key, before.has(key) ? before.get(key) : value);
      }
    for (const key of this.touched) if (!this.values.has(key)) this.touched.delete(key);
  }

  get(block, element) {
    return this.values.get(keyOf(block.block_id, element.action_id)) ?? null;
  }

  set(block, element, value) {
    const key = keyOf(block.block_id, element.action_id);
    this.values.set(key, value);
    this.touched.add(key);
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

function keyOf(block, action) {
  return JSON.stringify([block, action]);
}
