// Slack's plain text: escaped characters and emoji names. https://docs.slack.dev/messaging/formatting-message-text

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  link: "🔗", eyes: "👀", wave: "👋", lock: "🔒", information_source: "ℹ️", rotating_light: "🚨", no_entry: "⛔",
  raising_hand: "🙋", bulb: "💡", busts_in_silhouette: "👥", clock3: "🕒", arrows_counterclockwise: "🔄", tada: "🎉", thumbsup: "👍",
  "+1": "👍", rocket: "🚀", computer: "💻", question: "❓", raised_hand: "✋", bust_in_silhouette: "👤",
  large_green_circle: "🟢", large_yellow_circle: "🟡", telephone_receiver: "📞", iphone: "📱", key: "🔑", bell: "🔔", mag: "🔍",
  gear: "⚙️", wrench: "🔧", pencil2: "✏️", clipboard: "📋", no_entry_sign: "🚫", heavy_plus_sign: "➕", arrow_right: "➡️",
  white_circle: "⚪", red_circle: "🔴", small_orange_diamond: "🔸", envelope: "✉️", speech_balloon: "💬",
};

export function unescapeText(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function plainText(text) {
  return unescapeText(text).replace(/:([a-z0-9_+-]+):/g, (all, name) => emoji(name));
}

// An emoji that this page does not know stays as its name.
export function emoji(name) {
  return Object.hasOwn(EMOJI, name) ? EMOJI[name] : `:${name}:`;
}
