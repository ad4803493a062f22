// Fault rules: what fails, when, and for whom.

import * as api from "../api.js";
import { fieldNode } from "../dialogs/dialog.js";
import { h, icon, iconButton } from "../dom.js";
import { toast } from "../toasts.js";
import { createWeather } from "./weather.js";

// Common faults: title, hint, rule.
const PRESETS = [
  ["Pair rate limit", "131056", { on: "messages", do: { code: 131056 } }],
  ["Throughput limit", "130429", { on: "messages", do: { code: 130429 } }],
  ["WhatsApp is down", "HTTP 503", { on: "messages", do: { status: 503 } }],
  ["No response", "timeout", { on: "messages", do: { timeout: true } }],
  ["Accepted, response lost", "hang up", { on: "messages", do: { hang_up: "after" } }],
  ["5 s delay", "delay", { on: "messages", do: { delay: 5 } }],
  ["Token expired", "190", { on: "messages", do: { expire_token: true } }],
  ["Media not found", "404", { on: "download", do: { missing: true } }],
  ["Duplicate webhooks", "duplicate", { on: "webhooks", do: { duplicate: 2 } }],
  ["Webhooks out of order", "reorder", { on: "webhooks", do: { reorder: true } }],
  ["Batched webhooks", "batch", { on: "webhooks", do: { batch: 5 } }],
  ["Lost statuses", "lose", { on: "statuses", do: { lose: true } }],
];

const WHEN = [
  ["next", "the next"],
  ["every", "every nth"],
  ["share", "a percentage of"],
  ["always", "all"],
];

const PLACES = [
  ["messages", "outgoing messages"],
  ["media", "uploads"],
  ["download", "downloads"],
  ["login", "logins"],
  ["ids", "media IDs"],
  ["links", "links"],
  ["phones", "phones"],
  ["webhooks", "webhooks"],
  ["statuses", "statuses"],
];

const ACTIONS = [
  ["code", "WhatsApp error code"],
  ["status", "HTTP status"],
  ["delay", "delay (s)"],
  ["timeout", "no response"],
  ["hang_up", "connection closed"],
  ["cut", "truncated response"],
  ["early", "statuses before the response"],
  ["retry_after", "Retry-After (s)"],
  ["expire_token", "expired token"],
  ["missing", "missing media"],
  ["duplicate", "extra copies"],
  ["again", "repeated after (s)"],
  ["hide_number", "without phone number"],
  ["reorder", "reorder"],
  ["batch", "batch of"],
  ["lose", "lost"],
];

// What can happen where.
const REQUEST = [
  ...["code", "status", "delay", "timeout", "hang_up", "cut", "retry_after", "expire_token"],
];
const ORDER = ["delay", "duplicate", "again", "reorder", "batch", "lose"];
const ACTIONS_IN = {
  messages: [...REQUEST, "early"],
  media: [...REQUEST, "missing"],
  download: [...REQUEST, "missing"],
  login: REQUEST,
  ids: ["missing"],
  links: ["missing"],
  phones: ["delay"],
  webhooks: [...ORDER, "hide_number"],
  statuses: ["code", ...ORDER],
};

const WITH_NUMBER = {
  ...{ code: 131_056, status: 503, delay: 5, retry_after: 5, duplicate: 2, again: 5, batch: 5 },
};

const SHARE_STEP = 5; // percent
const MESSAGE_TYPES = [
  "text",
  "image",
  "video",
  "audio",
  "document",
  "sticker",
  "interactive",
  "template",
];

export function createFaults(page) {
  const { state } = page;
  const weather = createWeather(page);
  const rules = h("ul.rules");
  const clear = h(
    "button.tool",
    { type: "button", onclick: () => attempt(api.removeFaults()) },
    icon("bin"),
    "Clear all",
  );
  const seed = h(
    "button.tool",
    {
      type: "button",
      onclick: () => attempt(api.seedFaults(1)),
      title: "Restart the random sequence: percentages repeat in every run",
    },
    icon("again"),
    "Seed 1",
  );
  const none = h("p.quiet", {}, "No active faults.");
  const when = whenFields("Applies to", "preset");
  const own = ownForm();
  const node = h(
    "div.panel.faults",
    {},
    weather.node,
    h("div.panel-head", {}, h("h3", {}, "Active faults"), h("div.tools", {}, seed, clear)),
    none,
    rules,
    h("h3", {}, "Add a fault"),
    when.node,
    h(
      "div.presets",
      {},
      PRESETS.map(([words, hint, rule]) =>
        h(
          "button.preset",
          {
            type: "button",
            data: { preset: hint },
            onclick: () => add({ ...rule, when: when.value() }),
          },
          h("span", {}, words),
          h("code", {}, hint),
        ),
      ),
    ),
    h("details.own-rule", {}, h("summary", {}, "Custom rule"), own),
  );

  const add = (rule) => attempt(api.addFault(rule));

  async function attempt(call) {
    await call.catch((error) => toast(error.message));
  }

  function draw() {
    const faults = state.faults ?? [];
    none.hidden = faults.some(({ spent }) => !spent);
    clear.hidden = faults.length === 0;
    rules.replaceChildren(...faults.map(ruleNode));
  }

  function ruleNode(rule) {
    const words = sentenceFor(rule);
    const remove = () => attempt(api.removeFault(rule.id));
    return h(
      "li",
      { data: { fault: rule.id, spent: rule.spent ? "" : undefined } },
      h("code.quiet", {}, `#${rule.id}`),
      h("p", {}, words, rule.spent && h("span.quiet", {}, " · used up")),
      h(
        "span.badge",
        { title: "Number of hits" },
        String(rule.hits ?? 0),
        h("span.spoken", {}, " hits"),
      ),
      iconButton("close", `Remove: ${words}`, remove),
    );
  }

  return {
    ...{ name: "faults", label: "Faults", symbol: "bolt", node },
    isThere: () => state.faults !== undefined,
    hasNews: () => state.faults?.some(({ spent }) => !spent) || state.weather?.weather === "rough",

    refresh(what) {
      if (["shown", "faults"].includes(what)) draw();
      if (["shown", "weather"].includes(what)) weather.draw();
    },
  };

  function ownForm() {
    const ownWhen = whenFields("Applies to", "own");
    const types = [["", "any type"], ...MESSAGE_TYPES.map((type) => [type, type])];
    const form = h(
      "form",
      {},
      fieldNode({ name: "on", label: "Where", options: PLACES }),
      fieldNode({ name: "action", label: "What happens", options: ACTIONS }),
      fieldNode({
        name: "number",
        label: "Value",
        type: "number",
        min: 0,
        step: "any",
        value: 131_056,
      }),
      ownWhen.node,
      fieldNode({ name: "type", label: "Message type", options: types }),
      fieldNode({
        name: "person",
        label: "Phone or user ID",
        placeholder: "4915112345678",
      }),
      h("div.form-end", {}, h("button.small", { type: "submit" }, "Add rule")),
    );
    const { on: place, action: what, number: count } = form.elements;
    place.addEventListener("change", () => {
      const actions = ACTIONS.filter(([name]) => ACTIONS_IN[place.value].includes(name));
      what.replaceChildren(...actions.map(([value, words]) => h("option", { value }, words)));
      askCount();
    });
    what.addEventListener("change", askCount);
    place.dispatchEvent(new Event("change"));

    function askCount() {
      count.closest(".field").hidden = !(what.value in WITH_NUMBER);
      count.value = WITH_NUMBER[what.value] ?? "";
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { on, action, number, type, person } = Object.fromEntries(new FormData(form));
      const match = {
        ...(type && { type }),
        ...(person && { person: person.replace(/[^0-9A-Za-z.]/g, "") }),
      };
      add({
        on,
        when: ownWhen.value(),
        ...(Object.keys(match).length > 0 && { match }),
        do: { [action]: action in WITH_NUMBER ? Number(number) : true },
      });
    });
    return form;
  }
}

/** A choice of when a rule hits: {node, value}. */
function whenFields(label, prefix) {
  const kind = h(
    "select",
    { "aria-label": label },
    WHEN.map(([value, words]) => h("option", { value }, words)),
  );
  const number = h("input", {
    ...{ type: "number", min: 1, value: 1, "aria-label": "How many", class: `${prefix}-number` },
  });
  const unit = h("span.quiet", {});
  kind.addEventListener("change", () => {
    number.hidden = kind.value === "always";
    number.value = { next: 1, every: 3, share: 20 }[kind.value] ?? 1;
    number.step = kind.value === "share" ? SHARE_STEP : 1;
    number.max = kind.value === "share" ? 100 : "";
    unit.textContent = kind.value === "share" ? "%" : "";
  });
  return {
    node: h("div.when", {}, h("span", {}, label), kind, number, unit),
    value() {
      if (kind.value === "always") return { always: true };
      const count = Math.max(1, Number(number.value));
      return {
        [kind.value]: kind.value === "share" ? Math.min(100, count) / 100 : Math.round(count),
      };
    },
  };
}

/** "Outgoing messages (image), 2 times: WhatsApp error code 131056". */
function sentenceFor({ on, when = {}, match = {}, do: action = {} }) {
  const place = Object.fromEntries(PLACES)[on] ?? on;
  const [kind, value] = Object.entries(action)[0] ?? ["?", true];
  const what = Object.fromEntries(ACTIONS)[kind] ?? kind;
  const only = [match.type, match.person && `+${match.person}`].filter(Boolean).join(", ");
  const happens =
    value === true ? what : `${what} ${value === "after" ? "after processing" : value}`;
  const where = place[0].toUpperCase() + place.slice(1);
  return `${where}${only && ` (${only})`}, ${whenWords(when)}: ${happens}`;
}

function whenWords(when) {
  if (when.next !== undefined) return when.next === 1 ? "once" : `${when.next} times`;
  if (when.every !== undefined) return `1 of ${when.every}`;
  if (when.share !== undefined) return `${Math.round(when.share * 100)} %`;
  return "always";
}
