// Pages of people: forms and buttons that speak to the API. What is filled in goes as JSON; what comes back is shown, or one goes on.
import { forget } from "./parts/account.js";
import { t } from "./parts/words.js";

// A field may be a list (parted by commas, or of checked boxes), a number, or a text. What is empty is left out, unless it says something.
function body(form, submitter) {
  if (form.dataset.body) return form.dataset.body;
  // Of several buttons, each says something of its own.
  const values = JSON.parse(submitter?.dataset.set ?? "{}");
  for (const field of form.elements ?? []) {
    const { name, value, dataset } = field;
    if (!name || field.disabled) continue;
    if (field.type === "checkbox") {
      values[name] ??= [];
      if (field.checked) values[name].push(value);
    } else if (field.type === "radio") {
      if (field.checked) values[name] = "number" in dataset ? Number(value) : value;
    } else if ("list" in dataset) {
      values[name] = value.split(",").map((part) => part.trim()).filter(Boolean);
    } else if (value !== "" || "empty" in dataset) {
      values[name] = "number" in dataset ? Number(value) : value;
    }
  }
  return Object.keys(values).length || form.elements ? JSON.stringify(values) : undefined;
}

// Where what is wrong is told: in the form, or beside the button.
function tell(from, text) {
  const alert = from.querySelector?.("[role=alert]") ?? from.closest(".card, main").querySelector("[role=alert]");
  const status = document.querySelector("#status");
  if (!alert) {
    status.textContent = text;
    return;
  }
  alert.textContent = text;
  alert.hidden = !text;
}

function show(name, reply) {
  const shown = document.querySelector(`[data-shown="${name}"]`);
  shown.hidden = false;
  for (const field of shown.querySelectorAll("[data-field]")) {
    const value = reply[field.dataset.field];
    const text = Array.isArray(value) ? value.join("\n") : (value ?? t("sent-by-mail"));
    field.textContent = text.startsWith("/") ? location.origin + text : text;
  }
  const picture = shown.querySelector("[data-picture]");
  if (picture) picture.src = `data:image/svg+xml,${encodeURIComponent(reply.picture)}`;
  shown.querySelector("input, pre")?.focus();
}

async function send(from, submitter) {
  const { api, method = "POST", then, told, shows, confirm: question } = from.dataset;
  if (question && !confirm(question)) return;
  tell(from, "");
  const content = body(from, submitter);
  if ("signsOut" in from.dataset) {
    // First of all, so that nothing is left here whatever the server says.
    await forget();
    const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
    await Promise.all(workers.map((worker) => worker.unregister()));
  }
  let reply;
  try {
    reply = await fetch(api, { method, body: content, headers: content ? { "content-type": "application/json" } : {} });
  } catch {
    tell(from, t("no-connection"));
    return;
  }
  const text = await reply.text();
  const data = text ? JSON.parse(text) : {};
  if (!reply.ok) {
    from.querySelectorAll?.(`[data-when="${data.code}"]`).forEach((field) => {
      field.hidden = false;
      field.querySelector("input").focus();
    });
    const known = t(`problem-${data.code}`);
    tell(from, known === `problem-${data.code}` ? data.detail : known);
    return;
  }
  if (shows) show(shows, data);
  if (told) tell(from, told);
  if (from.reset && (shows || told)) from.reset();
  const { goesTo } = from.dataset;
  if (goesTo) location.href = goesTo.replace(/\{(.+)\}/, (_, path) => path.split(".").reduce((value, key) => value[key], data));
  else if (then === "reload") location.reload();
  else if (data.then ?? then) location.href = data.then ?? then;
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-api]");
  if (!form) return;
  event.preventDefault();
  send(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-api]");
  if (button) send(button);
});

// What lets one in stands behind `#`, so that it gets into no log; it is taken out of the address as soon as it is read.
const form = document.querySelector("form[data-fragment]");
if (form && location.hash.length > 1) {
  form.elements[form.dataset.fragment].value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
const invited = document.querySelector("[data-invited]");
if (invited) {
  const secret = form.elements.secret.value;
  const reply = await fetch("/api/v1/link", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ secret }) });
  const data = await reply.json();
  if (reply.ok) {
    invited.textContent = `${data.name} (${data.login})`;
    form.elements.login.value = data.login;
  } else {
    tell(form, t("problem-link"));
    form.elements.password.disabled = true;
  }
}

for (const link of document.querySelectorAll(".tabs a")) {
  if (location.pathname.startsWith(link.getAttribute("href"))) link.setAttribute("aria-current", "page");
}

// A form whose field is the rest of an address.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-goes]");
  if (!form) return;
  event.preventDefault();
  location.href = form.dataset.goes + form.elements[0].value.split("/").map(encodeURIComponent).join("/");
});
