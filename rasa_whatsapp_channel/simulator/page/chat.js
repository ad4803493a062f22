// One chat: who it is with, and what stands there while nobody has written.

import { initials } from "./avatar.js";
import { h, icon } from "./dom.js";
import { plus } from "./people.js";

export function renderHead(desk) {
  const { state, node, chat } = desk;
  const { person, number = {} } = state.chatOf(chat);
  const of = (selector) => node.querySelector(selector);
  const name = person?.group ? person.name : (number.name ?? "Bot");
  node.setAttribute("aria-label", person ? `Phone of ${person.name}` : "Phone");
  of(".avatar.business").textContent = initials(name);
  of(".chat-title h2").textContent = name;
  of(".composer").inert = !person;
  const line = of(".chat-title p");
  if (line.contains(document.activeElement)) return; // somebody is choosing there
  if (state.isTyping(chat)) line.replaceChildren("typing…");
  else line.replaceChildren(...(person ? whoYouAre(desk, person) : []));
}

/** "You are Maya", and who else one could be. */
function whoYouAre(desk, person) {
  const { state, chat } = desk;
  if (person.group) return ["You are ", participantChoice(desk, person)];
  const you = h("span", { dir: "auto" }, `You are ${person.name || state.chatOf(chat).key}`);
  return state.numbers.length > 1 ? [you, " · ", numberChoice(desk)] : [you];
}

function participantChoice(desk, group) {
  const keys = group.participants ?? [];
  const names = keys.map((key) => [key, desk.state.people.get(key)?.name ?? plus(key)]);
  return choice("Who writes", names, desk.author ?? keys[0], (key) => {
    desk.author = key;
  });
}

function numberChoice({ state, chat, open }) {
  const { key, number } = state.chatOf(chat);
  const names = state.numbers.map((one) => [
    one.phone_number_id,
    [one.name, plus(one.display_phone_number ?? "")].filter(Boolean).join(" "),
  ]);
  return choice("Number of the bot", names, number.phone_number_id, (id) =>
    open(state.chatKey(key, id)),
  );
}

function choice(label, names, chosen, take) {
  const options = names.map(([value, name]) =>
    h("option", { value, selected: value === chosen }, name),
  );
  const node = h("select.inline-choice", { "aria-label": label }, options);
  node.addEventListener("change", () => take(node.value));
  return node;
}

/** What stands in a chat without messages. */
export function emptyChat(desk) {
  const { number = {} } = desk.state.chatOf(desk.chat);
  const { webhook } = desk.state;
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
    h("button.primary.say-hi", { type: "button", onclick: hello }, "Send “hi”"),
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
