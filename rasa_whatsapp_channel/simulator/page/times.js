// Times and dates as text.

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const weekday = new Intl.DateTimeFormat("en", { weekday: "long" });
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

const DAY = 86_400_000;

const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);

/** "14:05", for unix seconds. */
export const timeOf = (seconds) => clock.format(seconds * 1000);

/** The day as a value to compare. */
export const dayOf = (seconds) => midnight(seconds * 1000);

/** "Today", "Yesterday", "Monday", "3 September 2026". */
export function dayName(seconds, now = Date.now()) {
  const days = Math.round((midnight(now) - dayOf(seconds)) / DAY);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return weekday.format(seconds * 1000);
  return date.format(seconds * 1000);
}

/** The time today, else the day, short: for the list of chats. */
export function shortMoment(seconds, now = Date.now()) {
  const days = Math.round((midnight(now) - dayOf(seconds)) / DAY);
  if (days === 0) return timeOf(seconds);
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return weekday.format(seconds * 1000).slice(0, 3);
  return shortDate.format(seconds * 1000);
}

/** "2:07", for a length in seconds. */
export function lengthOf(seconds) {
  if (!Number.isFinite(seconds)) return "–:––";
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const longMoment = new Intl.DateTimeFormat("en-GB", {
  ...{ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
});

/** "Wed 25 Nov, 16:43". */
export const dateAndTime = (seconds) =>
  longMoment.format(seconds * 1000).replace(/, (\d+ )/, " $1");

const exact = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** "16:43:07". */
export const exactTime = (seconds) => exact.format(seconds * 1000);
