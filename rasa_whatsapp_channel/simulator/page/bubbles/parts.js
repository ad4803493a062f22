// Parts shared by interactive messages, cards and templates.

import { h } from "../dom.js";
import { folded } from "../format/render.js";
import { choice } from "./choices.js";
import { card } from "./document.js";
import { film, picture } from "./media.js";

/** Header, body and footer. */
export function parts({ header, body, footer }, controller) {
  return [
    header && headerNode(header, controller),
    ...(body?.text ? folded(body.text) : []),
    footer?.text && h("p.footer", { dir: "auto" }, footer.text),
  ].filter(Boolean);
}

/** A header, of a message, a card or a template. */
export function headerNode(header, controller) {
  if (header.type === "text") return h("p.header-text", { dir: "auto" }, header.text);
  const media = header[header.type];
  if (!media) return null;
  if (header.type === "image") return picture(media, controller);
  if (header.type === "document") return card(media);
  return film(media);
}

/** A reply button of a message or a card: {reply: {id, title}} or {quick_reply: {id, title}}. */
export function replyButton(item, controller, button) {
  const { id, title } = button.reply ?? button.quick_reply;
  const reply = { type: "button_reply", button_reply: { id, title } };
  return choice("reply", title, () => controller.answer(item, "interactive", reply), { replyId: id });
}
