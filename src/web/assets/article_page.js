// The page of one article.
import { watchClicks } from "./reader.js";
import { followChanges } from "./live.js";

const reader = document.querySelector("#reader");
watchClicks(document, null);
followChanges({ search: () => {}, reader });
