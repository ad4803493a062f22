// More message types and account changes: each is a form for an incoming message.

import { h, icon } from "../dom.js";
import { ask } from "./dialog.js";
import { openSheet } from "./sheet.js";

const number = { type: "number", min: 0, required: true };

// Symbol, title, what it is, its fields, and the message made of their values, or what is done.
const OTHERS = [
  {
    name: "order",
    symbol: "bag",
    title: "Order",
    about: "A cart from your catalogue",
    fields: [
      { name: "product", label: "Product", value: "boat-anna", required: true },
      { name: "quantity", label: "Quantity", value: "2", ...number, min: 1 },
      { name: "price", label: "Unit price", value: "45.50", ...number, step: "any" },
      { name: "currency", label: "Currency", value: "EUR", required: true, pattern: "[A-Z]{3}" },
      { name: "text", label: "Text" },
    ],
    make: ({ product, quantity, price, currency, text }) => ({
      type: "order",
      order: {
        catalog_id: "194836987003835",
        ...(text && { text }),
        product_items: [
          {
            product_retailer_id: product,
            quantity: Number(quantity),
            item_price: Number(price),
            currency,
          },
        ],
      },
    }),
  },
  {
    name: "flow",
    symbol: "form",
    title: "Flow response",
    about: "A submitted form",
    fields: [
      {
        ...{ name: "json", label: "Response as JSON", type: "textarea", rows: 6, required: true },
        value: JSON.stringify({ flow_token: "unused", date: "2026-12-01", guests: 2 }, null, 2),
      },
    ],
    make: ({ json }) => ({
      type: "interactive",
      interactive: {
        type: "nfm_reply",
        nfm_reply: { name: "flow", body: "Sent", response_json: JSON.stringify(JSON.parse(json)) },
      },
    }),
  },
  {
    name: "ad",
    symbol: "megaphone",
    title: "Text from an ad",
    about: "The first message after a tap on an ad",
    fields: [
      { name: "text", label: "Text", value: "Hello! Can I get more info on this?", required: true },
      { name: "headline", label: "Headline of the ad", value: "Two nights at the lake" },
      { name: "body", label: "Text of the ad", value: "From 89 € with breakfast" },
      { name: "url", label: "Address", type: "url", value: "https://fb.example/lake" },
    ],
    make: ({ text, headline, body, url }) => ({
      type: "text",
      text: { body: text },
      referral: {
        source_url: url,
        source_type: "ad",
        source_id: "120211437211530437",
        headline,
        body,
        media_type: "image",
        ctwa_clid: "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwFF4XvnO2E4Nx0",
      },
    }),
  },
  {
    name: "forwarded",
    symbol: "reply",
    title: "Forwarded text",
    about: "From another chat",
    fields: [
      { name: "text", label: "Text", value: "Look what I have found", required: true },
      { name: "often", label: "Forwarded many times", type: "checkbox" },
    ],
    make: ({ text, often }) => ({
      type: "text",
      text: { body: text },
      context: often ? { frequently_forwarded: true } : { forwarded: true },
    }),
  },
  {
    name: "quick-reply",
    symbol: "check",
    title: "Button of a template",
    about: "A tapped quick reply of a template",
    fields: [
      { name: "text", label: "Button", value: "Yes, please", required: true },
      { name: "payload", label: "Payload", value: "/affirm", required: true },
    ],
    make: ({ text, payload }) => ({ type: "button", button: { text, payload } }),
  },
  {
    name: "number-change",
    symbol: "phone",
    title: "New phone number",
    about: "The person changes their number",
    fields: [
      {
        ...{ name: "phone", label: "New number", type: "tel", required: true },
        ...{ value: "+49 1555 0100299", pattern: "[+0-9 \\(\\)\\-]{6,24}" },
      },
    ],
    act: ({ phone }, controller) => controller.change({ phone: phone.replace(/[^0-9]/g, "") }),
  },
  {
    name: "unsupported",
    symbol: "warning",
    title: "Unsupported message",
    about: "A poll, an event, a message to view once",
    fields: [{ name: "kind", label: "Kind", value: "poll", required: true }],
    make: ({ kind }) => ({ type: "unsupported", unsupported: { type: kind } }),
  },
  {
    name: "json",
    symbol: "code",
    title: "Custom JSON",
    about: "A message as in a webhook",
    fields: [
      {
        ...{ name: "json", label: "Message", type: "textarea", rows: 8, required: true },
        value: JSON.stringify({ type: "text", text: { body: "Hi" } }, null, 2),
      },
    ],
    make: ({ json }) => JSON.parse(json),
  },
];

/** Let the person choose one and send it. */
export function openOthers(controller) {
  const rows = OTHERS.map((other) =>
    h(
      "button.row.with-icon",
      { type: "button", data: { other: other.name }, onclick: () => choose(other) },
      icon(other.symbol),
      h("span.row-title", {}, other.title),
      h("span.quiet", {}, other.about),
    ),
  );
  const body = h("div.rows", {}, rows);
  const sheet = openSheet(controller.node, { title: "More message types", body });

  async function choose({ title, about, fields, make, act }) {
    sheet.close();
    const values = await ask({ title, text: about, fields, submit: "Send", check: readable });
    if (!values) return;
    if (act) act(values, controller);
    else controller.send(make(values));
  }
}

/** What is wrong with the values, if one of them should be JSON. */
function readable({ json }) {
  if (json === undefined) return null;
  try {
    JSON.parse(json);
    return null;
  } catch (error) {
    return `Invalid JSON: ${error.message}`;
  }
}
