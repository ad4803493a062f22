// Form for a webhook of one's own.

import * as api from "../api.js";
import { ask } from "../dialogs/dialog.js";
import { toast } from "../toasts.js";

/** Edit *body* and send it to the bot. */
export async function sendBody(body) {
  const values = await ask({
    title: "Send custom webhook",
    text: "Sent to your bot as if it came from WhatsApp.",
    submit: "Send",
    fields: [
      {
        ...{ name: "body", label: "Body", type: "textarea", rows: 14, required: true },
        value: JSON.stringify(body, null, 2),
      },
      {
        ...{ name: "sign", label: "Valid signature", type: "checkbox", checked: true },
        hint: "Otherwise the signature is invalid, and your bot should refuse the webhook.",
      },
    ],
    check: ({ body: text }) => wrongIn(text),
  });
  if (!values) return;
  const webhook = { body: JSON.parse(values.body), sign: values.sign !== undefined };
  await api.sendWebhook(webhook).catch((error) => toast(error.message));
}

function wrongIn(text) {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `Invalid JSON: ${error.message}`;
  }
}

/** What to begin with: the newest webhook, else one without messages. */
export function emptyBody({ deliveries, number }) {
  if (deliveries[0]) return deliveries[0].body;
  const { display_phone_number, phone_number_id } = number;
  const metadata = { display_phone_number, phone_number_id };
  const value = { messaging_product: "whatsapp", metadata, messages: [] };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: "0", changes: [{ field: "messages", value }] }],
  };
}
