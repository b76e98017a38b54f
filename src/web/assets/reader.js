// An article and its answer templates: opened, filled in, copied.

let opening = null;

// An anchor as it is written, when it is no percent-encoding.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export async function openArticle(href, reader) {
  const url = new URL(href, location.href);
  const anchor = decoded(url.hash.slice(1));
  url.searchParams.set("part", "1");
  url.hash = "";
  opening?.abort();
  const request = new AbortController();
  opening = request;
  try {
    const reply = await fetch(url, { signal: request.signal });
    const html = await reply.text();
    if (opening !== request) return;
    if (!reply.ok) {
      location.href = href;
      return;
    }
    reader.innerHTML = html;
    const section = anchor && document.getElementById(anchor);
    (section || reader).scrollIntoView({ block: section ? "start" : "nearest" });
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

export function watchClicks(root, reader) {
  root.addEventListener("click", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    const link = event.target.closest("a");
    if (link && reader && plain && link.origin === location.origin && link.pathname.startsWith("/articles/")) {
      event.preventDefault();
      openArticle(link.getAttribute("href"), reader);
      return;
    }
    const button = event.target.closest("button");
    if (button?.matches(".channel")) chooseChannel(button);
    else if (button?.matches(".copy-wording")) copy(button, button.closest(".template").querySelector(".wording").textContent);
    else if (button?.matches(".copy")) copy(button, button.dataset.copy);
  });
  root.addEventListener("toggle", (event) => {
    const template = event.target.closest?.(".template");
    if (template && event.target.open && !template.dataset.channel) prepare(template);
  }, true);
  root.addEventListener("input", (event) => {
    const template = event.target.closest(".variables")?.closest(".template");
    if (template) fill(template);
  });
  root.addEventListener("submit", (event) => {
    if (event.target.matches(".variables")) event.preventDefault();
  });
}

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 1200);
}

// Asks for the variables of a template once, then fills in its first channel.
async function prepare(template) {
  const first = template.querySelector(".channel");
  template.dataset.channel = first.dataset.channel;
  const path = template.dataset.template.split("/").map(encodeURIComponent).join("/");
  const reply = await fetch(`/api/v1/templates/${path}`);
  if (!reply.ok) return;
  const { variables } = await reply.json();
  const form = template.querySelector(".variables");
  form.replaceChildren(...variables.map(fieldFor));
  chooseChannel(first);
}

function fieldFor(variable) {
  const label = document.createElement("label");
  label.append(variable.required ? `${variable.label} *` : variable.label);
  const choices = variable.type === "yes/no" ? ["yes", "no"] : variable.choices;
  const field = document.createElement(choices.length ? "select" : "input");
  if (choices.length) {
    if (!variable.default) field.append(new Option("", ""));
    choices.forEach((choice) => field.append(new Option(choice, choice)));
  } else {
    field.type = variable.type === "date" ? "date" : "text";
    field.autocomplete = "off";
  }
  field.name = variable.name;
  field.value = variable.default ?? "";
  label.append(field);
  return label;
}

function chooseChannel(button) {
  const template = button.closest(".template");
  template.dataset.channel = button.dataset.channel;
  template.querySelectorAll(".channel").forEach((other) => {
    other.setAttribute("aria-pressed", String(other === button));
  });
  fill(template);
}

async function fill(template) {
  const values = Object.fromEntries(new FormData(template.querySelector(".variables")));
  const turn = (Number(template.dataset.turn) || 0) + 1;
  template.dataset.turn = turn;
  const reply = await fetch("/api/v1/render", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ template: template.dataset.template, channel: template.dataset.channel, values }),
  });
  const filled = await reply.json();
  if (Number(template.dataset.turn) !== turn) return;
  const note = template.querySelector(".wording-note");
  const button = template.querySelector(".copy-wording");
  if (!reply.ok) {
    note.textContent = filled.detail;
    button.disabled = true;
    return;
  }
  template.querySelector(".wording").textContent = filled.text;
  const parts = [];
  if (filled.missing.length) parts.push(`${note.dataset.missing}: ${filled.missing.join(", ")}`);
  if (template.dataset.channel === "sms") {
    parts.push(`${filled.sms.encoding}, ${filled.sms.characters} · ${note.dataset.segments}: ${filled.sms.segments}`);
  }
  note.textContent = parts.join(" · ");
  button.disabled = filled.missing.length > 0;
}
