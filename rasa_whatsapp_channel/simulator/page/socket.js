// Live events: reconnects with growing pauses.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/** How long to wait before attempt number *attempt* (from 0), in milliseconds. */
export function waitBefore(attempt, random = Math.random) {
  const wait = Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT);
  return wait * (0.75 + random() / 2);
}

/**
 * Keep a socket open. `onopen` runs after each connect, `onlost` with the next attempt's time
 * (milliseconds since the epoch) after each loss. Returns {retry}, which does not wait.
 */
export function keepOpen(address, { onopen, onevent, onlost }) {
  let attempt = 0;
  let timer;

  function connect() {
    clearTimeout(timer);
    const socket = new WebSocket(address);
    socket.onopen = () => {
      attempt = 0;
      onopen();
    };
    socket.onmessage = ({ data }) => onevent(JSON.parse(data));
    socket.onclose = later;
  }

  function later() {
    const wait = waitBefore(attempt);
    attempt += 1;
    onlost(Date.now() + wait);
    timer = setTimeout(connect, wait);
  }

  connect();
  return { retry: connect };
}
