// Owner strip below the chat head: who answers in this chat, and how that is changed.

import * as api from "./api.js";
import { ask } from "./dialogs/dialog.js";
import { openMenu } from "./dialogs/menu.js";
import { h, icon, iconButton, isolated } from "./dom.js";
import { hasPlatformEvents } from "./state.js";
import { timeOf } from "./times.js";
import { toast } from "./toasts.js";

const OWNERS = {
  bot: ["brain", "The bot answers"],
  waiting: ["clock", "Waiting for a colleague"],
  human: ["person", "A colleague answers"],
  app: ["plug", "Another app answers"],
};

/** Who answers, in a word, where it is not the bot. */
export const OWNER_WORDS = { waiting: "Waiting", human: "Colleague", app: "Other app" };

/** Fill the strip of a phone. */
export function renderOwner(controller) {
  const { state, node, chat, writer } = controller;
  const strip = node.querySelector(".owner");
  const { person } = state.chatOf(chat);
  const known = state.ownerOf(chat);
  const canAct = hasPlatformEvents(state) && person && !person.group;
  strip.hidden = !canAct && known.owner === "bot";
  if (strip.hidden) return;
  const [symbol, words] = OWNERS[known.owner] ?? OWNERS.bot;
  const since = known.since && `since ${timeOf(known.since)}`;
  const facts = [since, known.reason && isolated(known.reason)].filter(Boolean).join(", ");
  const focused = strip.contains(document.activeElement) && document.activeElement.dataset.act;
  strip.dataset.owner = known.owner;
  strip.replaceChildren(
    h("span.owner-icon", {}, icon(symbol)),
    h(
      "p.owner-words",
      {},
      h("strong", {}, words),
      facts && h("span.owner-facts", { title: facts }, facts),
    ),
    ...(canAct ? actions(controller, known, writer) : []),
  );
  if (focused) strip.querySelector(`[data-act="${focused}"]`)?.focus();
}

function actions(controller, known, writer) {
  const isPhone = writer === "phone";
  const { state, chat } = controller;
  return [
    isPhone && known.owner !== "bot" && known.owner !== "app" && giveBackButton(controller, known),
    !isPhone &&
      h(
        "button.tool",
        {
          ...{ type: "button", "aria-label": "Agent’s phone", title: "Agent’s phone" },
          ...{ data: { act: "phone" }, onclick: () => controller.openAgent() },
        },
        icon("phone"),
        h("span", {}, "Agent’s phone"),
      ),
    !isPhone && menuButton(controller, known),
    isPhone &&
      !controller.isPersonOpen() &&
      iconButton("contacts", `Phone of ${isolated(state.chatOf(chat).person.name)}`, controller.openPerson, {
        ...{ class: "round owner-more", data: { act: "person" } },
      }),
  ].filter(Boolean);
}

function giveBackButton(controller, known) {
  return h(
    "button.tool",
    {
      ...{ type: "button", "aria-label": "Give back", title: "Give back" },
      ...{ data: { act: "return" }, onclick: () => giveBack(controller, known) },
    },
    icon("reply"),
    h("span", {}, "Give back"),
  );
}

/** A colleague gives a chat back with a word that the bot knows; WhatsApp has no sign for it. */
function giveBack(controller, { reported, return_words: [word] = [] }) {
  if (word) return controller.send({ type: "text", text: { body: word } });
  const { key } = controller.state.chatOf(controller.chat);
  return ask({
    title: "Give the chat back",
    text: reported
      ? "The bot knows no word for it. Add one to credentials.yml, such as " +
        "handoff: {return_words: [robot]}, or give it back in a terminal:"
      : "The bot has not said who answers, so nothing but its own means gives the chat back. " +
        "With this package’s channel that is, in a terminal:",
    aside: h("pre.json", { tabindex: 0 }, `rasa-whatsapp handoff return ${key}`),
    submit: "OK",
  });
}

function menuButton(controller, { owner }) {
  const button = iconButton("more", "Another app", open, {
    ...{ class: "round owner-more", "aria-haspopup": "menu" },
    data: { act: "more" },
  });
  const act = (action) => () => control(controller, action);

  function open() {
    const isApps = owner === "app";
    openMenu(button, [
      !isApps && ["plug", "Another app takes the chat", act("take")],
      isApps && ["reply", "It passes the chat to the bot", act("pass")],
      isApps && ["close", "It releases the chat", act("release")],
      ["edit", "Write as the other app", () => writeAsApp(controller)],
    ]);
  }
  return button;
}

function control({ state, chat }, action) {
  const { key, number } = state.chatOf(chat);
  return api
    .controlThread(key, { action, number: number.phone_number_id })
    .catch((error) => toast(error.message));
}

async function writeAsApp(controller) {
  const values = await ask({
    title: "Write as the other app",
    text: "Another app of your business, beside the bot in Conversation Routing.",
    fields: [{ name: "text", label: "Text", value: "I take it from here.", required: true }],
    submit: "Send",
  });
  if (values) controller.send({ type: "text", text: { body: values.text } }, undefined, "app");
}
