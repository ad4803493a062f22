// The list of people on the desk: each holds a phone and chats with the same bot.

import { avatar } from "./avatar.js";
import { byId, h, icon } from "./dom.js";
import { oneLine } from "./format/render.js";
import { summaryOf } from "./summary.js";
import { shortMoment } from "./times.js";

export function renderPeople(desk) {
  const { state } = desk;
  const { name, display_phone_number: number } = state.number;
  byId("number-name").textContent = [name, number && plus(number)].filter(Boolean).join(" · ");
  const moment = (key) => state.lastMessage(key)?.timestamp ?? 0;
  const keys = [...state.people.keys()].sort((a, b) => moment(b) - moment(a));
  byId("chats").replaceChildren(...keys.map((key) => h("li", {}, entry(key, desk))));
  byId("nobody").hidden = keys.length > 0;
}

/** A phone number as people write it. */
export const plus = (phone) => (/^\d/.test(phone) ? `+${phone}` : phone);

function entry(key, desk) {
  const { name } = desk.state.people.get(key);
  const last = desk.state.lastMessage(key);
  const unread = desk.state.unread(key);
  return h(
    "a.chat",
    {
      href: `#/${encodeURIComponent(key)}`,
      "aria-current": desk.person === key ? "true" : undefined,
      data: { person: key },
    },
    avatar(name),
    h(
      "span.chat-text",
      {},
      h("span.chat-name", { dir: "auto" }, name || key),
      h("span.chat-last", { dir: "auto" }, preview(key, last, desk)),
    ),
    h(
      "span.chat-side",
      {},
      last && h("time", {}, shortMoment(last.timestamp)),
      unread > 0 && h("span.badge", {}, String(unread), h("span.spoken", {}, " unread")),
    ),
  );
}

function preview(key, last, desk) {
  if (desk.isTyping(key)) return h("em.typing-word", {}, "typing…");
  if (!last) return plus(key);
  const { icon: symbol, text } = summaryOf(last);
  return [last.direction === "inbound" && "You: ", symbol && icon(symbol), oneLine(text)];
}
