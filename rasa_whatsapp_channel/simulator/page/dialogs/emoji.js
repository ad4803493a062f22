// More reactions than the six in the toolbar.

import { h } from "../dom.js";
import { openSheet } from "./sheet.js";

const EMOJI = [
  ..."😀😁😅🤣😊😇😍😘😎🤔🤨😐🙄😬😴🤒🤯😱😡🤬😭🥳🤩🤗",
  ..."👎👏🙌🤝💪🤞👌👋🙈🤷🤦💃",
  ..."🔥✨🎉💯✅❌❓❗💔💙💚💛💜🌞🌧⛵",
  ..."🍕🍺☕🎂🎁🚀⏰📷📞💡🏠🐶",
];

/** Show them on *phone*; *choose* gets the one that was tapped. */
export function openEmoji(phone, choose) {
  const buttons = EMOJI.map((emoji) =>
    h(
      "button",
      { type: "button", "aria-label": `React with ${emoji}`, onclick: () => pick(emoji) },
      emoji,
    ),
  );
  const sheet = openSheet(phone, { title: "React", body: h("div.emoji-grid", {}, buttons) });

  function pick(emoji) {
    sheet.close();
    choose(emoji);
  }
}
