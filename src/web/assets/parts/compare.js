// Products put aside to be compared, from any article or search.
import * as mine from "./mine.js";
import * as customer from "./customer.js";
import { numberOn } from "./fragment.js";
import { say, toast } from "./clipboard.js";
import { t } from "./words.js";

const LIST = "compare";

const aside = () => mine.get(LIST).map((item) => item.id);
const productsOf = (button) => button.dataset.products.split(",");

// Shows what is put aside: on the buttons and beside the link to the comparison.
export function decorate(root) {
  const ids = aside();
  for (const button of root.querySelectorAll("button.to-compare")) {
    button.setAttribute("aria-pressed", String(productsOf(button).every((id) => ids.includes(id))));
  }
}

function show() {
  const link = document.querySelector('[data-nav="compare"]');
  if (!link) return;
  const ids = aside();
  const asked = new URLSearchParams();
  if (ids.length) asked.set("products", ids.join(","));
  if (customer.asked()) asked.set("region", customer.asked());
  link.href = `/compare${asked.size ? `?${asked}` : ""}`;
  numberOn(link, ids.length);
  decorate(document);
}

function toggle(button) {
  const isAside = button.getAttribute("aria-pressed") === "true";
  for (const id of productsOf(button)) {
    const item = { kind: "product", id };
    if (isAside) mine.remove(LIST, item);
    else if (!mine.has(LIST, item)) mine.set(LIST, [...mine.get(LIST), item]);
  }
  const isFull = !isAside && productsOf(button).some((id) => !aside().includes(id));
  if (isFull) toast(t("compare-full"));
  else say(`${t("key-compare")}: ${aside().length}`);
}

export function start() {
  // The comparison itself says what is put aside.
  const compared = document.querySelector(".catalogue [name=products]");
  if (compared && new URLSearchParams(location.search).has("products")) mine.set(LIST, compared.value.split(",").filter(Boolean).map((id) => ({ kind: "product", id })));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.to-compare");
    if (button) toggle(button);
  });
  mine.watch(LIST, show);
  customer.watch((changed) => changed.includes("region") && show());
  show();
}
