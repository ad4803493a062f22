// What the page knows: people, their messages, what the platform refused. No DOM, no network.

const DELIVERIES_KEPT = 30;

/** What names a person in addresses and messages: the phone, else the user id. */
export const keyOf = (person) => person.phone || person.user_id;

export class State {
  constructor() {
    this.listeners = new Set();
    this.deliveries = [];
    this.load({});
  }

  /** Tell *listener* of every change: {what, person?, item?, isNew?}. */
  subscribe(listener) {
    this.listeners.add(listener);
  }

  tell(change) {
    for (const listener of this.listeners) listener(change);
  }

  /** Take the whole state as GET /simulator/state gives it. Refusals seen so far stay. */
  load({ api, webhook, number, people = [], messages = [] }) {
    const refused = [...(this.threads?.values() ?? [])].flat().filter((item) => item.refused);
    this.api = api;
    this.webhook = typeof webhook === "string" ? webhook : webhook?.url;
    this.number = number ?? {};
    this.people = new Map(people.map((person) => [keyOf(person), person]));
    this.messages = new Map();
    this.threads = new Map();
    this.typing = new Map();
    for (const message of messages) this.putMessage(message);
    for (const item of refused) this.place(item);
    this.tell({ what: "all" });
  }

  /** Throw away what only this page remembers: refusals and deliveries. */
  forget() {
    this.threads.clear();
    this.deliveries = [];
  }

  /** Take one event of the socket. */
  take(event) {
    const takers = {
      message: () => this.takeMessage(event.message),
      status: () => this.takeStatus(event),
      reaction: () => this.takeReactions(event),
      typing: () => this.takeTyping(event),
      refused: () => this.takeRefusal(event),
      webhook: () => this.takeDelivery(event),
      person: () => this.takePerson(event.person),
    };
    takers[event.event]?.();
  }

  /** The key of the person whom *reference* (phone or user id) names. */
  resolve(reference) {
    if (this.people.has(reference)) return reference;
    for (const [key, person] of this.people) if (person.user_id === reference) return key;
    return reference;
  }

  thread(key) {
    return this.threads.get(key) ?? [];
  }

  lastMessage(key) {
    return this.thread(key).findLast((item) => !item.refused);
  }

  /** How many of the bot's messages *key* has not read. */
  unread(key) {
    const isUnread = (item) =>
      item.direction === "outbound" && (item.status === "sent" || item.status === "delivered");
    return this.thread(key).filter(isUnread).length;
  }

  /** The newest webhook that brought the message *id* to the bot, if it is known here. */
  deliveryOf(id) {
    return this.deliveries.find(({ body }) =>
      messagesIn(body).some((message) => message.id === id),
    );
  }

  /** The replies that were tapped on the message *id*: their ids. */
  taps(id) {
    const answers = this.thread(this.messages.get(id)?.person).filter(
      (item) => item.direction === "inbound" && item.context?.message_id === id,
    );
    return new Set(answers.map(tappedId).filter((tapped) => tapped !== undefined));
  }

  takeMessage(message) {
    const isNew = !this.messages.has(message.id);
    const item = this.putMessage(message);
    if (item.direction === "outbound") this.typing.delete(item.person);
    this.tell({ what: "message", person: item.person, item, isNew });
    const quoted = this.messages.get(item.context?.message_id);
    if (quoted) this.tell({ what: "message", person: quoted.person, item: quoted, isNew: false });
  }

  putMessage(message) {
    const item = { ...message, person: this.resolve(message.person) };
    const known = this.messages.get(item.id);
    if (known) return Object.assign(known, item);
    this.messages.set(item.id, item);
    if (item.type !== "reaction") this.place(item); // those stand on the message they are for
    return item;
  }

  place(item) {
    if (!this.threads.has(item.person)) this.threads.set(item.person, []);
    this.threads.get(item.person).push(item);
  }

  takeReactions({ message_id: id, reactions }) {
    const item = this.messages.get(id);
    if (!item) return;
    item.reactions = reactions;
    this.tell({ what: "message", person: item.person, item, isNew: false });
  }

  takeStatus({ message_id: id, status, errors }) {
    const item = this.messages.get(id);
    if (!item) return;
    Object.assign(item, { status, errors: errors ?? item.errors });
    this.tell({ what: "status", person: item.person, item });
  }

  takeTyping({ person, seconds = 25 }) {
    const key = this.resolve(person);
    this.typing.set(key, Date.now() + seconds * 1000);
    this.tell({ what: "typing", person: key });
  }

  takeRefusal({ person, request, answer, rule }) {
    const timestamp = Date.now() / 1000;
    const key = this.resolve(person);
    const item = {
      id: `refused-${timestamp}`,
      refused: true,
      person: key,
      timestamp,
      request,
      answer,
      rule,
    };
    this.place(item);
    this.tell({ what: "refused", person: key, item, isNew: true });
  }

  takeDelivery(event) {
    this.deliveries = [event, ...this.deliveries].slice(0, DELIVERIES_KEPT);
    this.tell({ what: "webhook" });
  }

  takePerson(person) {
    this.people.set(keyOf(person), person);
    this.tell({ what: "people" });
  }
}

function tappedId({ type, content }) {
  if (type === "button") return content.payload;
  return (content?.button_reply ?? content?.list_reply)?.id;
}

/** The messages in a webhook's body, of either shape: nested (Cloud) or flat (on-premises). */
function messagesIn(body) {
  const values = body?.entry?.flatMap((entry) => entry.changes ?? []).map(({ value }) => value);
  return (values ?? [body]).flatMap((value) => value?.messages ?? []);
}
