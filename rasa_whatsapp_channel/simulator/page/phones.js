// The phones side by side; the address names their chats: #/chat/491551234/491555678@phone, where
// @phone is a colleague's phone in that chat. ?message=ID behind it is one message.

import { byId } from "./dom.js";
import { createPhone } from "./phone.js";

// How wide the window must be for so many phones.
const ROOM = [matchMedia("(min-width: 1180px)"), matchMedia("(min-width: 1640px)")];
const ROOT = "#/chat/";

export const addressOf = (views) =>
  views.length > 0 ? ROOT + views.map(encodeURIComponent).join("/").replaceAll("%40", "@") : "#/";

/** How many phones the window has room for. */
export const roomForPhones = () => 1 + ROOM.filter(({ matches }) => matches).length;

// A view is what a phone shows: a chat, and whose phone it is.
const viewOf = ({ chat, writer }) => (writer === "person" ? chat : `${chat}@${writer}`);

function partsOf(view) {
  const [chat, writer = "person"] = (view ?? "").split("@");
  return { chat: chat || null, writer: writer === "phone" ? writer : "person" };
}

/** *onchange* runs when another phone is in use, or its chat changes. */
export function createPhones(page, onchange) {
  const row = byId("phones");
  let phones = [];
  let inUse = null;

  function route() {
    const { state } = page;
    const wanted = inAddress().filter((view) => state.hasChat(partsOf(view).chat));
    document.body.dataset.view = wanted.length > 0 ? "chat" : "people";
    const views = [...new Set(wanted)].slice(0, roomForPhones());
    // Beside the list some chat is always open; on a phone the list comes first.
    if (views.length === 0) views.push(fallback());
    while (phones.length < views.length) add();
    while (phones.length > views.length) remove(phones.at(-1));
    document.body.dataset.phones = phones.length; // first: how wide a phone is decides how it looks
    phones.forEach((phone, at) => {
      const { chat, writer } = partsOf(views[at]);
      phone.hold(chat, writer);
    });
    for (const { node } of phones) node.querySelector(".close-phone").hidden = phones.length === 1;
    onchange();
    goToMessage();
  }

  /** Go to the message that the address names. */
  function goToMessage() {
    const message = new URLSearchParams(location.hash.split("?")[1]).get("message");
    if (message) phones.find(({ controller }) => controller.goTo(message));
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
    location.hash = addressOf(rest.map(viewOf));
    rest[0].focus();
  }

  /** Open *view* beside the others; the last gives way where there is no room. */
  function openBeside(view) {
    const views = phones.map(viewOf).slice(0, roomForPhones() - 1);
    location.hash = addressOf([...views, view]);
  }

  addEventListener("hashchange", route);
  for (const query of ROOM) query.addEventListener("change", route);
  return {
    ...{ route, goToMessage, openBeside },
    all: () => phones,
    /** The chats that the address names and that are not there. */
    missing: () =>
      inAddress()
        .map((view) => partsOf(view).chat)
        .filter((chat) => !page.state.hasChat(chat)),
    with: (chat) => phones.filter((phone) => phone.chat === chat),
    isOpen: (chat, writer) =>
      phones.some((phone) => phone.chat === chat && (!writer || phone.writer === writer)),

    /** Put a colleague's phone beside that of the person, or in its place. */
    openAgent(chat) {
      const view = viewOf({ chat, writer: "phone" });
      const open = phones.find((phone) => viewOf(phone) === view);
      if (open) open.focus();
      else openBeside(view);
    },

    get inUse() {
      return inUse;
    },

    /** The address that puts *chat* into the phone in use. */
    addressWith(chat) {
      const views = phones.map(viewOf);
      if (views.includes(chat)) return addressOf(views);
      return addressOf(phones.map((phone) => (phone === inUse ? chat : viewOf(phone))));
    },

    /** Let the phone of *controller* show another *chat*. */
    replace(controller, chat) {
      location.hash = addressOf(
        phones.map((phone) => (phone.controller === controller ? chat : viewOf(phone))),
      );
    },

    /** A person has another key now. */
    move(was, key) {
      const moved = (chat) => (chat?.split("~")[0] === was ? chat.replace(was, key) : chat);
      location.hash = addressOf(
        phones.map(({ chat, writer }) => viewOf({ chat: moved(chat), writer })),
      );
    },
  };
}

function inAddress() {
  const [hash] = location.hash.split("?");
  return hash.startsWith(ROOT) ? hash.slice(ROOT.length).split("/").filter(Boolean).map(decoded) : [];
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
