// How much is new since the last visit, beside the link to it.
import * as mine from "./mine.js";
import { numberOn } from "./fragment.js";

export async function show() {
  const link = document.querySelector('[data-nav="new"]');
  const seen = mine.get("seen");
  if (!link || !seen) return;
  link.href = `/new?since=${encodeURIComponent(seen)}`;
  try {
    const reply = await fetch(`/api/v1/changes?limit=1&since=${encodeURIComponent(seen)}`);
    if (!reply.ok) return;
    const { total } = await reply.json();
    numberOn(link, total);
  } catch {
    // Without network nothing new is known.
  }
}
