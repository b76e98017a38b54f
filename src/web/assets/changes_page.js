// The page of what is new: since the last visit, and only what one uses, if one likes.
import "./parts/account.js";
import "./page.js";
import * as mine from "./parts/mine.js";
import { t } from "./parts/words.js";

const LISTS = ["pinned", "favourites", "recents"];
const visit = document.querySelector(".since-visit");
const only = document.querySelector(".only-mine");

const seen = mine.get("seen");
if (seen) {
  visit.href = `/new?since=${encodeURIComponent(seen)}`;
  visit.hidden = false;
}
// Whoever asks for nothing else wants what is new since the last visit; the address keeps it for a reload.
if (seen && !location.search) location.replace(visit.href);
else mine.set("seen", document.querySelector("main").dataset.now);

function show() {
  const used = new Set(LISTS.flatMap((name) => mine.get(name)).map((item) => (item.kind === "template" ? `template ${item.id}` : `article ${item.id}`)));
  let some = false;
  document.querySelectorAll(".change").forEach((change) => {
    const { kind, id, article } = change.dataset;
    const isUsed = used.has(`${kind} ${id}`) || (article && used.has(`article ${article}`));
    change.hidden = only.checked && !isUsed;
    some ||= !change.hidden;
  });
  document.querySelectorAll(".group").forEach((group) => {
    group.hidden = !group.querySelector(".change:not([hidden])");
  });
  const nothing = document.querySelector(".nothing-new");
  nothing.hidden = some;
  nothing.textContent = document.querySelector(".change") ? t("changes-none-mine") : nothing.textContent;
}

only.addEventListener("change", () => {
  mine.set("layout", { ...mine.get("layout"), onlyMine: only.checked ? "yes" : "" });
  show();
});
only.checked = mine.get("layout").onlyMine === "yes";
show();
