// What to do when the bot did not take a delivery, or is not well.

const PATH = "/webhooks/whatsapp/webhook";

const PAUSES = new Map([
  ["token", "Its access token is not accepted: use the credentials.yml that the simulator printed."],
  ["throughput", "WhatsApp asks it to slow down; it continues by itself."],
  ["infrastructure", "WhatsApp does not answer it; it continues by itself."],
]);

/** {title, text} for a webhook event that failed, or null when it went well. */
export function adviceFor({ status, error, retry_after: wait }, webhook) {
  if (status === 200) return null;
  const patience =
    wait === null || wait === undefined ? "" : " What was written is kept, and delivered again.";
  if (!status) return unreachable(webhook, error, patience);
  const text = textFor(status, webhook) ?? `Its log says why. The webhook is ${webhook}.`;
  return { title: `Your bot answered ${status} instead of 200`, text: text + patience };
}

export function adviceForNone() {
  return {
    title: "No bot is connected",
    text: `Start the simulator with --webhook http://localhost:5005${PATH}, or where your bot listens.`,
  };
}

/** What to do for a bot that answers GET /simulator/bot like this, if the page knows. */
export function hintFor({ answers, health }) {
  if (!answers) return "Start it with “rasa run”.";
  if (!health) return "It tells no more about itself.";
  return undefined;
}

/** Why a number sends nothing now, and what helps. */
export function pauseWords(cause) {
  return PAUSES.get(cause) ?? cause;
}

function unreachable(webhook, reason, patience) {
  const because = reason ? ` (${reason})` : "";
  return {
    title: "Your bot cannot be reached",
    text:
      `Nothing answers at ${webhook}${because}. Start the bot with “rasa run”, ` +
      `or the simulator with --webhook and the address where it listens.${patience}`,
  };
}

function textFor(status, webhook) {
  if (status === 401 || status === 403) {
    return "It does not accept the signature. Use the credentials.yml that the simulator printed.";
  }
  if (status === 404 || status === 405) {
    return `Nothing is at ${webhook}. The channel's own path is ${PATH}.`;
  }
  if (status === 503) return "It cannot store messages right now: look at its log and its store.";
  if (status >= 500) return "Something failed inside the bot: look at its log.";
  return undefined;
}
