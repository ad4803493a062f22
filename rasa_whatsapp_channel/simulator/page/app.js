// The page: joins the state, the views and the simulator.

import { adviceFor, adviceForNone } from "./advice.js";
import * as api from "./api.js";
import { hideBanner, showBanner } from "./banners.js";
import { createBench } from "./bench.js";
import { emptyChat, emptyDesk, renderHead } from "./chat.js";
import { createComposer } from "./composer/composer.js";
import { createDesk } from "./desk.js";
import { askPerson, confirmReset } from "./dialogs/questions.js";
import { byId } from "./dom.js";
import { renderPeople } from "./people.js";
import { keepOpen } from "./socket.js";
import { keyOf, State } from "./state.js";
import { summaryOf } from "./summary.js";
import { connectThemeButton } from "./themes.js";
import { createThread } from "./thread.js";
import { toast } from "./toasts.js";

const READ_AFTER = 350; // milliseconds a person looks at a message before it counts as read

const state = new State();
const desk = createDesk(state);
const thread = createThread(desk);
const composer = createComposer(desk);
const bench = createBench(desk);
Object.assign(desk, { goTo: thread.goTo, quote: composer.quote, inspect: bench.select });

// ── which chat is open: the address says it ──────────────────────────────────────────────────────

const personInAddress = () => decodeURIComponent(location.hash.replace(/^#\/?/, ""));

function route() {
  const wanted = personInAddress();
  const person = state.people.has(wanted) ? wanted : null;
  document.body.dataset.view = person ? "chat" : "people";
  // Beside the list some chat is always open; on a phone the list comes first.
  openChat(person ?? desk.person ?? [...state.people.keys()][0] ?? null);
}

function openChat(person) {
  if (person !== desk.person) {
    composer.change(desk.person, person);
    desk.person = person;
    showThread();
  }
  renderHead(desk);
  renderPeople(desk);
  readSoon();
}

function showThread() {
  const empty = desk.person ? emptyChat(desk) : emptyDesk(addPerson);
  thread.show(state.thread(desk.person), empty);
  thread.setTyping(desk.isTyping(desk.person));
}

// ── changes of the state ─────────────────────────────────────────────────────────────────────────

const onChange = {
  all() {
    if (!state.people.has(desk.person)) desk.person = null;
    route();
    showThread();
    bench.reload();
    if (state.webhook) hideBanner("webhook");
    else showBanner("webhook", adviceForNone());
  },
  message({ person, item, isNew }) {
    if (person !== desk.person || item.type === "reaction") return;
    if (isNew) showNew(item);
    else thread.refresh(item);
    bench.refresh(item);
  },
  refused({ person, item }) {
    if (person === desk.person) showNew(item);
  },
  status({ person, item }) {
    if (person !== desk.person) return;
    thread.refresh(item);
    bench.refresh(item);
  },
  typing({ person }) {
    setTimeout(() => showTyping(person), state.typing.get(person) - Date.now() + 50);
    showTyping(person);
  },
  webhook() {
    const advice = adviceFor(state.deliveries[0], state.webhook);
    if (advice) showBanner("webhook", advice);
    else hideBanner("webhook");
    bench.refreshConnection();
  },
  people() {
    if (!desk.person) route();
  },
};

state.subscribe((change) => {
  onChange[change.what]?.(change);
  if (change.what === "all" || change.what === "webhook") return;
  renderPeople(desk);
  renderHead(desk);
  nameTab();
});

function showNew(item) {
  // The first message begins the list that the thread shows.
  if (state.thread(desk.person).length === 1) showThread();
  else thread.add();
  thread.setTyping(desk.isTyping(desk.person));
  if (item.direction === "inbound") return;
  byId("announcer").textContent = `${desk.nameOf(item)}: ${summaryOf(item).text}`;
  readSoon();
}

function showTyping(person) {
  renderPeople(desk);
  if (person !== desk.person) return;
  thread.setTyping(desk.isTyping(person));
  renderHead(desk);
}

function nameTab() {
  const unread = [...state.people.keys()].reduce((sum, key) => sum + state.unread(key), 0);
  document.title = unread ? `(${unread}) WhatsApp on your desk` : "WhatsApp on your desk";
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

let reading;

function readSoon() {
  clearTimeout(reading);
  reading = setTimeout(read, READ_AFTER);
}

function read() {
  const looking = document.visibilityState === "visible" && byId("phone").offsetParent !== null;
  if (!looking || !desk.person || state.unread(desk.person) === 0) return;
  api.markRead(desk.person).catch((error) => toast(error.message));
}

// ── the simulator ────────────────────────────────────────────────────────────────────────────────

let waiting = null; // events that arrive while the state is read; what is in it is only taken again

async function reload() {
  waiting = [];
  try {
    state.load(await api.readState());
  } catch (error) {
    toast(error.message);
  }
  const events = waiting;
  waiting = null;
  events.forEach(take);
}

function take(event) {
  if (event.event === "reset") {
    state.forget();
    reload();
  } else if (waiting) {
    waiting.push(event);
  } else if (event.event === "refused") {
    if (!isStray(event.request)) state.take(addressed(event));
  } else {
    state.take(event);
  }
}

/** What browsers ask every server for is nothing the bot did. */
function isStray({ method, path }) {
  return method === "GET" && /^\/\.well-known\/|\.(ico|png|txt|json|map)$/.test(path);
}

/** A refusal with its chat: an upload, say, is for nobody yet, so it is shown where one looks. */
function addressed(refusal) {
  const isKnown = state.people.has(state.resolve(refusal.person));
  return isKnown ? refusal : { ...refusal, person: desk.person };
}

async function addPerson() {
  const asked = await askPerson();
  if (!asked) return;
  try {
    const person = await api.addPerson(asked);
    if (person && keyOf(person)) {
      state.takePerson(person);
      location.hash = `#/${encodeURIComponent(keyOf(person))}`;
    }
  } catch (error) {
    toast(error.message);
  }
}

async function startOver() {
  if (!(await confirmReset())) return;
  await api.reset().catch((error) => toast(error.message));
}

const socket = keepOpen(api.socketAddress(), {
  onopen() {
    hideBanner("socket");
    bench.setConnected(true);
    reload(); // what happened meanwhile
  },
  onevent: take,
  onlost(next) {
    const seconds = Math.max(1, Math.round((next - Date.now()) / 1000));
    bench.setConnected(false);
    showBanner("socket", {
      title: "The connection to the simulator is lost",
      text: `Trying again in ${seconds} s. Is “rasa-whatsapp simulate” still running?`,
      action: ["Try now", () => socket.retry()],
    });
  },
});

connectThemeButton();
byId("new-person").addEventListener("click", addPerson);
byId("reset").addEventListener("click", startOver);
byId("open-bench").addEventListener("click", bench.openConnection);
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", readSoon);
