// Message toolbar: react, reply, inspect. There is one; it moves to the selected message.

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
  );
  const smile = iconButton("smile", "React", toggle, {
    ...{ class: "round react", "aria-expanded": "false" },
  });
  const reply = iconButton("reply", "Reply", () => controller.quote(item), { class: "round reply" });
  const inspect = iconButton("code", "Inspect", () => controller.inspect(item), {
    class: "round inspect",
  });
  const pill = h("div.pill", { role: "group", "aria-label": "Message" }, smile, reply, inspect);
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

  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || strip.hidden) return;
    event.stopPropagation();
    setOpen(false);
    smile.focus();
  });

  return {
    /** Put the toolbar beside *message*, drawn as *article*. */
    attach(article, message) {
      if (item === message && node.parentNode) return;
      item = message;
      setOpen(false);
      smile.hidden = message.direction === "inbound"; // people react to what the business wrote
      article.querySelector(".row").append(node);
    },

    /** Whether someone is using it with the keyboard, so that the mouse must not take it away. */
    isBusy(eventType) {
      return eventType === "mouseover" && (node.matches(":has(:focus-visible)") || !strip.hidden);
    },
  };
}
