// The list of chats with the bot.

import { avatar } from "./avatar.js";
import { byId, h, icon, iconButton, isolated, update } from "./dom.js";
import { oneLine } from "./format/render.js";
import { OWNER_WORDS } from "./owner.js";
import { paintFound } from "./found.js";
import { holds, textAround } from "./search.js";
import { summaryOf } from "./summary.js";
import { shortMoment } from "./times.js";

export function renderPeople({ state, phones }) {
  const wanted = byId("find").value.trim();
  const { name, display_phone_number: number } = state.number;
  byId("number-name").textContent = [name, number && plus(number)].filter(Boolean).join(" · ");
  const chats = state.chats().filter((chat) => !wanted || isFound(chat, wanted, state));
  const focused = document.activeElement?.closest?.("#chats li")?.dataset.chat;
  const role = document.activeElement?.className;
  update(byId("chats"), chats.map((chat) => entry(chat, state, phones, wanted)));
  paintFound(byId("chats"), wanted);
  byId("no-chats").hidden = chats.length > 0;
  byId("no-chats").textContent = wanted
    ? "No person and no message has these words."
    : "No chats yet. Add a person who writes to your bot.";
  // The list was drawn anew under the focus: give it back.
  if (focused && role) {
    const again = byId("chats").querySelector(`[data-chat="${CSS.escape(focused)}"]`);
    again?.querySelector(`.${role.split(" ").at(-1)}`)?.focus({ preventScroll: true });
  }
}

/** A phone number as people write it. */
export const plus = (phone) => (/^\d/.test(phone) ? `+${phone}` : phone);

function isFound(chat, wanted, state) {
  const { key, person } = state.chatOf(chat);
  const words = `${person.name} ${plus(key)}`.toLocaleLowerCase();
  return words.includes(wanted.toLocaleLowerCase()) || Boolean(foundIn(chat, wanted, state));
}

/** The newest message of a chat that holds the words. */
const foundIn = (chat, wanted, state) =>
  wanted ? state.thread(chat).findLast((item) => holds(item, wanted)) : undefined;

function entry(chat, state, phones, wanted) {
  const { key, person, number } = state.chatOf(chat);
  const found = foundIn(chat, wanted, state);
  const last = found ?? state.lastMessage(chat);
  const unread = state.unread(chat);
  const isOpen = phones.isOpen(chat);
  const name = person.name || key;
  const { owner } = state.ownerOf(chat);
  return h(
    "li",
    { data: { chat } },
    h(
      "a.chat",
      {
        href: phones.addressWith(chat) + (found ? `?message=${encodeURIComponent(found.id)}` : ""),
        "aria-current": isOpen ? "true" : undefined,
        data: { person: key, used: phones.inUse?.chat === chat ? "" : undefined },
      },
      person.group ? groupAvatar() : avatar(name),
      h(
        "span.chat-text",
        {},
        h(
          "span.chat-name",
          {},
          h("bdi.line", {}, name),
          OWNER_WORDS[owner] && h("span.chat-owner", { data: { owner } }, OWNER_WORDS[owner]),
        ),
        number !== state.number && h("span.chat-number", {}, "to ", h("bdi", {}, number.name ?? "another number")),
        h("span.chat-last", {}, preview(chat, last, state, found && wanted)),
      ),
      h(
        "span.chat-side",
        {},
        last && h("time", {}, shortMoment(last.timestamp, state.now() * 1000)),
        h(
          "span.chat-marks",
          {},
          state.pinned.has(chat) && h("span.chat-pin", { title: "Pinned" }, icon("pin")),
          unread > 0 && h("span.badge", {}, String(unread), h("span.spoken", {}, " unread")),
        ),
      ),
    ),
    !isOpen &&
      iconButton("beside", `Open ${isolated(name)} beside`, () => phones.openBeside(chat), {
        class: "round beside",
      }),
  );
}

function groupAvatar() {
  return h("span.avatar", { "aria-hidden": "true", data: { colour: 2 } }, icon("group"));
}

function preview(chat, last, state, wanted) {
  if (state.isTyping(chat)) return h("em.typing-word", {}, "typing…");
  if (!last) return plus(state.chatOf(chat).key);
  const { icon: symbol, text } = summaryOf(last);
  const words = h("bdi.line", {}, oneLine(wanted ? textAround(last, wanted) : text));
  return [last.direction === "inbound" && h("span", {}, "You:"), symbol && icon(symbol), words];
}
