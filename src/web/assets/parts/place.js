// The address: it holds the query, the filters, what is open and at which section, so that it can be shared, reloaded and gone back to.
const HOME = location.pathname === "/embed" ? "/embed" : "/";

// What is no part of a search.
const NOT_SEARCHED = ["open", "wording"];

export const params = () => new URLSearchParams(location.search);

// The part of the address that is a search.
export function searched() {
  const asked = params();
  NOT_SEARCHED.forEach((name) => asked.delete(name));
  return asked;
}

// What everything that is read must be asked for: the region and the day of the search.
export function circumstances() {
  const asked = params();
  return [...asked].filter(([name, value]) => (name === "region" || name === "as_of") && value);
}

// Goes to another place: `changes` by parameter, null to drop one.
export function go(changes, { push = false, section = location.hash.slice(1) } = {}) {
  // Only the desk is a place in itself.
  if (!document.body.classList.contains("on-desk")) return;
  const next = params();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined) next.delete(name);
    else next.set(name, value);
  }
  const query = next.toString();
  const address = `${HOME}${query && `?${query}`}${section && `#${section}`}`;
  if (address === location.pathname + location.search + location.hash) return;
  history[push ? "pushState" : "replaceState"](null, "", address);
}
