// The simulator's control API. Whatever goes wrong becomes an Error whose message can be shown.

const ROOT = "/simulator";

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(ROOT + path, options);
  } catch (cause) {
    throw new Error("The simulator does not answer. Is it still running?", { cause });
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok)
    throw new Error(reasonIn(answer) ?? `The simulator answered ${response.status}.`);
  return answer;
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

const of = (person) => `/people/${encodeURIComponent(person)}`;

export const readState = () => call("/state");

export const addPerson = (person) => postJson("/people", person);

export const markRead = (person) => postJson(`${of(person)}/read`, {});

export const reset = () => postJson("/reset", {});

/** Let *person* write *message*, in WhatsApp's inbound shape. */
export const write = (person, message) => postJson(`${of(person)}/messages`, message);

/** Let *person* send a file: {type, file, caption?, context?}. */
export function writeFile(person, { type, file, caption, context }) {
  const form = new FormData();
  form.set("type", type);
  form.set("file", file, file.name);
  if (caption) form.set("caption", caption);
  if (context) form.set("context", JSON.stringify(context));
  return call(`${of(person)}/messages`, { method: "POST", body: form });
}

export function socketAddress() {
  const address = new URL(`${ROOT}/socket`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
