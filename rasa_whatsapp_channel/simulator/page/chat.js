// Chat head, and the placeholder of an empty chat.

import { colourOf, initials } from "./avatar.js";
import { sumOf } from "./costs.js";
import { addressNode, h, icon, isolated } from "./dom.js";
import { plus } from "./people.js";

const NO_MARKETING =
  "This person has stopped marketing messages: WhatsApp delivers no marketing templates.";

export function renderHead(controller) {
  const { state, node, chat, writer } = controller;
  const { person, number = {} } = state.chatOf(chat);
  const of = (selector) => node.querySelector(selector);
  const isAgents = writer === "phone";
  const business = number.name ?? "Bot";
  const name = person && (person.group || isAgents) ? person.name : business;
  const label = isAgents ? `Agent’s phone, chat with ${name}` : `Phone of ${person?.name}`;
  node.setAttribute("aria-label", person ? label : "Phone");
  const mark = of(".avatar.business");
  mark.textContent = initials(name);
  if (isAgents) mark.dataset.colour = colourOf(name);
  else delete mark.dataset.colour;
  drawName(of(".chat-title h2"), controller, name);
  of(".composer").inert = !person || Boolean(of(".sheet-place"));
  if (isAgents) of(".chat-cost").hidden = true;
  else renderCost(of(".chat-cost"), state, chat);
  const line = of(".chat-title p");
  if (line.contains(document.activeElement)) return; // a selection is open
  if (state.isTyping(chat)) line.replaceChildren("typing…");
  else if (isAgents) line.replaceChildren(sentenceWith("Agent’s phone of ", business));
  else line.replaceChildren(...(person ? whoYouAre(controller, person) : []));
}

/** What the bot's messages in this chat cost; nothing before its first one. */
function renderCost(node, state, chat) {
  const cost = sumOf(state.thread(chat), state.billing);
  node.hidden = cost.messages === 0;
  node.textContent = cost.words;
  node.title = `Cost of this chat: ${cost.why}`;
  node.setAttribute("aria-label", `${cost.words}. ${node.title}`);
}

/** Whom the chat is with; one of several numbers of the bot is chosen there. */
function drawName(node, controller, name) {
  if (node.contains(document.activeElement)) return; // a selection is open
  const { state, chat, writer } = controller;
  const { person } = state.chatOf(chat);
  const isChoice = state.numbers.length > 1 && person && !person.group && writer === "person";
  node.replaceChildren(isChoice ? numberChoice(controller) : h("bdi.line", {}, name));
}

/** "You are Maya", or who in a group one could be. */
function whoYouAre(controller, person) {
  const { state, chat } = controller;
  if (person.group) return [h("span.you-are", {}, "You are "), participantChoice(controller, person)];
  return [
    sentenceWith("You are ", person.name || state.chatOf(chat).key),
    person.marketing === false && noMarketing(),
  ].filter(Boolean);
}

function noMarketing() {
  return h(
    "span.no-marketing",
    { role: "img", "aria-label": NO_MARKETING, title: NO_MARKETING },
    icon("no-marketing"),
    h("span", {}, "No marketing"),
  );
}

const sentenceWith = (words, name) => h("span.line", { dir: "ltr" }, words, h("bdi", {}, name));

function participantChoice(controller, group) {
  const keys = group.participants ?? [];
  const names = keys.map((key) => [key, controller.state.people.get(key)?.name ?? plus(key)]);
  return choice("Sender", names, controller.author ?? keys[0], (key) => {
    controller.author = key;
  });
}

function numberChoice({ state, chat, open }) {
  const { key, number } = state.chatOf(chat);
  const names = state.numbers.map((one) => [
    one.phone_number_id,
    one.name || plus(one.display_phone_number ?? one.phone_number_id),
  ]);
  return choice("Number of the bot", names, number.phone_number_id, (id) =>
    open(state.chatKey(key, id)),
  );
}

function choice(label, names, chosen, take) {
  const options = names.map(([value, name]) =>
    h("option", { value, selected: value === chosen }, name),
  );
  const node = h("select.inline-choice", { "aria-label": label, dir: "auto" }, options);
  node.addEventListener("change", () => take(node.value));
  return node;
}

/** Placeholder of a chat without messages. */
export function emptyChat(controller) {
  const { number = {} } = controller.state.chatOf(controller.chat);
  const { webhook } = controller.state;
  const hello = () => controller.send({ type: "text", text: { body: "hi" } });
  return h(
    "div.empty",
    { data: { empty: "chat" } },
    icon("mark"),
    h("h3", {}, "Start the chat"),
    h(
      "p",
      {},
      `Write to ${isolated(number.name ?? "your bot")}: a text, a photo, a voice message. ` +
        "Its messages appear here as on a phone.",
    ),
    webhook && h("p.quiet", {}, "Webhook of your bot: ", addressNode(webhook)),
    h("button.primary.say-hi", { type: "button", onclick: hello }, "Send “hi”"),
  );
}

/** Placeholder while there are no chats. */
export function emptyList(addPerson) {
  return h(
    "div.empty",
    { data: { empty: "list" } },
    icon("person-add"),
    h("h3", {}, "No chats yet"),
    h("p", {}, "Add a person who writes to your bot."),
    h("button.primary", { type: "button", onclick: addPerson }, "New person"),
  );
}
