// The month's bill: what it comes to, how much was free, and which chats and markets cost.

import * as api from "../api.js";
import { count, kindOf, money, sumOf } from "../costs.js";
import { h, icon, isolated } from "../dom.js";
import { toast } from "../toasts.js";

const CHANGES = ["shown", "all", "message", "status", "clock"];
const month = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

export function createCosts({ state }) {
  const node = h("div.panel.costs", {});
  let isAsking = false;
  let isStale = false;

  /** Read the bill; what changes meanwhile is read once more behind it. */
  async function draw() {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    while (isStale) {
      isStale = false;
      const bill = await api.readBill().catch((error) => toast(error.message));
      if (bill) node.replaceChildren(...billNodes(bill));
    }
    isAsking = false;
  }

  function billNodes(bill) {
    const { currency, billed, free, lines, allowance } = bill;
    const total = currency ? money(bill.cost, currency) : `${count(billed)} billed`;
    const parts = [currency && `${count(billed)} billed`, `${count(free)} free`];
    const chats = state
      .chats()
      .map((chat) => [chat, sumOf(state.thread(chat), state.billing)])
      .filter(([, { messages }]) => messages > 0);
    return [
      h(
        "div.clock-card",
        {},
        h("p.quiet", {}, month.format(new Date(`${bill.month}-01`))),
        h("p.clock-face.costs-total", {}, total),
        h("p.quiet", {}, parts.filter(Boolean).join(" · ")),
      ),
      h("h3", {}, "Free replies of the month"),
      h("ul.windows", {}, allowance.map(allowanceNode)),
      ...table("Billed messages", lines.map((line) => lineCells(line, currency))),
      ...table("Chats so far", chats.map(([chat, sum]) => [nameOf(chat), sum.why, sum.words])),
      h(
        "p.hint",
        {},
        icon("coins"),
        currency
          ? "Each bubble of the bot is one message. Only what is delivered is billed."
          : "Start the simulator with --rate-card rates.csv to see money.",
      ),
    ];
  }

  function allowanceNode({ number, used, free }) {
    const { name } = state.numbers.find((one) => one.phone_number_id === number) ?? {};
    const bar = h("span.window-bar", { "aria-hidden": "true" }, h("i"));
    bar.firstElementChild.style.setProperty("--part", free ? (used / free).toFixed(3) : 1);
    return h(
      "li",
      { data: { full: used >= free ? "" : undefined } },
      h("bdi.window-who.line", {}, name ?? number),
      h("span.quiet", {}, `${count(used)} of ${count(free)} used`),
      bar,
    );
  }

  function nameOf(chat) {
    const { key, person, number } = state.chatOf(chat);
    const name = person.name || key;
    return number === state.number ? name : `${isolated(name)}, to ${isolated(number.name ?? "another number")}`;
  }

  return {
    ...{ name: "costs", label: "Costs", symbol: "coins", node },
    refresh: (what) => CHANGES.includes(what) && draw(),
  };
}

function lineCells({ market, category, messages, cost }, currency) {
  const amount = currency ? money(cost, currency) : count(messages);
  return [market, `${count(messages)} × ${kindOf(category).toLowerCase()}`, amount];
}

/** A heading and rows of [name, details, amount]; nothing where there are no rows. */
function table(title, rows) {
  if (rows.length === 0) return [];
  const items = rows.map(([name, details, amount]) =>
    h(
      "li",
      {},
      h("bdi.window-who.line", {}, name),
      h("b", {}, amount),
      h("span.quiet", {}, details),
    ),
  );
  return [h("h3", {}, title), h("ul.windows.costs-rows", {}, items)];
}
