// Client of the control API. Every failure becomes an Error whose message can be shown.

const ROOT = "/simulator";

async function call(path, options = {}) {
  const answer = await ask(path, options);
  return answer.json().catch(() => null);
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(ROOT + path, options);
  } catch (cause) {
    throw new Error("The simulator is not responding. Is it still running?", { cause });
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new Error(reasonIn(answer) ?? `The simulator responded with HTTP ${response.status}.`);
}

function reasonIn(answer) {
  const error = answer?.error ?? answer?.errors?.[0];
  if (typeof error === "string") return error;
  return error?.error_data?.details ?? error?.details ?? error?.message ?? error?.title;
}

function postJson(path, body) {
  const headers = { "Content-Type": "application/json" };
  return call(path, { method: "POST", headers, body: JSON.stringify(body) });
}

const segment = encodeURIComponent;
const of = (person) => `/people/${segment(person)}`;

export const readState = () => call("/state");

/** Does the bot answer, and what does it say of itself? */
export const readBot = () => call("/bot");

/** The bill of this month. */
export const readBill = () => call("/bill");

export const reset = () => postJson("/reset", {});

/** Replace everything by *state*, an export. */
export const importState = (state) => postJson("/import", state);

/** Where the browser saves an export from: {address, name}; of everything, or of one person. */
export const exportOf = (person) => ({
  address: `${ROOT}/export${person ? `?person=${segment(person)}` : ""}`,
  name: person ? `chat-${person}.json` : "simulator.json",
});

/** Where the browser saves a chat as a test from: `yaml` or `pytest`. */
export const transcriptOf = (person, form) => ({
  address: `${ROOT}${of(person)}/transcript?form=${form}`,
  name: form === "pytest" ? `test_chat_${person.replace(/\W/g, "_")}.py` : `chat-${person}.yml`,
});

/** Delete what was said with *person*. */
export const restartChat = (person) => postJson(`${of(person)}/restart`, {});

export const deletePerson = (person) => call(of(person), { method: "DELETE" });

export const addPerson = (person) => postJson("/people", person);

export const addGroup = (group) => postJson("/groups", group);

export const markRead = (person) => postJson(`${of(person)}/read`, {});

/** Let *person* write *message*, in WhatsApp's shape. */
export const write = (person, message) => postJson(`${of(person)}/messages`, message);

/** Let *person* send a file: {type, file, caption?, context?, number?, author?}. */
export const writeFile = (person, message) => postFile(`${of(person)}/messages`, message);

/** Store a file that *person* gives in a flow; resolves to how the flow's response holds it. */
export const giveFile = (person, file) => postFile(`${of(person)}/files`, { file });

function postFile(path, { file, context, ...fields }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.set(name, value);
  form.set("file", file, file.name);
  if (context) form.set("context", JSON.stringify(context));
  return call(path, { method: "POST", body: form });
}

/** Let a colleague (`by: "phone"`) or another app (`by: "app"`) write to *person*. */
export const writeEcho = (person, message) => postJson(`${of(person)}/echoes`, message);

/** The same with a file: {by, type, file, caption?, number?}. */
export const sendEcho = (person, message) => postFile(`${of(person)}/echoes`, message);

/** Let the other app take, pass or release a chat: {action, number}. */
export const controlThread = (person, change) => postJson(`${of(person)}/thread`, change);

/** Give a message a status manually: {message_id, status, code?}. */
export const setStatus = (person, status) => postJson(`${of(person)}/status`, status);

/** Give *person* another `phone` or `user_id`; the bot is told. */
export const changePerson = (person, change) => postJson(`${of(person)}/change`, change);

/** What Rasa knows of *person* in the chat with *number*. */
export const readTracker = (person, { phone_number_id: number }) =>
  call(`${of(person)}/tracker?number=${segment(number)}`);

export const advanceClock = (seconds) => postJson("/clock", { advance: seconds });

export const resetClock = () => postJson("/clock", { offset: 0 });

export const addFault = (rule) => postJson("/faults", rule);

export const removeFault = (id) => call(`/faults/${segment(id)}`, { method: "DELETE" });

export const removeFaults = () => call("/faults", { method: "DELETE" });

export const seedFaults = (seed) => postJson("/faults/seed", { seed });

/** Turn the weather: {weather: "rough", seed} or {weather: "calm"}. */
export const setWeather = (weather) => postJson("/weather", weather);

export const readWebhooks = () => call("/webhooks");

export const readRequests = () => call("/requests");

export const redeliver = (id) => postJson(`/webhooks/${segment(id)}/redeliver`, {});

/** Send a custom body to the bot: {body, sign}. */
export const sendWebhook = (webhook) => postJson("/webhooks", webhook);

/** Examples of the webhooks that are no messages and no statuses: [{name, field, values}]. */
export const readEvents = (person) => call(`/events?person=${segment(person ?? "")}`);

/** Send {field, values, person}, one webhook for each of the values. */
export const sendEvent = (event) => postJson("/events", event);

/** Set how many people may be written to a day outside of their windows; null: all. */
export const setLimit = (people) => postJson("/account", { messaging_limit: people });

/** Let *person* want marketing messages again, or none. */
export const setMarketing = (person, wanted) =>
  sendEvent({ person, name: wanted ? "Resumes marketing messages" : "Stops marketing messages" });

/** A webhook as text: `curl` or `fixture`. */
export async function webhookAs(id, form) {
  return (await ask(`/webhooks/${segment(id)}/${form}`, {})).text();
}

export const setTemplateStatus = ({ name, language }, status) =>
  postJson(`/templates/${segment(name)}/${segment(language)}`, { status });

export function socketAddress() {
  const address = new URL(`${ROOT}/socket`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
