// State of the page: people, chats, refusals. No DOM, no network.

const LOGGED = 200;
const WEATHER_FAULTS_KEPT = 500;

/** Does the API of *state* tell preferences, owners and the like by webhooks? */
export const hasPlatformEvents = ({ api }) => ["cloud", "360dialog"].includes(api);

/** What names a person in addresses and messages: the phone, else the user id. */
export const keyOf = (person) => person.phone || person.user_id;

export class State {
  constructor() {
    this.listeners = new Set();
    this.forget();
    this.pinned = new Set(); // chats that stand first
    this.load({});
  }

  /** Tell *listener* of every change: {what, chat?, item?, isNew?}. */
  subscribe(listener) {
    this.listeners.add(listener);
  }

  tell(change) {
    for (const listener of this.listeners) listener(change);
  }

  /**
   * Take the whole state as GET /simulator/state gives it; *chat* is shown what names no chat.
   */
  load({ people = [], messages = [], refusals = [], ...rest }, chat) {
    this.api = rest.api;
    this.webhook = typeof rest.webhook === "string" ? rest.webhook : rest.webhook?.url;
    this.numbers = rest.numbers ?? (rest.number ? [rest.number] : []);
    this.clock = rest.clock;
    this.faults = rest.faults;
    this.templates = rest.templates;
    this.weather = rest.weather;
    this.billing = rest.billing ?? {};
    this.limit = rest.messaging_limit ?? {}; // {people, reached}: a day; null people: all
    this.hasRasa = rest.rasa === true;
    this.people = new Map(people.map((person) => [keyOf(person), person]));
    this.messages = new Map();
    this.tapped = new Map();
    this.threads = new Map();
    this.typing = new Map();
    this.owners = new Map();
    for (const owner of rest.owners ?? []) this.noteOwner(owner);
    for (const message of messages) this.putMessage(message);
    for (const refusal of refusals) this.insert(this.refusalOf(refusal, chat));
    this.tell({ what: "all" });
  }

  /** Discard what only this page stores. */
  forget() {
    this.deliveries = []; // webhooks, the newest first
    this.requests = []; // of the bot, the newest first
  }

  /** Take one event of the socket; *chat* is shown what names no chat. */
  take(event, chat) {
    const takers = {
      message: () => this.takeMessage(event.message),
      status: () => this.takeStatus(event),
      reaction: () => this.takeReactions(event),
      typing: () => this.takeTyping(event),
      refused: () => this.takeRefusal(event, chat),
      weather: () => this.takeWeatherFault(event),
      weather_changed: () => this.takePart("weather", event),
      webhook: () => this.takeDelivery(event),
      request: () => this.takeRequest(event),
      person: () => this.takePerson(event.person),
      window: () => this.takeWindow(event),
      owner: () => this.takeOwner(event),
      clock: () => this.takePart("clock", { now: event.now, offset: event.offset }),
      faults: () => this.takePart("faults", event.faults),
      messaging_limit: () => this.takeLimit(event),
      templates: () => this.takePart("templates", event.templates),
    };
    takers[event.event]?.();
  }

  /** The business number that is meant where none is said. */
  get number() {
    return this.numbers[0] ?? {};
  }

  /** Unix seconds on the simulator's clock, which may have been moved. */
  now() {
    return Date.now() / 1000 + (this.clock?.offset ?? 0);
  }

  /** The key of the person whom *reference* (phone or user id) names. */
  resolve(reference) {
    if (this.people.has(reference)) return reference;
    for (const [key, person] of this.people) if (person.user_id === reference) return key;
    return reference;
  }

  // A chat is one person with one of the bot's numbers. Its key is the person's, and names the
  // number only where that is not the first: "4915112345678", "4915112345678~106540352242923".

  chatKey(person, number) {
    return number && number !== this.number.phone_number_id ? `${person}~${number}` : person;
  }

  /** {person, number} of a chat: a person's JSON and a number's. */
  chatOf(key) {
    const [person, id] = String(key).split("~");
    const number = id ? this.numbers.find((one) => one.phone_number_id === id) : this.number;
    return { key: person, person: this.people.get(person), number };
  }

  hasChat(key) {
    const { person, number } = this.chatOf(key);
    return Boolean(person && number);
  }

  /** The keys of all chats: each person with the first number, and with others they wrote to. */
  chats() {
    const others = [...this.threads.keys()].filter((key) => key.includes("~"));
    const keys = [...new Set([...this.people.keys(), ...others])].filter((key) =>
      this.hasChat(key),
    );
    const moment = (key) => this.lastMessage(key)?.timestamp ?? 0;
    const isPinned = (key) => Number(this.pinned.has(key));
    return keys.sort((a, b) => isPinned(b) - isPinned(a) || moment(b) - moment(a));
  }

  /** Who answers in a chat: {owner: bot | waiting | human | app, by, reason, since, …}. */
  ownerOf(key) {
    return this.owners.get(key) ?? { owner: "bot" };
  }

  /** Let a chat stand first in the list, or no longer. */
  pin(key, isPinned) {
    if (isPinned) this.pinned.add(key);
    else this.pinned.delete(key);
    this.tell({ what: "pinned" });
  }

  thread(key) {
    return this.threads.get(key) ?? [];
  }

  /** The message or refusal with this id; of a reaction the message it stands on. */
  itemOf(id) {
    const message = this.messages.get(id);
    if (message?.type === "reaction") return this.messages.get(message.content?.message_id);
    return message ?? this.refusalWith(id);
  }

  refusalWith(id) {
    for (const thread of this.threads.values()) {
      const found = thread.find((item) => item.refused && item.id === id);
      if (found) return found;
    }
    return undefined;
  }

  lastMessage(key) {
    return this.thread(key).findLast((item) => !item.refused);
  }

  isTyping(key) {
    return (this.typing.get(key) ?? 0) > Date.now();
  }

  /** How many of the bot's messages in a chat the person has not read. */
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
    return this.tapped.get(id) ?? new Set();
  }

  takeMessage(message) {
    const isNew = !this.messages.has(message.id);
    const item = this.putMessage(message);
    if (item.direction === "outbound") this.typing.delete(item.chat);
    this.tell({ what: "message", chat: item.chat, item, isNew });
    const quoted = this.messages.get(item.context?.message_id);
    if (quoted) this.tell({ what: "message", chat: quoted.chat, item: quoted, isNew: false });
  }

  putMessage(message) {
    const person = this.resolve(message.person);
    const item = { ...message, person, chat: this.chatKey(person, message.number) };
    this.noteTap(item);
    const known = this.messages.get(item.id);
    if (known) return Object.assign(known, item);
    this.messages.set(item.id, item);
    if (item.type !== "reaction") this.place(item); // those stand on the message they are for
    return item;
  }

  noteTap(item) {
    const quoted = item.direction === "inbound" && item.context?.message_id;
    const reply = quoted ? tappedId(item) : undefined;
    if (reply === undefined) return;
    if (!this.tapped.has(quoted)) this.tapped.set(quoted, new Set());
    this.tapped.get(quoted).add(reply);
  }

  place(item) {
    if (!this.threads.has(item.chat)) this.threads.set(item.chat, []);
    this.threads.get(item.chat).push(item);
  }

  /** Put a refusal where it was when it came: behind the message that was the last one then. */
  insert(item) {
    const thread = this.threads.get(item.chat) ?? [];
    this.threads.set(item.chat, thread);
    const behind = thread.findIndex(({ id }) => id === item.after);
    const isOfChat = behind >= 0 || (item.person && !item.after);
    const earlier = ({ timestamp }) => timestamp <= item.timestamp;
    let at = (isOfChat ? behind : thread.findLastIndex(earlier)) + 1;
    while (thread[at]?.refused) at += 1;
    thread.splice(at, 0, item);
  }

  takeReactions({ message_id: id, reactions }) {
    const item = this.messages.get(id);
    if (!item) return;
    item.reactions = reactions;
    this.tell({ what: "message", chat: item.chat, item, isNew: false });
  }

  takeStatus({ message_id: id, status, errors, statuses, timestamp, by_hand: byHand }) {
    const item = this.messages.get(id);
    if (!item) return;
    const step = { status, timestamp: timestamp ?? this.now(), by_hand: byHand };
    Object.assign(item, { status, errors: errors ?? item.errors });
    if (item.statuses) item.statuses = statuses ?? [...item.statuses, step];
    this.tell({ what: "status", chat: item.chat, item });
  }

  takeTyping({ person, number, seconds = 25 }) {
    const chat = this.chatKey(this.resolve(person), number);
    this.typing.set(chat, Date.now() + seconds * 1000);
    this.tell({ what: "typing", chat });
  }

  /** A refusal as an item of its chat; that of an upload has no chat. */
  refusalOf(refusal, fallback) {
    const known = this.chatKey(this.resolve(refusal.person), refusal.number);
    const chat = this.hasChat(known) ? known : (fallback ?? this.chats()[0]);
    return { ...refusal, refused: true, chat };
  }

  takeRefusal(refusal, chat) {
    const item = this.refusalOf(refusal, chat);
    if (this.thread(item.chat).some(({ id }) => id === item.id)) return; // it was just read
    this.place(item);
    this.tell({ what: "refused", chat: item.chat, item, isNew: true });
  }

  takeWeatherFault(fault) {
    const faults = [...(this.weather?.faults ?? []), fault].slice(-WEATHER_FAULTS_KEPT);
    this.weather = { ...this.weather, faults };
    this.tell({ what: "weather" });
  }

  takeDelivery(event) {
    const isKnown = ({ time, attempt }) => time === event.time && attempt === event.attempt;
    if (this.deliveries.some(isKnown)) return; // it was in the log that was just read
    this.deliveries = [event, ...this.deliveries].slice(0, LOGGED);
    this.tell({ what: "webhook" });
  }

  takeRequest(event) {
    if (this.requests.some(({ id }) => id === event.id)) return; // it was just read
    this.requests = [event, ...this.requests].slice(0, LOGGED);
    this.tell({ what: "request" });
  }

  /** Take both logs as they were before this page was opened, the oldest first. */
  loadLogs(attempts, requests) {
    this.deliveries = attempts.slice(-LOGGED).reverse();
    this.requests = requests.slice(-LOGGED).reverse();
    this.tell({ what: "logs" });
  }

  takePerson(person) {
    this.people.set(keyOf(person), person);
    this.tell({ what: "people" });
  }

  /** *window* is when the person's 24 hours end, in unix seconds; null: they never wrote. */
  takeWindow({ person, window }) {
    const known = this.people.get(this.resolve(person));
    if (!known) return;
    known.window = window;
    this.tell({ what: "window" });
  }

  takeLimit({ people, reached }) {
    this.takePart("limit", { people, reached });
  }

  takeOwner(owner) {
    this.tell({ what: "owner", chat: this.noteOwner(owner) });
  }

  noteOwner(owner) {
    const chat = this.chatKey(this.resolve(owner.person), owner.number);
    this.owners.set(chat, owner);
    return chat;
  }

  takePart(name, value) {
    this[name] = value;
    this.tell({ what: name });
  }
}

function tappedId({ type, content }) {
  if (type === "button") return content?.payload;
  return (content?.button_reply ?? content?.list_reply)?.id;
}

/** The messages in a webhook's body, of either shape: nested (Cloud) or flat (on-premises). */
function messagesIn(body) {
  const values = body?.entry?.flatMap((entry) => entry.changes ?? []).map(({ value }) => value);
  return (values ?? [body]).flatMap((value) => value?.messages ?? []);
}
