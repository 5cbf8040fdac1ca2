// Slack's mrkdwn and plain text to DOM nodes: https://docs.slack.dev/messaging/formatting-message-text

import { h } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  link: "🔗", eyes: "👀", wave: "👋", lock: "🔒", information_source: "ℹ️", rotating_light: "🚨", no_entry: "⛔",
  bulb: "💡", busts_in_silhouette: "👥", clock3: "🕒", arrows_counterclockwise: "🔄", tada: "🎉", thumbsup: "👍",
  "+1": "👍", rocket: "🚀", computer: "💻", question: "❓", raised_hand: "✋", bust_in_silhouette: "👤",
  white_circle: "⚪", red_circle: "🔴", small_orange_diamond: "🔸", envelope: "✉️", speech_balloon: "💬",
};

const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "<([^<>\\n]+)>",
    "(?<![\\w*])\\*(?=\\S)([^*\\n]*?\\S)\\*(?![\\w*])",
    "(?<![\\w_])_(?=\\S)([^_\\n]*?\\S)_(?![\\w_])",
    "(?<![\\w~])~(?=\\S)([^~\\n]*?\\S)~(?![\\w~])",
    ":([a-z0-9_+-]+):",
    "(https?://[^\\s<>]+)",
  ].join("|"),
  "g",
);

export function decode(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function plain(text) {
  return decode(text).replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI[name] ?? all);
}

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

export function isWebAddress(url) {
  return /^(https?:\/\/|mailto:)/i.test(url);
}

// `people` maps a user id to {name}; `me` is the reader.
export function mrkdwn(text, view) {
  const parts = text.split(/```\n?([\s\S]+?)\n?```/);
  return parts.flatMap((part, index) => {
    if (index % 2) return [h("pre", {}, decode(part))];
    return part ? quoted(part, view) : [];
  });
}

function quoted(text, view) {
  const nodes = [];
  for (const run of text.split(/((?:^(?:&gt;|>) ?.*(?:\n|$))+)/m)) {
    if (/^(&gt;|>)/.test(run)) {
      nodes.push(h("blockquote", {}, inline(run.replace(/^(&gt;|>) ?/gm, "").trimEnd(), view)));
    } else if (run) nodes.push(...inline(run, view));
  }
  return nodes;
}

function inline(text, view) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(decode(text.slice(end, match.index)));
    nodes.push(piece(match, view));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(decode(text.slice(end)));
  return nodes;
}

function piece([all, code, angle, bold, italic, struck, name, url], view) {
  if (code) return h("code", {}, decode(code));
  if (angle) return reference(angle, view);
  if (bold) return h("strong", {}, inline(bold, view));
  if (italic) return h("em", {}, inline(italic, view));
  if (struck) return h("s", {}, inline(struck, view));
  if (name) return EMOJI[name] ?? all;
  return link(decode(url), decode(url));
}

export function link(url, label) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

export function mention(id, label, view) {
  const name = view.users[id]?.name ?? label ?? id;
  return h("span", { class: id === view.me ? "mention me" : "mention" }, `@${name}`);
}

function reference(inside, view) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? undefined : decode(inside.slice(bar + 1));
  if (target.startsWith("@")) return mention(target.slice(1), label, view);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${label ?? view.placeName(target.slice(1))}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return h("span", { class: "mention me" }, `@${label ?? target.slice(1).split("^")[0]}`);
  const url = decode(target);
  return isWebAddress(url) ? link(url, label ?? url) : decode(`<${inside}>`);
}

const DATES = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { timeStyle: "short" },
  time_secs: { timeStyle: "medium" },
};

export function clock(seconds) {
  return new Intl.DateTimeFormat(undefined, DATES.time).format(new Date(seconds * 1000));
}

function date(target, fallback) {
  const [, stamp, format, url] = target.split("^");
  const when = new Date(Number(stamp) * 1000);
  if (Number.isNaN(when.getTime()) || !format) return fallback ?? target;
  const shown = decode(format).replace(/\{(\w+?)(_pretty)?\}/g, (all, name) =>
    DATES[name] ? new Intl.DateTimeFormat(undefined, DATES[name]).format(when) : all,
  );
  const time = h("time", { datetime: when.toISOString(), title: when.toString() }, shown);
  return url && isWebAddress(url) ? link(url, time) : time;
}
