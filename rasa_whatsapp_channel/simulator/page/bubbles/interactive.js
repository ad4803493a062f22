// Interactive messages: header, body, footer and choices.

import { h, icon } from "../dom.js";
import { formatted } from "../format/render.js";
import { carousel } from "./carousel.js";
import { choice, linkChoice } from "./choices.js";
import { parts, replyButton } from "./parts.js";

// What people answer with: bubbles of their own.
const REPLIES = {
  button_reply: (content) => [formatted(content.button_reply.title)],
  list_reply: (content) => [
    formatted(content.list_reply.title),
    content.list_reply.description && h("p.quiet", { dir: "auto" }, content.list_reply.description),
  ],
  nfm_reply: (content) => [
    h("div.notice", {}, icon("form"), h("p", { dir: "auto" }, content.nfm_reply.body || "Form sent")),
  ],
};

// What can be tapped below a message of the business, by its type.
const CHOICES = {
  button: (item, controller) =>
    item.content.action.buttons.map((button) =>
      button.type === "cta_url"
        ? linkChoice(button.cta_url.display_text, button.cta_url.url)
        : replyButton(item, controller, button),
    ),
  list: (item, controller) => [
    choice("list", item.content.action.button, () => controller.openList(item), { haspopup: true }),
  ],
  cta_url: ({ content }) => [
    linkChoice(content.action.parameters.display_text, content.action.parameters.url),
  ],
  location_request_message: (item, controller) => [
    choice("location", "Send location", () => controller.askLocation(item), { haspopup: true }),
  ],
  request_contact_info: (item, controller) => [
    choice("contacts", "Share contact", () => controller.askContact(item), { haspopup: true }),
  ],
  flow: (item, controller) => [
    choice("form", item.content.action.parameters.flow_cta, () => controller.askFlow(item), {
      haspopup: true,
    }),
  ],
  product: () => [choice("bag", "View", null)],
  product_list: (item, controller) => [
    choice("bag", "View items", () => controller.openProducts(item), { haspopup: true }),
  ],
  catalog_message: () => [choice("bag", "View catalog", null)],
  voice_call: ({ content }) => [
    choice("phone", content.action.parameters?.display_text ?? "Call now", null),
  ],
  order_details: () => [choice("bag", "Review and pay", null)],
  order_status: () => [choice("bag", "Review order", null)],
  call_permission_request: () => [choice("phone", "Choose a preference", null)],
};

/** The lines of an order, and what they cost. */
function order({ type, action }) {
  const parameters = action?.parameters;
  if (type === "order_status") {
    const { order: { status, description } = {}, payment } = parameters;
    return [
      lines([
        [parameters.reference_id, status ?? ""],
        description && ["", description],
        payment && ["Payment", payment.status],
      ]),
    ];
  }
  if (type !== "order_details") return [];
  const { items = [], tax, shipping, discount } = parameters.order ?? {};
  const money = ({ value, offset }) => `${(value / offset).toFixed(2)} ${parameters.currency}`;
  return [
    lines([
      ...items.map(({ quantity, name, amount, sale_amount: sale }) => [
        `${quantity} × ${name}`,
        money(sale ?? amount),
      ]),
      tax && ["Tax", money(tax)],
      shipping && ["Shipping", money(shipping)],
      discount && ["Discount", `−${money(discount)}`],
      ["Total", money(parameters.total_amount)],
    ]),
  ];
}

function lines(rows) {
  return h(
    "dl.template-values",
    {},
    rows.filter(Boolean).flatMap(([name, value]) => [h("dt", { dir: "auto" }, name), h("dd", {}, value)]),
  );
}

export function interactive(item, controller) {
  const { content } = item;
  const reply = REPLIES[content.type];
  if (reply) return { content: reply(content), meta: content.list_reply ? "below" : "inline" };
  if (content.type === "carousel") return carousel(item, controller);
  return {
    content: [...parts(content, controller), ...order(content)],
    choices: CHOICES[content.type]?.(item, controller),
    meta: content.footer ? "footer" : "inline",
  };
}
