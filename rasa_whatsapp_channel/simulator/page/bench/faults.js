// Faults: what goes wrong, when, and for whom. The rules lie in the simulator; this is their desk.

import * as api from "../api.js";
import { fieldNode } from "../dialogs/dialog.js";
import { h, icon, iconButton } from "../dom.js";
import { toast } from "../toasts.js";
import { createWeather } from "./weather.js";

// The faults people try first: words, where, what.
const PRESETS = [
  ["Too fast for one person", "131056", { on: "messages", do: { code: 131056 } }],
  ["Rate limit of the number", "130429", { on: "messages", do: { code: 130429 } }],
  ["WhatsApp is down", "HTTP 503", { on: "messages", do: { status: 503 } }],
  ["No answer in time", "timeout", { on: "messages", do: { timeout: true } }],
  ["Taken, but the answer is lost", "hang up", { on: "messages", do: { hang_up: "after" } }],
  ["Slow by 5 s", "delay", { on: "messages", do: { delay: 5 } }],
  ["Token has expired", "190", { on: "messages", do: { expire_token: true } }],
  ["Media are gone", "404", { on: "download", do: { missing: true } }],
  ["Webhooks come twice", "duplicate", { on: "webhooks", do: { duplicate: 2 } }],
  ["Webhooks in disorder", "reorder", { on: "webhooks", do: { reorder: true } }],
  ["Several in one webhook", "batch", { on: "webhooks", do: { batch: 5 } }],
  ["Statuses get lost", "lose", { on: "statuses", do: { lose: true } }],
];

const WHEN = [
  ["next", "the next"],
  ["every", "every nth"],
  ["share", "a share of"],
  ["always", "all"],
];

const PLACES = [
  ["messages", "messages of the bot"],
  ["media", "uploads"],
  ["download", "downloads"],
  ["login", "logins"],
  ["ids", "ids of uploads"],
  ["links", "links WhatsApp fetches"],
  ["phones", "phones"],
  ["webhooks", "webhooks"],
  ["statuses", "statuses"],
];

const DEEDS = [
  ["code", "error code of WhatsApp"],
  ["status", "HTTP status"],
  ["delay", "delay in seconds"],
  ["timeout", "no answer"],
  ["hang_up", "hang up"],
  ["cut", "half of the answer"],
  ["early", "statuses before the answer"],
  ["retry_after", "wait so many seconds"],
  ["expire_token", "expired token"],
  ["missing", "missing media"],
  ["duplicate", "so many copies"],
  ["again", "again after seconds"],
  ["hide_number", "no phone number"],
  ["reorder", "reorder"],
  ["batch", "so many in one"],
  ["lose", "lose it"],
];

// What can happen where.
const REQUEST = [
  ...["code", "status", "delay", "timeout", "hang_up", "cut", "retry_after", "expire_token"],
];
const ORDER = ["delay", "duplicate", "again", "reorder", "batch", "lose"];
const DEEDS_IN = {
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
    "Take all away",
  );
  const seed = h(
    "button.tool",
    {
      type: "button",
      onclick: () => attempt(api.seedFaults(1)),
      title: "A share falls the same way in every run",
    },
    icon("again"),
    "Seed 1",
  );
  const none = h("p.quiet", {}, "No rule is at work. Choose a fault, or write a rule of your own.");
  const when = whenFields("It hits", "preset");
  const own = ownForm();
  const node = h(
    "div.panel.faults",
    {},
    weather.node,
    h("div.panel-head", {}, h("h3", {}, "At work"), h("div.tools", {}, seed, clear)),
    none,
    rules,
    h("h3", {}, "Let something go wrong"),
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
    h("details.own-rule", {}, h("summary", {}, "A rule of your own"), own),
  );

  const add = (rule) => attempt(api.addFault(rule));

  async function attempt(call) {
    await call.catch((error) => toast(error.message));
  }

  function draw() {
    const faults = state.faults ?? [];
    none.hidden = faults.length > 0;
    clear.hidden = faults.length === 0;
    rules.replaceChildren(...faults.map(ruleNode));
  }

  function ruleNode(rule) {
    const words = sentenceFor(rule);
    const remove = () => attempt(api.removeFault(rule.id));
    return h(
      "li",
      { data: { fault: rule.id } },
      h("p", {}, words),
      h(
        "span.badge",
        { title: "How often it has hit" },
        String(rule.hits ?? 0),
        h("span.spoken", {}, " hits"),
      ),
      iconButton("close", `Take away: ${words}`, remove),
    );
  }

  return {
    ...{ name: "faults", label: "Faults", symbol: "bolt", node },
    isThere: () => state.faults !== undefined,
    hasNews: () => state.faults?.length > 0 || state.weather?.weather === "rough",

    refresh(what) {
      if (["shown", "faults"].includes(what)) draw();
      if (["shown", "weather"].includes(what)) weather.draw();
    },
  };

  function ownForm() {
    const ownWhen = whenFields("It hits", "own");
    const types = [["", "any type"], ...MESSAGE_TYPES.map((type) => [type, type])];
    const form = h(
      "form",
      {},
      fieldNode({ name: "on", label: "Where", options: PLACES }),
      fieldNode({ name: "deed", label: "What happens", options: DEEDS }),
      fieldNode({
        name: "number",
        label: "Which, or how many",
        type: "number",
        min: 0,
        step: "any",
        value: 131_056,
      }),
      ownWhen.node,
      fieldNode({ name: "type", label: "Only messages of type", options: types }),
      fieldNode({
        name: "person",
        label: "Only for the person with",
        placeholder: "4915112345678",
      }),
      h("div.form-end", {}, h("button.small", { type: "submit" }, "Add the rule")),
    );
    const { on: place, deed: what, number: count } = form.elements;
    place.addEventListener("change", () => {
      const deeds = DEEDS.filter(([name]) => DEEDS_IN[place.value].includes(name));
      what.replaceChildren(...deeds.map(([value, words]) => h("option", { value }, words)));
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
      const { on, deed, number, type, person } = Object.fromEntries(new FormData(form));
      const match = {
        ...(type && { type }),
        ...(person && { person: person.replace(/[^0-9A-Za-z.]/g, "") }),
      };
      add({
        on,
        when: ownWhen.value(),
        ...(Object.keys(match).length > 0 && { match }),
        do: { [deed]: deed in WITH_NUMBER ? Number(number) : true },
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

/** "Messages of the bot (image), 2 times: error code of WhatsApp 131056". */
function sentenceFor({ on, when = {}, match = {}, do: deed = {} }) {
  const place = Object.fromEntries(PLACES)[on] ?? on;
  const [kind, value] = Object.entries(deed)[0] ?? ["?", true];
  const what = Object.fromEntries(DEEDS)[kind] ?? kind;
  const only = [match.type, match.person && `+${match.person}`].filter(Boolean).join(", ");
  const happens =
    value === true ? what : `${what} ${value === "after" ? "after it is done" : value}`;
  const where = place[0].toUpperCase() + place.slice(1);
  return `${where}${only && ` (${only})`}, ${whenWords(when)}: ${happens}`;
}

function whenWords(when) {
  if (when.next !== undefined) return when.next === 1 ? "once" : `${when.next} times`;
  if (when.every !== undefined) return `1 of ${when.every}`;
  if (when.share !== undefined) return `${Math.round(when.share * 100)} %`;
  return "always";
}
