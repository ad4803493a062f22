import { h } from "./dom.js";

const COLOURS = 6;

/** A round picture with initials; the same name always has the same colour. */
export function avatar(name) {
  return h(
    "span.avatar",
    { "aria-hidden": "true", data: { colour: colourOf(name) } },
    initials(name),
  );
}

export function initials(name) {
  const words = String(name ?? "").match(/[\p{L}\p{N}]+/gu) ?? ["?"];
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return chosen.map((word) => [...word][0].toUpperCase()).join("");
}

export function colourOf(name) {
  let sum = 0;
  for (const character of String(name ?? "")) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % COLOURS;
}
