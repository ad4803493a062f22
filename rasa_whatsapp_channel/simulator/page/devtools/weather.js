// Weather panel: calm or rough, and its faults, the newest first.

import * as api from "../api.js";
import { h } from "../dom.js";
import { plus } from "../people.js";
import { exactTime } from "../times.js";
import { toast } from "../toasts.js";
import { sentence } from "../weather.js";

const SHOWN = 12;

export function createWeather({ state }) {
  const seed = h("input", { name: "seed", type: "number", step: 1, value: 1, "aria-label": "Seed" });
  const rough = h("button.small", { type: "submit" }, "Start rough weather");
  const calm = h("button.tool", { type: "button", onclick: () => turn({ weather: "calm" }) }, "Stop");
  const words = h("p.quiet");
  const list = h("ol.weather-faults", { id: "weather-faults" });
  const form = h("form.weather-form", {}, h("label", {}, "Seed ", seed), rough);
  const head = h("div.panel-head", {}, h("h3", {}, "Weather"), calm);
  const node = h("section.devtools-weather", { "aria-label": "Weather" }, head, words, form, list);
  let known; // the weather that the form was filled with: typed input is kept

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    turn({ weather: "rough", seed: seed.valueAsNumber });
  });

  const turn = (weather) => api.setWeather(weather).catch((error) => toast(error.message));

  function draw() {
    const { weather, seed: drawn, faults = [] } = state.weather ?? {};
    const isRough = weather === "rough";
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    words.textContent = isRough
      ? `Rough weather, seed ${drawn}: ${count} so far.`
      : "Calm: no random faults.";
    calm.hidden = !isRough;
    rough.textContent = isRough ? "Restart" : "Start rough weather";
    if (isRough && drawn !== known) seed.value = drawn;
    known = drawn;
    list.replaceChildren(...faults.slice(-SHOWN).reverse().map(faultNode));
  }

  function faultNode({ time, person, words: said, kind, n }) {
    const who = person && (state.people.get(person)?.name ?? plus(person));
    return h(
      "li",
      { data: { kind } },
      h("time.quiet", {}, exactTime(time)),
      h("p", {}, sentence(said), " ", h("span.quiet", {}, [who, `${kind} ${n}`].filter(Boolean).join(" · "))),
    );
  }

  return { node, draw };
}
