// Recording a voice message. WhatsApp's are Ogg with Opus; where the browser records Opus in WebM,
// the packets are put into Ogg as they are.

import { toOgg } from "./ogg.js";
import { readOpus } from "./webm.js";

const WANTED = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];

/** Begin. Returns {finish, cancel}; finish resolves to a File. Raises what getUserMedia raises. */
export async function record({ onlevel }) {
  if (!navigator.mediaDevices?.getUserMedia)
    throw new Error("the page must be on localhost or https");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  const mimeType = WANTED.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
  const chunks = [];
  const stopMeter = meter(stream, onlevel);
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.addEventListener("dataavailable", ({ data }) => chunks.push(data));
  recorder.start();

  async function end() {
    recorder.stop();
    await stopped;
    stopMeter();
    for (const track of stream.getTracks()) track.stop();
  }

  async function finish() {
    await end();
    return voiceFile(new Blob(chunks, { type: recorder.mimeType }));
  }

  return { finish, cancel: end };
}

/** A recording as the file WhatsApp would hand over; as it is, where that cannot be made. */
export async function voiceFile(blob) {
  const type = blob.type.split(";")[0];
  if (type === "audio/ogg")
    return new File([blob], "voice.ogg", { type: "audio/ogg; codecs=opus" });
  if (type !== "audio/webm") return new File([blob], `voice.${type.split("/")[1]}`, { type });
  try {
    const ogg = toOgg(readOpus(new Uint8Array(await blob.arrayBuffer())));
    return new File([ogg], "voice.ogg", { type: "audio/ogg; codecs=opus" });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new File([blob], "voice.webm", { type });
  }
}

/** Tell *onlevel* how loud it is, from 0 to 1, with every frame. */
function meter(stream, onlevel) {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 512;
  audio.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = requestAnimationFrame(look);

  function look() {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    onlevel(Math.min(1, Math.sqrt(power) * 4).toFixed(2));
    frame = requestAnimationFrame(look);
  }

  return () => {
    cancelAnimationFrame(frame);
    audio.close();
  };
}
