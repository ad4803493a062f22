// Weather strip below the chat head: rough weather, and its latest fault.

import { h, icon } from "./dom.js";
import { exactTime } from "./times.js";

const WITHOUT_PERSON = ["ids", "media", "download", "login"]; // requests without a recipient

/** Fill the strip of a phone; *open* shows the panel. */
export function renderWeather({ state, node, chat }, open) {
  const strip = node.querySelector(".weather");
  const { weather, seed, faults = [] } = state.weather ?? {};
  strip.hidden = weather !== "rough";
  if (strip.hidden) return;
  const { key } = state.chatOf(chat);
  const last = faults.findLast(({ person, kind }) => person === key || WITHOUT_PERSON.includes(kind));
  const badge = h("span.weather-badge", {}, icon("bolt"), `Rough weather, seed ${seed}`);
  const words = last
    ? [h("time", {}, exactTime(last.time)), " ", sentence(last.words)]
    : "No faults here yet.";
  strip.replaceChildren(
    h(
      "button",
      { type: "button", onclick: open, title: "Show all faults" },
      badge,
      h("span.weather-words", {}, words),
    ),
  );
}

/** *words* as a sentence of its own. */
export const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;
