// The last message each person has read in each channel, kept in localStorage over reloads.

const KEY = "read";

export class ReadMarkers {
  constructor() {
    this.markers = load();
  }

  get(person, channel) {
    return this.markers[`${person} ${channel}`];
  }

  set(person, channel, ts) {
    this.markers[`${person} ${channel}`] = ts;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.markers));
    } catch {
      // A private window has no storage: then the markers last until the page is reloaded.
    }
  }
}

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
