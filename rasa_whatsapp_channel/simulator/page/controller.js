// The controller of one phone: everything messages, menus and dialogs can do.

import * as api from "./api.js";
import { openLightbox } from "./dialogs/lightbox.js";
import { askContact, askFlow, askPlace } from "./dialogs/questions.js";
import { openList, openProducts } from "./dialogs/sheet.js";
import { pressEnd } from "./press.js";
import { toast } from "./toasts.js";

/**
 * The controller of the phone *node*. `chat` is what it shows, `writer` whose phone it is: the
 * person's, or a colleague's (`phone`); `author` who writes into a group. phone.js fills in goTo,
 * quote, inspect.
 */
export function createController({ state }, node) {
  const controller = { state, node, chat: null, writer: "person", author: null };

  function nameOf(item) {
    if (item.by === "phone") return "Agent’s phone";
    if (item.by === "app") return "Other app";
    if (item.direction === "outbound") return numberOf(item).name ?? "Bot";
    return state.people.get(item.author ?? item.person)?.name ?? "You";
  }

  /** Who wrote *item*, as a quote tells it to whose phone this is. */
  function quotedName(item) {
    const isOwn = controller.writer === "person" && item.direction === "inbound" && !item.author;
    return isOwn ? "You" : nameOf(item);
  }

  /** Is *item* of whose phone this is (`own`), or of the `other` side? */
  function sideOf({ direction }) {
    return (direction === "inbound") === (controller.writer === "person") ? "own" : "other";
  }

  function numberOf(item) {
    return state.chatOf(item.chat).number ?? {};
  }

  /** Send in the name of whose phone it is, or of *by*; true when the simulator took it. */
  function send(message, chat = controller.chat, by = controller.writer) {
    const write = by === "person" ? api.write : api.writeEcho;
    return attempt(write(state.chatOf(chat).key, { ...message, ...envelope(chat, by) }));
  }

  function sendFile(message, chat = controller.chat, by = controller.writer) {
    const write = by === "person" ? api.writeFile : api.sendEcho;
    return attempt(write(state.chatOf(chat).key, { ...message, ...envelope(chat, by) }));
  }

  /** By whom, to or from which number, and in a group by whom, where that is not clear anyway. */
  function envelope(chat, by) {
    const { person, number } = state.chatOf(chat);
    return {
      ...(by !== "person" && { by }),
      ...(number !== state.number && { number: number.phone_number_id }),
      ...(person.group && { author: controller.author ?? person.participants?.[0] }),
    };
  }

  async function attempt(call) {
    try {
      const answer = await call;
      await pressEnd();
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
    if (item && controller.writer !== "person") return toast("That is for the person to tap.");
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
    ...{ nameOf, quotedName, sideOf, send, sendFile, answer, react },
    /** Change or delete what a colleague wrote. */
    edit: (item, body) =>
      send({
        type: "edit",
        edit: { original_message_id: item.id, message: { type: "text", text: { body } } },
      }),
    revoke: (item) => send({ type: "revoke", revoke: { original_message_id: item.id } }),
    change: (change) => attempt(api.changePerson(state.chatOf(controller.chat).key, change)),
    openImage: openLightbox,
    openProducts: (item) => openProducts(node, item),
    openList: (item) =>
      openList(node, item, ({ id, title, description }) => {
        const row = { id, title, ...(description && { description }) };
        answer(item, "interactive", { type: "list_reply", list_reply: row });
      }),
    askLocation: (item) => question(askPlace(), item, "location"),
    askContact: (item) => question(askContact(item && ownCard()), item, "contacts"),
    askFlow: (item) => question(askFlow(item.content.action.parameters, giveFile), item, "interactive"),
  });

  function giveFile(file) {
    return api.giveFile(state.chatOf(controller.chat).key, file);
  }

  function ownCard() {
    const { name, phone } = state.chatOf(controller.chat).person ?? {};
    return { name, phone: phone ?? "" };
  }
}
