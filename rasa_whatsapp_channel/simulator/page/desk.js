// What messages and menus can do on this desk. They get this object and nothing else.

import * as api from "./api.js";
import { openLightbox } from "./dialogs/lightbox.js";
import { askContact, askFlow, askPlace } from "./dialogs/questions.js";
import { openList, openProducts } from "./dialogs/sheet.js";
import { toast } from "./toasts.js";

/** The desk over *state*. `person` is who holds the phone; app.js fills in goTo, quote, inspect. */
export function createDesk(state) {
  const desk = { state, person: null, isTyping, nameOf, send, sendFile, answer, react };

  function isTyping(key) {
    return (state.typing.get(key) ?? 0) > Date.now();
  }

  function nameOf(item) {
    if (item.direction === "outbound") return state.number.name ?? "Bot";
    return state.people.get(item.person)?.name ?? "You";
  }

  /** Send in the person's name; true when the simulator took it. */
  function send(message, person = desk.person) {
    return attempt(api.write(person, message));
  }

  function sendFile(message, person = desk.person) {
    return attempt(api.writeFile(person, message));
  }

  async function attempt(call) {
    try {
      const answer = await call;
      // The socket may have been faster, and may know more by now.
      if (answer?.id && !state.messages.has(answer.id)) state.takeMessage(answer);
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    }
  }

  /** Answer *item*, quoting it: {type, [type]: content}. Without *item*, just send. */
  function answer(item, type, content) {
    const context = item && { context: { message_id: item.id } };
    return send({ type, [type]: content, ...context });
  }

  /** React to *item*; an empty emoji takes the reaction back. */
  function react(item, emoji) {
    return answer(null, "reaction", { message_id: item.id, emoji });
  }

  async function question(asked, item, type) {
    const content = await asked.catch((error) => toast(error.message));
    if (content) await answer(item, type, content);
  }

  return Object.assign(desk, {
    openImage: openLightbox,
    openProducts,
    openList: (item) =>
      openList(item, ({ id, title, description }) => {
        const row = { id, title, ...(description && { description }) };
        answer(item, "interactive", { type: "list_reply", list_reply: row });
      }),
    askLocation: (item) => question(askPlace(), item, "location"),
    askContact: (item) => question(askContact(item && ownCard()), item, "contacts"),
    askFlow: (item) => question(askFlow(item.content.action.parameters), item, "interactive"),
  });

  function ownCard() {
    const { name, phone } = state.people.get(desk.person) ?? {};
    return { name, phone: phone ?? "" };
  }
}
