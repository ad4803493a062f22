// Events of the platform: every webhook that is no message and no status, from its example.

import * as api from "../api.js";
import { fieldNode } from "../dialogs/dialog.js";
import { h } from "../dom.js";
import { toast } from "../toasts.js";

export function createEvents(page) {
  const { state } = page;
  const choice = h("div");
  const values = fieldNode({
    ...{ name: "values", label: "Values", type: "textarea", rows: 14, required: true },
    ...{ hint: " ", spellcheck: "false" },
  });
  const text = values.querySelector("textarea");
  const wrong = h("p.form-wrong", { role: "alert" });
  const send = h("button.primary", { type: "submit" }, "Send to your bot");
  const form = h("form", {}, choice, values, wrong, h("div.form-end", {}, send));
  const note = h("p.quiet.small-print", {}, "The status of a template is set in the tab Templates.");
  const node = h("div.panel.platform-events", {}, form, note);
  let events = [];
  let example = ""; // as it was put into the field

  form.addEventListener("change", ({ target }) => target.tagName === "SELECT" && show(target.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendNow();
  });

  const keyInUse = () => state.chatOf(page.phones.inUse?.chat).key;

  /** Read the examples for the person on the phone. What was chosen or written meanwhile stays. */
  async function read() {
    const key = keyInUse();
    try {
      const answer = await api.readEvents(key);
      if (key !== keyInUse()) return; // it is being read for another one
      events = answer;
    } catch (error) {
      toast(error.message);
      return;
    }
    const options = events.map(({ name }, at) => [String(at), name]);
    const value = form.querySelector("select")?.value ?? "0";
    choice.replaceChildren(fieldNode({ name: "event", label: "Event", options, value }));
    if (text.value === example) show(value);
  }

  function show(at) {
    const { field, values: list } = events[at];
    wrong.textContent = "";
    text.value = example = JSON.stringify(list, null, 2);
    values.querySelector("p").textContent = `Field ${field}, one webhook for each value.`;
  }

  async function sendNow() {
    const { name, field } = events[form.querySelector("select").value];
    wrong.textContent = "";
    try {
      await api.sendEvent({ field, values: JSON.parse(text.value), person: keyInUse() });
      toast(`Sent: ${name}`);
    } catch (error) {
      wrong.textContent = error instanceof SyntaxError ? `Invalid JSON: ${error.message}` : error.message;
    }
  }

  return {
    ...{ name: "events", label: "Events", symbol: "megaphone", node },
    refresh: (what) => ["shown", "phones"].includes(what) && read(),
  };
}
