// Advice for a bot that does not accept webhooks or is degraded.

const PATH = "/webhooks/whatsapp/webhook";

const PAUSES = new Map([
  ["token", "WhatsApp rejects its access token: use the credentials.yml printed by the simulator."],
  ["account", "WhatsApp has restricted or disabled the account; messages wait."],
  ["throughput", "WhatsApp limits its rate; sending resumes automatically."],
  ["infrastructure", "WhatsApp is not responding; sending resumes automatically."],
]);

/** {title, text} for a webhook event that failed, or null when it went well. */
export function adviceFor({ status, error, retry_after: wait }, webhook) {
  if (status === 200) return null;
  const retries =
    wait === null || wait === undefined ? "" : " The webhook is kept and delivered again.";
  if (!status) return unreachable(webhook, error, retries);
  const text = textFor(status, webhook) ?? `See its log for the reason. The webhook is ${webhook}.`;
  return { title: `Your bot answered ${status} instead of 200`, text: text + retries };
}

export function adviceForNone() {
  return {
    title: "No bot is connected",
    text: `Start the simulator with --webhook http://localhost:5005${PATH}, or the address of your bot.`,
  };
}

/** What to do for a bot that answers GET /simulator/bot like this, if the page knows. */
export function hintFor({ answers, health }) {
  if (!answers) return "Start it with “rasa run”.";
  if (!health) return "It has no health page.";
  return undefined;
}

/** Why a number sends nothing now, and what helps. */
export function pauseWords(cause) {
  return PAUSES.get(cause) ?? cause;
}

function unreachable(webhook, reason, retries) {
  const because = reason ? ` (${reason})` : "";
  return {
    title: "Your bot cannot be reached",
    text:
      `No response from ${webhook}${because}. Start the bot with “rasa run”, ` +
      `or the simulator with --webhook and the address of the bot.${retries}`,
  };
}

function textFor(status, webhook) {
  if (status === 401 || status === 403) {
    return "It rejects the signature. Use the credentials.yml printed by the simulator.";
  }
  if (status === 404 || status === 405) {
    return `There is no webhook at ${webhook}. The path of the channel is ${PATH}.`;
  }
  if (status === 503) return "It cannot store messages: check its log and its store.";
  if (status >= 500) return "The bot failed: check its log.";
  return undefined;
}
