import { h } from "../dom.js";

/** A list of names and values; what has no value is left out. */
export function detailList(entries) {
  const rows = entries
    .filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
    .flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("dl.details", {}, rows);
}

/** A word with a coloured dot: good, bad, or a status of WhatsApp's. */
export function stateWord(status, word = status) {
  return h("span.state", { data: { status } }, word);
}
