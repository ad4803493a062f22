// A carousel: cards to swipe through, with the mouse too.

import { h, iconButton, isRightToLeft } from "../dom.js";
import { formatted } from "../format/render.js";
import { choice, linkChoice } from "./choices.js";
import { headerNode, replyButton } from "./parts.js";

export function carousel(item, controller) {
  const cards = item.content.action?.cards ?? [];
  const strip = h(
    "div.cards",
    { role: "group", "aria-label": `${cards.length} cards`, tabindex: 0 },
    cards.map((card, at) => cardNode(card, at, item, controller)),
  );
  return {
    content: [item.content.body?.text && formatted(item.content.body.text)],
    below: withArrows(strip),
    meta: "inline",
  };
}

/** *strip* of cards between two arrows. */
export function withArrows(strip) {
  const step = (direction) => () =>
    strip.scrollBy({ left: direction * (isRightToLeft() ? -232 : 232), behavior: "smooth" });
  const back = iconButton("previous", "Previous card", step(-1), { data: { arrow: "back" } });
  const on = iconButton("next", "Next card", step(1), { data: { arrow: "on" } });
  const update = () => {
    const scrolled = Math.abs(strip.scrollLeft); // from right to left it counts downwards
    back.hidden = scrolled < 8;
    on.hidden = scrolled + strip.clientWidth > strip.scrollWidth - 8;
  };
  strip.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(strip);
  return h("div.carousel", {}, strip, back, on);
}

function cardNode(card, at, item, controller) {
  const { buttons = [], parameters: link } = card.action ?? {};
  return h(
    "div.card",
    { role: "group", "aria-label": `Card ${at + 1}` },
    card.header && headerNode(card.header, controller),
    card.body?.text && formatted(card.body.text),
    h(
      "div.choices",
      {},
      buttons.map((button) => replyButton(item, controller, button)),
      link && linkChoice(link.display_text, link.url),
      card.action?.product_retailer_id && choice("bag", card.action.product_retailer_id, null),
    ),
  );
}
