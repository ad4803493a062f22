// Traffic in words: who and what webhooks and requests are about.

import { plus } from "./people.js";
import { summaryOf } from "./summary.js";

/** What a webhook tells: [{kind, who, text, id}], of either shape. */
export function webhookParts(body, state) {
  const changes = body?.entry?.flatMap((entry) => entry.changes ?? []) ?? [{ value: body }];
  const parts = changes.flatMap((change) => changeParts(change, state));
  return parts.length > 0 ? parts : [{ kind: "other" }];
}

function changeParts({ field = "messages", value = {} }, state) {
  const { messages = [], statuses = [], message_echoes: echoes = [], standby } = value;
  if (standby) return changeParts({ value: standby }, state).map(onStandby);
  const parts = [
    ...messages.map((message) => messagePart(message, state)),
    ...statuses.map((status) => statusPart(status, state)),
    ...echoes.map((echo) => echoPart(echo, state)),
  ];
  if (parts.length > 0) return parts;
  return field === "messages" ? [] : [{ kind: field.replaceAll("_", " "), ...eventPart(value, state) }];
}

const onStandby = (part) => ({ ...part, kind: `standby: ${part.kind}` });

function messagePart(message, state) {
  const { id, type, from, from_user_id: userId, from_bsuid: bsuid, group_id: group } = message;
  const text = summaryOf({ type, content: message[type] }).text;
  return { kind: type, who: nameOf(group ?? from ?? userId ?? bsuid, state), text, id };
}

function statusPart({ id, status, recipient_id: phone, recipient_user_id: userId }, state) {
  const message = state.messages.get(id);
  const text = message && summaryOf(message).text;
  return { kind: status, who: nameOf(phone ?? userId, state), text, id };
}

function echoPart({ id, to, to_user_id: userId, message, ...echo }, state) {
  const { type, ...rest } = message ?? echo;
  const who = nameOf(to ?? message?.to ?? userId ?? message?.recipient, state);
  const changed = rest[type]?.original_message_id;
  const text = changed ? "" : summaryOf({ type, content: rest[type] }).text;
  return { kind: `echo: ${type}`, who, text, id: changed ?? id };
}

function eventPart({ event, type, sender, contacts }, state) {
  const who = contacts?.[0]?.wa_id ?? sender?.phone_number;
  return { who: who && nameOf(who, state), text: event ?? type };
}

/** What a request of the bot is about: {kind, who, text, id}; *id* is of a message or a refusal. */
export function requestPart({ method, path, body, answer, refusal }, state) {
  const [route] = path.split("?");
  if (method === "POST" && /\/(marketing_)?messages$/.test(route)) {
    return sendingPart(body ?? {}, answer, refusal, state);
  }
  const place = PLACES.find(([pattern]) => pattern.test(`${method} ${route}`));
  const who = body?.to ?? body?.recipient;
  return {
    kind: place?.[1] ?? method,
    who: who && nameOf(who, state),
    text: body?.action ?? (place ? bodyWords(body) : route),
    id: refusal,
  };
}

const PLACES = [
  [/^POST .*\/media$/, "upload"],
  [/^DELETE .*\/(media\/)?[\w-]+$/, "delete file"],
  [/^GET .*\/whatsapp_business\/attachments\//, "download"],
  [/\/users\/login$/, "login"],
  [/\/calls$/, "call"],
  [/\/thread_control$/, "thread control"],
  [/^GET .*\/(media\/)?\d+$/, "file"],
];

function sendingPart({ type = "text", status, to, recipient, ...body }, answer, refusal, state) {
  if (status) {
    const read = state.messages.get(body.message_id);
    const kind = body.typing_indicator ? `${status}, typing` : status;
    const who = read && nameOf(read.person, state);
    return { kind, who, text: read && summaryOf(read).text, id: refusal ?? body.message_id };
  }
  return {
    kind: type,
    who: nameOf(to ?? recipient, state),
    text: state.itemOf(refusal)?.rule ?? summaryOf({ type, content: body[type] }).text,
    id: refusal ?? answer?.messages?.[0]?.id,
  };
}

const bodyWords = (body) => body?.content_type?.split(";")[0];

function nameOf(reference, state) {
  if (!reference) return "";
  const key = state.resolve(String(reference).replace(/^\+/, ""));
  return state.people.get(key)?.name ?? plus(key);
}
