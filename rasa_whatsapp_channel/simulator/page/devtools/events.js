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

  form.addEventListener("change", ({ target }) => target.tagName === "SELECT" && show(target.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendNow();
  });

  const keyInUse = () => state.chatOf(page.phones.inUse?.chat).key;

  async function read() {
    const chosen = form.querySelector("select")?.value;
    try {
      events = await api.readEvents(keyInUse());
    } catch (error) {
      toast(error.message);
      return;
    }
    const options = events.map(({ name }, at) => [String(at), name]);
    choice.replaceChildren(
      fieldNode({ name: "event", label: "Event", options, value: chosen ?? "0" }),
    );
    show(chosen ?? "0");
  }

  function show(at) {
    const { field, values: list } = events[at];
    wrong.textContent = "";
    text.value = JSON.stringify(list, null, 2);
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
