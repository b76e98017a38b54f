// This customer: what is known of the one on the line, for as long as the call lasts. It stays in this window and goes nowhere
// but into the wordings that are filled in.
import * as account from "./account.js";
import * as mine from "./mine.js";
import { t } from "./words.js";
import { toast } from "./clipboard.js";

const KEY = "pharos.customer";
const FIELDS = ["name", "number", "region", "tariff"];

// What templates call these things.
const SAME_AS = {
  name: ["name", "client", "customer", "client_name", "customer_name"],
  number: ["number", "phone", "msisdn", "client_number", "customer_number"],
  region: ["region"],
  tariff: ["tariff", "tariff_name"],
};

const form = document.querySelector("form.customer");
const watchers = [];

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

let known = read();

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // Not kept: it lasts as long as the page.
  }
}

export const channel = () => known.channel ?? mine.get("layout").channel ?? "chat";

// The region everything is shown for: this customer's, else the reader's own. All regions (empty) is a choice as well.
export const region = () => known.region ?? mine.get("layout").region ?? account.home();

// The same as an address names it: all regions is said, where saying nothing would mean one's own.
export function asked() {
  const chosen = known.region ?? mine.get("layout").region;
  return chosen || (account.id && chosen === "" ? "all" : null);
}

// The region an address names.
export const named = (region) => (region === "all" ? "" : (region ?? ""));

export const isOther = (name, value) => Boolean(known[name] && value !== undefined && known[name] !== value);

// The value of a template's variable, if it is known.
export function valueOf(variable) {
  const field = FIELDS.find((name) => SAME_AS[name].includes(variable));
  return (field && known[field]) || known.values?.[variable] || "";
}

// Remembers what was filled in, for the next wording of this call.
export function remember(variable, value) {
  const field = FIELDS.find((name) => SAME_AS[name].includes(variable));
  // A region chosen in a form is not what is searched in.
  if (field && field !== "region") update({ [field]: value });
  else {
    known.values = { ...known.values, [variable]: value };
    keep();
  }
}

export function update(changes) {
  const before = known;
  known = { ...known, ...changes };
  keep();
  show();
  const changed = Object.keys(changes).filter((name) => (before[name] ?? "") !== (known[name] ?? ""));
  if (changed.length) watchers.forEach((tell) => tell(changed));
}

// Another customer: nothing known of the last one stays.
export function begin(customer) {
  const before = known;
  known = {};
  watchers.forEach((tell) => tell([...Object.keys(before), "cleared"]));
  update(customer);
}

// The call is over: nothing of it is left.
export function clear() {
  const before = known;
  known = {};
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
  show();
  watchers.forEach((tell) => tell([...Object.keys(before), "cleared"]));
  toast(t("new-call-done"));
}

export const watch = (tell) => watchers.push(tell);

function show() {
  if (!form) return;
  for (const name of FIELDS) {
    const field = form.elements[name];
    const value = name === "region" ? region() : (known[name] ?? "");
    if (field.tagName === "SELECT" && value && ![...field.options].some((option) => option.value === value)) field.append(new Option(value));
    if (field.value !== value) field.value = value;
  }
  form.elements.channel.value = channel();
  const label = form.querySelector(".customer-name");
  const told = [known.name, known.number, known.region, known.tariff].filter(Boolean).join(" · ");
  label.textContent = told || label.dataset.empty;
}

export function start() {
  if (!form) return;
  // The page around a panel says who the customer is; who it was on the page before is no business of this one.
  if (document.body.classList.contains("panel")) known = {};
  show();
  form.addEventListener("input", (event) => update({ [event.target.name]: event.target.value }));
  form.addEventListener("submit", (event) => event.preventDefault());
  mine.watch("layout", show);
  form.querySelector(".new-call").addEventListener("click", clear);
  // On wide screens there is room for all of it.
  form.querySelector("details").open = matchMedia("(min-width: 64rem)").matches && !document.body.classList.contains("panel");
}

