// Messaging limit of the account: how many people may be written to outside of their windows.

import * as api from "../api.js";
import { count } from "../costs.js";
import { h } from "../dom.js";
import { toast } from "../toasts.js";

// https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits
const TIERS = [250, 2000, 10_000, 100_000];
const ALL = "";

/** {node, draw}: the limit to choose, and how much of it is used. */
export function createLimit({ state }) {
  const select = h("select", { "aria-label": "Messaging limit" });
  const used = h("p.quiet", { role: "status" });
  const bar = h("span.window-bar", { "aria-hidden": "true" }, h("i"));
  const node = h("div.limit", {}, select, used, bar);

  select.addEventListener("change", async () => {
    const people = select.value === ALL ? null : Number(select.value);
    await api.setLimit(people).catch((error) => toast(error.message));
    draw();
  });

  function draw() {
    const { people = null, reached = 0 } = state.limit;
    const tiers = TIERS.includes(people) || people === null ? TIERS : [people, ...TIERS];
    select.replaceChildren(
      ...tiers.map((one) => h("option", { value: one }, `${count(one)} ${one === 1 ? "person" : "people"} a day`)),
      h("option", { value: ALL }, "All people"),
    );
    select.value = people ?? ALL;
    used.textContent = `${count(reached)} written to first within 24 hours`;
    bar.hidden = people === null;
    bar.toggleAttribute("data-full", people !== null && reached >= people);
    bar.firstElementChild.style.setProperty("--part", people ? Math.min(1, reached / people) : 0);
  }

  return { node, draw };
}
