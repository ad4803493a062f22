// Health of the bot, from its health page; asked while the panel is visible.

import { hintFor, pauseWords } from "../advice.js";
import * as api from "../api.js";
import { h } from "../dom.js";
import { detailList, stateWord } from "./details.js";

const SETTLED = 600; // milliseconds after something happened: the bot works on it meanwhile
const AGAIN = 3000; // while something waits or is wrong

const STATES = new Map([
  ["ok", ["good", "OK"]],
  ["sending paused", ["warn", "Sending paused"]],
  ["degraded", ["warn", "Degraded"]],
  ["account in trouble", ["bad", "Account in trouble"]],
  ["store failed", ["bad", "Store failed"]],
]);

export function createBot({ state }) {
  const node = h("div", { id: "bot" });
  let isSeen = false;
  let latest = 0;
  let timer;
  let due = Infinity;

  const askNow = () => askIn(0);
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    if (isSeen) askNow();
  }).observe(node);
  document.addEventListener("visibilitychange", askNow);
  draw(h("p.quiet", {}, "Loading …"));

  /** Ask in *wait* milliseconds, unless that happens sooner anyway. */
  function askIn(wait) {
    const at = Date.now() + wait;
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(ask, wait);
  }

  async function ask() {
    due = Infinity;
    if (!isSeen || document.hidden) return;
    const asked = ++latest;
    const answer = await api.readBot().catch(() => null); // without a simulator a banner says so
    if (asked !== latest) return;
    if (answer) draw(detailList(rows(answer, state)));
    if (!answer || !isCalm(answer)) askIn(AGAIN);
  }

  function draw(content) {
    if (content.isEqualNode(node.firstChild)) return; // a text that is being selected stays so
    node.replaceChildren(content);
  }

  return { node, askSoon: () => askIn(SETTLED), askNow };
}

/** Is there no reason to ask again before something happens? */
function isCalm({ answers, health }) {
  const { status = "ok", inbox, outbox, desk } = health ?? {};
  return answers && status === "ok" && !inbox?.waiting && !outbox?.waiting && !desk?.failing;
}

function rows(answer, { numbers }) {
  const { status, reason, away = [], paused = {}, account = [] } = answer.health ?? {};
  const { inbox, outbox, desk } = answer.health ?? {};
  const outages = away.map((outage) => `The ${outage.what} is unavailable: ${outage.reason}`);
  const pauses = Object.entries(paused).map(
    ([id, cause]) => nameFor(id, numbers) + pauseWords(cause),
  );
  const notes = [answer.error ?? reason, ...outages, ...pauses, hintFor(answer)];
  const hasTrouble = (queue) => queue?.dead_letters || queue?.last_error;
  return [
    ["Status", [stateOf(answer, status), ...notes.filter(Boolean).map(note)]],
    ["Account", account.length > 0 && account.map(troubleNote)],
    ["Inbox", inbox && queueWords(inbox)],
    ["Outbox", outbox && queueWords(outbox)],
    ["Desk", hasTrouble(desk) && queueWords(desk)],
    ["Details", [inbox, outbox, desk].some(hasTrouble) && h("code", {}, "rasa-whatsapp queue list")],
  ];
}

/** "Shop: " for the health page's name of a number, where there are several. */
function nameFor(id, numbers) {
  if (numbers.length < 2) return "";
  const number = id === "first" ? numbers[0] : numbers.find((one) => one.phone_number_id === id);
  return `${number?.name ?? id}: `;
}

function stateOf({ answers }, status) {
  if (!answers) return stateWord("bad", "Not reachable");
  return status ? stateWord(...(STATES.get(status) ?? ["", status])) : stateWord("good", "Reachable");
}

function queueWords({ waiting, failing, dead_letters: dead, last_error: error }) {
  const waits = waiting ? `${waiting} waiting` : "Nothing waiting";
  const fails = failing ? ` (${failing} failing)` : "";
  const gone = dead ? `, ${dead} dead ${dead === 1 ? "letter" : "letters"}` : "";
  return [waits + fails + gone, error && note(`Last error: ${error}`)];
}

function troubleNote({ topic, subject, event, detail }) {
  const what = [topic, subject, event].filter(Boolean).join(" ");
  return note(detail ? `${what}: ${detail}` : what);
}

function note(words) {
  return h("p.quiet", { dir: "auto" }, words);
}
