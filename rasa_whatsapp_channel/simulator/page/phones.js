// The phones side by side; the address names their chats: #/491551234/491555678.

import { byId } from "./dom.js";
import { createPhone } from "./phone.js";

// How wide the window must be for so many phones.
const ROOM = [matchMedia("(min-width: 1180px)"), matchMedia("(min-width: 1640px)")];

export const addressOf = (chats) => `#/${chats.map(encodeURIComponent).join("/")}`;

/** How many phones the window has room for. */
export const roomForPhones = () => 1 + ROOM.filter(({ matches }) => matches).length;

/** *onchange* runs when another phone is in use, or its chat changes. */
export function createPhones(page, onchange) {
  const row = byId("phones");
  let phones = [];
  let inUse = null;

  function route() {
    const { state } = page;
    const wanted = inAddress().filter((chat) => state.hasChat(chat));
    document.body.dataset.view = wanted.length > 0 ? "chat" : "people";
    const chats = [...new Set(wanted)].slice(0, roomForPhones());
    // Beside the list some chat is always open; on a phone the list comes first.
    if (chats.length === 0) chats.push(fallback());
    while (phones.length < chats.length) add();
    while (phones.length > chats.length) remove(phones.at(-1));
    document.body.dataset.phones = phones.length; // first: how wide a phone is decides how it looks
    phones.forEach((phone, at) => phone.hold(chats[at] ?? null));
    for (const { node } of phones) node.querySelector(".close-phone").hidden = phones.length === 1;
    onchange();
  }

  function fallback() {
    const current = phones[0]?.chat;
    return page.state.hasChat(current) ? current : (page.state.chats()[0] ?? null);
  }

  function add() {
    const phone = createPhone(page);
    const use = () => setInUse(phone);
    phone.node.addEventListener("focusin", use);
    phone.node.addEventListener("pointerdown", use);
    phone.node.querySelector(".open-devtools").addEventListener("click", () => page.openDevtools());
    phone.node
      .querySelector(".chat-cost")
      .addEventListener("click", () => page.openDevtools("costs"));
    phone.node.querySelector(".close-phone").addEventListener("click", () => closePhone(phone));
    phones.push(phone);
    row.append(phone.node);
    inUse ??= phone;
  }

  function remove(phone) {
    phones = phones.filter((other) => other !== phone);
    phone.hold(null);
    phone.node.remove();
    if (inUse === phone) inUse = phones[0] ?? null;
  }

  function setInUse(phone) {
    if (phone === inUse || !phones.includes(phone)) return;
    inUse = phone;
    onchange();
  }

  function closePhone(phone) {
    const rest = phones.filter((other) => other !== phone);
    remove(phone);
    location.hash = addressOf(rest.map(({ chat }) => chat));
    rest[0].focus();
  }

  addEventListener("hashchange", route);
  for (const query of ROOM) query.addEventListener("change", route);
  return {
    route,
    all: () => phones,
    with: (chat) => phones.filter((phone) => phone.chat === chat),
    isOpen: (chat) => phones.some((phone) => phone.chat === chat),

    get inUse() {
      return inUse;
    },

    /** The address that puts *chat* into the phone in use. */
    addressWith(chat) {
      const chats = phones.map((phone) => (phone === inUse ? chat : phone.chat));
      return addressOf(
        phones.some((phone) => phone.chat === chat) ? phones.map((phone) => phone.chat) : chats,
      );
    },

    /** Hand the phone that shows *before* to *after*. */
    replace(before, after) {
      location.hash = addressOf(phones.map(({ chat }) => (chat === before ? after : chat)));
    },

    /** A person has another key now. */
    move(was, key) {
      const moved = (chat) => (chat?.split("~")[0] === was ? chat.replace(was, key) : chat);
      location.hash = addressOf(phones.map(({ chat }) => moved(chat)));
    },

    /** Open *chat* on a phone beside the others; the last gives way where there is no room. */
    openBeside(chat) {
      const chats = phones.map((phone) => phone.chat).slice(0, roomForPhones() - 1);
      location.hash = addressOf([...chats, chat]);
    },
  };
}

function inAddress() {
  return location.hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => decoded(part));
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
