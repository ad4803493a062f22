// Forms for a person, a group, a location, a contact, a flow. Each returns WhatsApp's shape or null.

import { isolated } from "../dom.js";
import { ask } from "./dialog.js";

/** {name, phone?, user_id?}. */
export async function askPerson() {
  const values = await ask({
    title: "New person",
    text: "A person who writes to your bot.",
    submit: "Add",
    fields: [
      { name: "name", label: "Name", required: true, maxlength: 60, placeholder: "Mira" },
      {
        ...{ name: "phone", label: "Phone", type: "tel", pattern: "[+0-9 \\(\\)\\-]{6,24}" },
        placeholder: "+49 1555 0100200",
        hint: "With country code. Leave phone and user ID empty to generate a number.",
      },
      {
        ...{ name: "user_id", label: "User ID", pattern: "[A-Z]{2}\\.(ENT\\.)?[A-Za-z0-9]{1,128}" },
        placeholder: "US.13491208655302741918",
        hint: "Without a phone: a person with a username, whose number your bot never sees.",
      },
    ],
  });
  if (!values) return null;
  return filled({ ...values, phone: values.phone.replace(/[^0-9]/g, "") });
}

/** {name, people}: *known* are [key, name] of those who may take part. */
export async function askGroup(known) {
  const values = await ask({
    title: "New group",
    text: "A group with your bot's number. Groups do not support buttons and lists.",
    submit: "Add",
    fields: [
      { name: "name", label: "Name", required: true, maxlength: 60, placeholder: "Sailing trip" },
      ...known.map(([key, name]) => ({
        ...{ name: `person ${key}`, label: name, type: "checkbox", checked: true, value: key },
      })),
    ],
  });
  if (!values) return null;
  const { name, ...rest } = values;
  return { name, people: Object.values(rest) };
}

/** A location, as an inbound message holds it. */
export async function askPlace() {
  const number = { type: "number", step: "any", required: true };
  const values = await ask({
    title: "Send a location",
    submit: "Send",
    fields: [
      { name: "name", label: "Name", value: "Brandenburg Gate" },
      { name: "address", label: "Address", value: "Pariser Platz, Berlin" },
      { name: "latitude", label: "Latitude", value: "52.51628", min: -90, max: 90, ...number },
      { name: "longitude", label: "Longitude", value: "13.37771", min: -180, max: 180, ...number },
    ],
  });
  if (!values) return null;
  const { latitude, longitude, ...words } = values;
  return { latitude: Number(latitude), longitude: Number(longitude), ...filled(words) };
}

/** A list with one contact. */
export async function askContact({ name = "", phone = "" } = {}) {
  const values = await ask({
    title: "Send a contact",
    submit: "Send",
    fields: [
      { name: "name", label: "Name", value: name, required: true },
      { name: "phone", label: "Phone", type: "tel", value: phone, required: true },
      { name: "email", label: "E-mail", type: "email" },
      { name: "company", label: "Company" },
    ],
  });
  if (!values) return null;
  const [first, ...others] = values.name.trim().split(/\s+/);
  const names = { formatted_name: values.name, first_name: first, last_name: others.join(" ") };
  const contact = {
    name: filled(names),
    phones: [{ phone: values.phone, wa_id: values.phone.replace(/[^0-9]/g, ""), type: "CELL" }],
  };
  if (values.email) contact.emails = [{ email: values.email, type: "WORK" }];
  if (values.company) contact.org = { company: values.company };
  return [contact];
}

const FILES_OF_FLOW = 10; // https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload

/** The answer to a flow: an `nfm_reply`. *giveFile* resolves to how a file stands in it. */
export async function askFlow({ flow_token: token = "unused", flow_cta: title } = {}, giveFile) {
  const values = await ask({
    title: title ?? "Form",
    text: "The form is hosted by Meta. Enter the response it would return.",
    submit: "Send",
    check: ({ json, files }) =>
      (!isObject(json) && 'The response is an object in JSON, such as {"name": "Mira"}.') ||
      (files.length > FILES_OF_FLOW && `A form returns ${FILES_OF_FLOW} files at most.`) ||
      null,
    fields: [
      {
        ...{ name: "json", label: "Response as JSON", type: "textarea", rows: 5, required: true },
        value: JSON.stringify({ flow_token: token }, null, 2),
      },
      { name: "files", label: "Photos or documents", type: "file", multiple: true },
      {
        ...{ name: "field", label: "Their name in the response", value: "photos", required: true },
        hint: "That of the form’s PhotoPicker or DocumentPicker.",
      },
    ],
  });
  if (!values) return null;
  const response = JSON.parse(values.json);
  if (values.files.length > 0) response[values.field] = await Promise.all(values.files.map(giveFile));
  const reply = { name: "flow", body: "Sent", response_json: JSON.stringify(response) };
  return { type: "nfm_reply", nfm_reply: reply };
}

function isObject(json) {
  try {
    const value = JSON.parse(json);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

const OWN_DATA = "Your bot keeps its own data.";

const confirm = async (title, text, submit) =>
  (await ask({ title, text: `${text} ${OWN_DATA}`, submit })) !== null;

// Each is true when confirmed.

export const confirmReset = () =>
  confirm("Start over?", "All chats and files of the simulator are deleted.", "Start over");

export const confirmRestart = (name) =>
  confirm("Restart the chat?", `What was said with ${isolated(name)} is deleted.`, "Restart");

export const confirmDelete = (name) =>
  confirm(`Delete ${isolated(name)}?`, "The person is deleted, and what was said with them.", "Delete");

export const confirmImport = (name) =>
  confirm("Import chats?", `${isolated(name)} replaces all chats and files of the simulator.`, "Import");

const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));
