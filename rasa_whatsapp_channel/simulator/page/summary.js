// One-line summaries of messages, for the chat list, quotes and screen readers.

const NAMED = {
  image: ["image", "Image"],
  video: ["video", "Video"],
  audio: ["audio", "Audio"],
  document: ["document", "Document"],
  sticker: ["sticker", "Sticker"],
  location: ["location", "Location"],
  contacts: ["contacts", "Contact"],
  template: ["form", "Template"],
  order: ["bag", "Order"],
  reaction: ["smile", "Reaction"],
  system: ["info", "System message"],
  unsupported: ["warning", "Unsupported message"],
};

const DETAILS = {
  image: (content) => content.caption,
  video: (content) => content.caption,
  document: (content) => content.filename ?? content.caption,
  location: (content) => content.name,
  contacts: (content) => content[0]?.name?.formatted_name,
  reaction: (content) => content.emoji,
  template: (content, filled) => filled?.body || content.name,
};

/** {icon?, text}: *text* may hold WhatsApp's formatting. */
export function summaryOf(item) {
  if (item.refused) {
    const what = item.by === "channel" ? "Dead letter" : "Refused";
    return { icon: "warning", text: `${what}: ${item.rule ?? "by the platform"}` };
  }
  if (item.revoked) return { icon: "bin", text: "This message was deleted." };
  const content = item.content ?? {};
  if (item.type === "text") return { text: content.body ?? "" };
  if (item.type === "button") return { text: content.text ?? "" };
  if (item.type === "interactive") return interactive(content);
  if (item.type === "voice" || (item.type === "audio" && content.voice))
    return { icon: "mic", text: "Voice message" };
  const [icon, name] = NAMED[item.type] ?? ["document", `Message of type ${item.type}`];
  return { icon, text: DETAILS[item.type]?.(content, item.filled) || name };
}

function interactive(content) {
  const reply = content.button_reply ?? content.list_reply;
  if (reply) return { text: reply.title };
  if (content.nfm_reply) return { icon: "form", text: content.nfm_reply.body || "Form" };
  const text = content.body?.text ?? content.header?.text ?? "Interactive message";
  return { icon: content.type === "list" ? "list" : undefined, text };
}
