// One chat: who it is with, and what stands there while nobody has written.

import { initials } from "./avatar.js";
import { byId, h, icon } from "./dom.js";

export function renderHead(desk) {
  const { number, people } = desk.state;
  const person = people.get(desk.person);
  byId("number-avatar").textContent = initials(number.name ?? "Bot");
  byId("chat-title").textContent = number.name ?? "Bot";
  byId("chat-subtitle").textContent = desk.isTyping(desk.person)
    ? "typing…"
    : person && `You are ${person.name || desk.person}`;
  byId("composer").inert = !person;
}

/** What stands in a chat without messages. */
export function emptyChat(desk) {
  const { number, webhook } = desk.state;
  const hello = () => desk.send({ type: "text", text: { body: "hi" } });
  return h(
    "div.empty",
    { data: { empty: "chat" } },
    icon("mark"),
    h("h3", {}, "Say something"),
    h(
      "p",
      {},
      `Write to ${number.name ?? "your bot"}: text, a photo, a voice message. ` +
        "The answers appear here, as they would on a phone.",
    ),
    webhook && h("p.quiet", {}, "Your bot listens at ", h("code", {}, webhook)),
    h("button.primary", { type: "button", id: "say-hi", onclick: hello }, "Send “hi”"),
  );
}

/** What stands there while the desk has no people. */
export function emptyDesk(addPerson) {
  return h(
    "div.empty",
    { data: { empty: "desk" } },
    icon("person-add"),
    h("h3", {}, "Nobody is here yet"),
    h("p", {}, "Add a person: someone with a phone who writes to your bot."),
    h("button.primary", { type: "button", onclick: addPerson }, "New person"),
  );
}
