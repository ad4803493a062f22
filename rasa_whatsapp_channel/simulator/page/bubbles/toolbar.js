// Message toolbar: react, reply, inspect. There is one; it moves to the selected message.

import { ask } from "../dialogs/dialog.js";
import { openEmoji } from "../dialogs/emoji.js";
import { h, iconButton } from "../dom.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

export function createToolbar(controller) {
  let item = null;
  const strip = h(
    "div.emoji",
    { hidden: true, role: "group", "aria-label": "Reactions" },
    EMOJI.map((emoji) =>
      h(
        "button",
        { type: "button", "aria-label": `React with ${emoji}`, onclick: () => react(emoji) },
        emoji,
      ),
    ),
    iconButton("plus", "More reactions", () => openEmoji(controller.node, react), {
      class: "round more-emoji",
    }),
  );
  const smile = iconButton("smile", "React", toggle, {
    ...{ class: "round react", "aria-expanded": "false" },
  });
  const reply = iconButton("reply", "Reply", () => controller.quote(item), { class: "round reply" });
  const inspect = iconButton("code", "Inspect", () => controller.inspect(item), {
    class: "round inspect",
  });
  const edit = iconButton("edit", "Edit", editText, { class: "round edit" });
  const revoke = iconButton("bin", "Delete for everyone", () => controller.revoke(item), {
    class: "round revoke",
  });
  const own = [edit, revoke];
  const pill = h(
    "div.pill",
    { role: "group", "aria-label": "Message" },
    ...[smile, reply, ...own, inspect],
  );
  const node = h("div.toolbar", {}, strip, pill);

  function toggle() {
    setOpen(strip.hidden);
    if (strip.hidden) return;
    strip.scrollIntoView({ block: "nearest" });
    strip.firstElementChild.focus();
  }

  function setOpen(open) {
    strip.hidden = !open;
    smile.setAttribute("aria-expanded", String(open));
  }

  function react(emoji) {
    const taken = item.reactions?.[controller.author ?? item.person] === emoji;
    setOpen(false);
    smile.focus();
    controller.react(item, taken ? "" : emoji);
  }

  async function editText() {
    const field = { name: "text", label: "Text", type: "textarea", rows: 4, required: true };
    const edited = item;
    const values = await ask({
      title: "Edit the message",
      fields: [{ ...field, value: edited.content.body }],
      submit: "Save",
    });
    if (values) controller.edit(edited, values.text);
  }

  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || strip.hidden) return;
    event.stopPropagation();
    setOpen(false);
    smile.focus();
  });

  return {
    /** Put the toolbar beside *message*, drawn as *article*. */
    attach(article, message) {
      if (item === message && article.contains(node)) return;
      item = message;
      setOpen(false);
      const isPersons = controller.writer === "person";
      const isOwn = !isPersons && message.by === controller.writer && !message.revoked;
      smile.hidden = message.direction === "inbound" || !isPersons; // people react to the business
      edit.hidden = !isOwn || message.type !== "text";
      revoke.hidden = !isOwn;
      article.querySelector(".row").append(node);
    },

    /** Whether someone is using it with the keyboard, so that the mouse must not take it away. */
    isBusy(eventType) {
      return eventType === "mouseover" && (node.matches(":has(:focus-visible)") || !strip.hidden);
    },
  };
}
