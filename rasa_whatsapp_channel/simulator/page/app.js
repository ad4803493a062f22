// The page: connects the state, the phones, the developer tools and the simulator.

import { adviceFor, adviceForNone } from "./advice.js";
import * as api from "./api.js";
import { hideBanner, showBanner } from "./banners.js";
import { createDevtools } from "./devtools.js";
import { download } from "./chat_menu.js";
import { openMenu } from "./dialogs/menu.js";
import { askGroup, askPerson, confirmImport, confirmReset } from "./dialogs/questions.js";
import { byId } from "./dom.js";
import { renderPeople } from "./people.js";
import { createPhones } from "./phones.js";
import { pressEnd, unpressed } from "./press.js";
import { keepOpen } from "./socket.js";
import { hasPlatformEvents, keyOf, State } from "./state.js";
import { summaryOf } from "./summary.js";
import { connectThemeButton } from "./themes.js";
import { toast } from "./toasts.js";

const READ_AFTER = 350; // milliseconds a person looks at a message before it counts as read

const state = new State();
const page = {
  state,
  addPerson,
  goTo,
  inspect: (item) => devtools.select(item),
  reveal: (item) => devtools.reveal(item),
  openDevtools: (panel) => devtools.open(panel),
};
const phones = (page.phones = createPhones(page, onPhones));
const devtools = createDevtools(page);

/** Show the message or refusal *id* on a phone. */
function goTo(id) {
  const item = state.itemOf(id);
  devtools.close();
  const open = phones.with(item.chat)[0];
  if (open && open.node.offsetParent !== null) open.controller.goTo(item.id);
  else location.hash = `${phones.addressWith(item.chat)}?message=${encodeURIComponent(item.id)}`;
}

function onPhones() {
  renderLater();
  readSoon();
  devtools.refresh("phones");
}

// ── changes of the state ─────────────────────────────────────────────────────────────────────────

const onChange = {
  all() {
    phones.route();
    byId("new-group").hidden = state.numbers.length === 0 || !hasPlatformEvents(state);
    for (const phone of phones.all()) phone.redraw();
    phones.goToMessage();
    devtools.reload();
    if (state.webhook) hideBanner("webhook");
    else showBanner("webhook", adviceForNone());
  },
  message({ chat, item, isNew }) {
    if (item.type === "reaction") return;
    if (isNew) showNew(chat, item);
    else refresh(chat, item);
  },
  refused: ({ chat, item }) => showNew(chat, item),
  status: ({ chat, item }) => refresh(chat, item),
  pinned: () => localStorage.setItem(PINNED, JSON.stringify([...state.pinned])),
  typing({ chat }) {
    setTimeout(() => unpressed(() => showTyping(chat)), state.typing.get(chat) - Date.now() + 50);
    showTyping(chat);
  },
  webhook() {
    const [latest] = state.deliveries;
    const advice = adviceFor(latest, state.webhook);
    const again = () => api.redeliver(latest.id).catch((error) => toast(error.message));
    if (advice) showBanner("webhook", { ...advice, action: ["Try now", again] });
    else hideBanner("webhook");
  },
  people() {
    if (!phones.inUse?.chat) phones.route();
  },
  clock() {
    for (const phone of phones.all()) phone.redraw(); // the days have other names now
  },
  templates() {
    for (const phone of phones.all()) phone.redraw();
  },
};

const PINNED = "pinned";
state.pinned = new Set(JSON.parse(localStorage.getItem(PINNED) ?? "[]"));

state.subscribe((change) => {
  onChange[change.what]?.(change);
  devtools.refresh(change.what, change);
  renderLater();
});

function showNew(chat, item) {
  for (const phone of phones.with(chat)) {
    phone.add();
    if (item.direction === "inbound") continue;
    const words = `${phone.controller.nameOf(item)}: ${summaryOf(item).text}`;
    byId("announcer").textContent = words;
    readSoon();
  }
}

function refresh(chat, item) {
  for (const phone of phones.with(chat)) phone.refresh(item);
}

function showTyping(chat) {
  renderLater();
  for (const phone of phones.with(chat)) phone.showTyping();
}

// Many changes may come at once; the lists are drawn once for all of them.

let drawing = 0;

function renderLater() {
  drawing ||= requestAnimationFrame(() => unpressed(render));
}

function render() {
  drawing = 0;
  renderPeople(page);
  for (const phone of phones.all()) phone.renderHead();
  const unread = state.chats().reduce((sum, chat) => sum + state.unread(chat), 0);
  document.title = unread ? `(${unread}) WhatsApp simulator` : "WhatsApp simulator";
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

let reading;

function readSoon() {
  clearTimeout(reading);
  reading = setTimeout(read, READ_AFTER);
}

function read() {
  for (const phone of phones.all()) {
    if (!phone.chat || !phone.isLookedAt() || state.unread(phone.chat) === 0) continue;
    api.markRead(state.chatOf(phone.chat).key).catch((error) => toast(error.message));
  }
}

// ── the simulator ────────────────────────────────────────────────────────────────────────────────

let waiting = null; // events that arrive while the state is loading; repeats are harmless

/** Read everything anew; true once it is shown. The last one begun counts. */
async function reload() {
  const events = (waiting = []);
  let isShown = false;
  try {
    const asked = [api.readState(), api.readWebhooks(), api.readRequests()];
    const [whole, webhooks, requests] = await Promise.all(asked);
    await pressEnd();
    if (waiting !== events) return false;
    state.load(whole, phones.inUse?.chat);
    state.loadLogs(webhooks, requests);
    isShown = true;
  } catch (error) {
    toast(error.message);
    if (waiting !== events) return false;
  }
  waiting = null;
  events.forEach(take);
  return isShown;
}

/** A link may come from another simulator. */
function tellMissing() {
  for (const chat of phones.missing()) toast(`This simulator has no chat ${chat}.`);
}

function take(event) {
  if (event.event === "reset") {
    state.forget();
    reload();
  } else if (event.event === "moved") {
    state.takePerson(event.person);
    phones.move(event.was, keyOf(event.person));
    reload();
  } else if (waiting) {
    waiting.push(event);
  } else if (event.event === "refused") {
    if (!isStray(event.request ?? {})) state.take(event, phones.inUse?.chat);
  } else {
    state.take(event);
  }
}

/** What browsers ask every server for is nothing the bot did. */
function isStray({ method, path }) {
  return method === "GET" && /^\/\.well-known\/|\.(ico|png|txt|json|map)$/.test(path);
}

async function addPerson() {
  const asked = await askPerson();
  if (asked) await add(api.addPerson(asked));
}

async function addGroup() {
  const people = [...state.people].filter(([, person]) => !person.group);
  const asked = await askGroup(people.map(([key, person]) => [key, person.name]));
  if (asked) await add(api.addGroup(asked));
}

async function add(adding) {
  try {
    const person = await adding;
    state.takePerson(person);
    location.hash = phones.addressWith(keyOf(person));
  } catch (error) {
    toast(error.message);
  }
}

function openAllChats() {
  openMenu(byId("all-chats"), [
    ["download", "Export all chats", () => download(api.exportOf())],
    ["upload", "Import chats", () => byId("import").click()],
    ["reset", "Start over", startOver, { id: "reset" }],
  ]);
}

async function importChats({ target }) {
  const [file] = target.files;
  target.value = "";
  if (!file || !(await confirmImport(file.name))) return;
  try {
    await api.importState(JSON.parse(await file.text()));
  } catch (error) {
    toast(error instanceof SyntaxError ? `${file.name} is not JSON.` : error.message);
  }
}

async function startOver() {
  if (!(await confirmReset())) return;
  await api.reset().catch((error) => toast(error.message));
}

const socket = keepOpen(api.socketAddress(), {
  onopen() {
    hideBanner("socket");
    devtools.setConnected(true);
    reload().then((isShown) => isShown && tellMissing()); // what happened meanwhile
  },
  onevent: (event) => unpressed(() => take(event)),
  onlost(next) {
    const seconds = Math.max(1, Math.round((next - Date.now()) / 1000));
    devtools.setConnected(false);
    showBanner("socket", {
      title: "Connection to the simulator lost",
      text: `Trying again in ${seconds} s. Is “rasa-whatsapp simulate” still running?`,
      action: ["Try now", () => socket.retry()],
    });
  },
});

connectThemeButton();
phones.route();
byId("new-person").addEventListener("click", addPerson);
byId("new-group").addEventListener("click", addGroup);
byId("all-chats").addEventListener("click", openAllChats);
byId("import").addEventListener("change", importChats);
byId("find").addEventListener("input", renderLater);
byId("skip").addEventListener("click", () => phones.inUse.focus());
document.addEventListener("visibilitychange", readSoon);
