import { folded, formatted } from "../format/render.js";

export function text({ content }) {
  return { content: folded(content.body), meta: "inline" };
}

/** The tap on a template's quick reply. */
export function button({ content }) {
  return { content: [formatted(content.text)], meta: "inline" };
}
