// The controller of one phone: everything messages, menus and dialogs can do.

import * as api from "./api.js";
import { openLightbox } from "./dialogs/lightbox.js";
import { askContact, askFlow, askPlace } from "./dialogs/questions.js";
import { openList, openProducts } from "./dialogs/sheet.js";
import { toast } from "./toasts.js";

/**
 * The controller of the phone *node*. `chat` is what it shows, `author` who writes into a group;
 * phone.js fills in goTo, quote, inspect.
 */
export function createController({ state }, node) {
  const controller = { state, node, chat: null, author: null, nameOf, send, sendFile, answer, react };

  function nameOf(item) {
    if (item.direction === "outbound") return numberOf(item).name ?? "Bot";
    return state.people.get(item.author ?? item.person)?.name ?? "You";
  }

  function numberOf(item) {
    return state.chatOf(item.chat).number ?? {};
  }

  /** Send in the person's name; true when the simulator took it. */
  function send(message, chat = controller.chat) {
    return attempt(api.write(state.chatOf(chat).key, { ...message, ...envelope(chat) }));
  }

  function sendFile(message, chat = controller.chat) {
    return attempt(api.writeFile(state.chatOf(chat).key, { ...message, ...envelope(chat) }));
  }

  /** To which number, and in a group by whom, where that is not clear anyway. */
  function envelope(chat) {
    const { person, number } = state.chatOf(chat);
    return {
      ...(number !== state.number && { number: number.phone_number_id }),
      ...(person.group && { author: controller.author ?? person.participants?.[0] }),
    };
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

  return Object.assign(controller, {
    change: (change) => attempt(api.changePerson(state.chatOf(controller.chat).key, change)),
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
    const { name, phone } = state.chatOf(controller.chat).person ?? {};
    return { name, phone: phone ?? "" };
  }
}
