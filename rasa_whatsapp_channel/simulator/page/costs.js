// Costs in words: of one message, of several, and amounts of money.

const KINDS = {
  service: "Reply",
  marketing_lite: "Marketing template",
  authentication_international: "Authentication template",
};

/** "reply", "utility template": what a category of WhatsApp's is. */
export const kindOf = (category) =>
  KINDS[category] ?? `${category[0].toUpperCase()}${category.slice(1).replaceAll("_", " ")} template`;

/** "$0.0068"; the rates on a card have four digits. */
export function money(amount, currency) {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 4 };
  return new Intl.NumberFormat("en", { style: "currency", currency, ...digits }).format(amount);
}

export const count = (number) => new Intl.NumberFormat("en").format(number);

/** What a message of the bot costs: {isBilled, words, why}; null where that is no question. */
export function costOf({ direction, status, pricing }, { currency, free_messages: free }) {
  if (direction !== "outbound") return null;
  if (status === "failed") return { isBilled: false, words: "Free", why: "It was not delivered." };
  if (!pricing) return null;
  const { billable, type, category, market, cost } = pricing;
  if (!billable) return { isBilled: false, words: "Free", why: whyFree(type, free) };
  const words = currency && cost !== null ? money(cost, currency) : "Billed";
  return { isBilled: true, words, why: whyBilled(category, market, words === "Billed" && currency) };
}

function whyFree(type, free) {
  if (type === "free_entry_point")
    return "Everything is free for 72 hours from the answer to somebody who came from an ad.";
  return `One of the ${count(free)} free replies of this number and month.`;
}

function whyBilled(category, market, hasNoRate) {
  const why =
    category === "service"
      ? "the free replies of this month are used up"
      : "it is never among the free ones";
  const rate = hasNoRate ? " The rate card has no rate for it." : "";
  return `${kindOf(category)} to ${market}: ${why}.${rate}`;
}

/** What all of *items* cost together: {messages, billed, amount, words, why}. */
export function sumOf(items, { currency }) {
  const priced = items.filter(({ status, pricing }) => pricing && status !== "failed");
  const billed = priced.filter(({ pricing }) => pricing.billable);
  const amount = billed.reduce((sum, { pricing }) => sum + Number(pricing.cost ?? 0), 0);
  const parts = `${count(billed.length)} billed`;
  const paid = currency ? money(amount, currency) : parts;
  return {
    ...{ messages: priced.length, billed: billed.length, amount },
    words: billed.length ? paid : "Free",
    why: `${parts}, ${count(priced.length - billed.length)} free`,
  };
}
