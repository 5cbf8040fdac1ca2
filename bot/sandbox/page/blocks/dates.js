// Dates in the reader's own locale and time zone. https://docs.slack.dev/messaging/formatting-message-text#date-formatting

import { h } from "../ui/element.js";
import { isWebAddress, link } from "./inline.js";
import { unescapeText } from "./plain-text.js";

const FORMATS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { timeStyle: "short" },
  time_secs: { timeStyle: "medium" },
};

export function formatTime(seconds) {
  return formatDate(new Date(seconds * 1000), "time");
}

// `reference` is what stands between < and |: "!date^seconds^format" and perhaps "^url".
export function dateReference(reference, fallback) {
  const [, seconds, format, url] = reference.split("^");
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || !format) return fallback ?? reference;
  const text = unescapeText(format).replace(/\{(\w+?)(_pretty)?\}/g, (all, name) => (Object.hasOwn(FORMATS, name) ? formatDate(date, name) : all));
  const time = h("time", { datetime: date.toISOString(), title: date.toString() }, text);
  return url && isWebAddress(url) ? link(url, time) : time;
}

function formatDate(date, format) {
  return new Intl.DateTimeFormat(undefined, FORMATS[format]).format(date);
}
