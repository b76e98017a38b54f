//! Addresses of the system a source comes from, and what of the source they lead to.
//!
//! Exports keep whole addresses of their own pages and pictures, which lead nowhere once that system is switched off.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use percent_encoding::percent_decode_str;

/// A number of fewer digits may be anything.
const LEAST_DIGITS: usize = 3;

/// A name of fewer letters may be anybody's.
const LEAST_LETTERS: usize = 10;

/// So many addresses of a place must lead to something in the source for the place to be the source's own.
const LEAST_FOUND: usize = 5;

/// Longer addresses are none.
const MAX_ADDRESS: usize = 2_000;

/// Of more files of one name none is looked for by its name.
const MAX_NAMED: usize = 200;

/// Hosts of many projects: one place there says nothing of another.
const SHARED: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

/// How a file was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// By its name and the folder it is in.
    Folder,
    /// By a name or number that may be somebody else's as well.
    Name,
}

/// A path, and its folders in small letters, innermost first.
#[derive(Debug)]
struct Placed {
    folders: Vec<String>,
    path: String,
}

/// How many addresses of a place led to something, and how many there are.
type Seen = BTreeMap<String, (usize, usize)>;

/// What of a source addresses lead to.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// Paths by the names of their files in small letters, pages without their endings.
    by_name: HashMap<String, Vec<String>>,
    /// The same by the name of the folder before it.
    by_folder: HashMap<(String, String), Vec<Placed>>,
    /// Pages by the numbers they have in the system they come from; nothing: several have it.
    by_number: HashMap<String, Option<String>>,
    /// By host, those found by their folders.
    hosts: Seen,
    /// By host and all that stands before the name or number, those found in any way.
    places: Seen,
    own_hosts: BTreeSet<String>,
    own_places: BTreeSet<String>,
}

impl Addresses {
    /// What leads to the files of a source. `page_name` tells of a page what it is called without the ending, and nothing of other files.
    pub(super) fn of<'p>(
        paths: impl Iterator<Item = &'p str>,
        page_name: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut made = Self::default();
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(path);
            let called = match page_name(name) {
                Some(stem) => {
                    for number in numbers_of(&stem) {
                        made.name(number, path);
                    }
                    stem
                }
                None => name.to_owned(),
            };
            let called = called.to_lowercase();
            let folders: Vec<String> = path.split('/').rev().skip(1).map(str::to_lowercase).collect();
            if let Some(folder) = folders.first() {
                let key = (folder.clone(), called.clone());
                made.by_folder.entry(key).or_default().push(Placed { folders, path: path.to_owned() });
            }
            made.by_name.entry(called).or_default().push(path.to_owned());
        }
        made
    }

    /// Notes a number or a name that the system has for a page.
    pub(super) fn name(&mut self, called: &str, path: &str) {
        let known = self.by_number.entry(called.to_lowercase()).or_insert_with(|| Some(path.to_owned()));
        if known.as_deref() != Some(path) {
            *known = None;
        }
    }

    /// Counts the addresses in the text of a file by where they lead.
    pub(super) fn learn(&mut self, from: &str, text: &str) {
        let mut done = 0;
        for (at, _) in text.match_indices("://") {
            if at < done || !text[..at].ends_with("http") && !text[..at].ends_with("https") {
                continue;
            }
            let rest = &text[at + 3..text.floor_char_boundary((at + MAX_ADDRESS).min(text.len()))];
            let end =
                rest.find(|c: char| c.is_whitespace() || "\"'<>()[]\\`".contains(c)).unwrap_or(rest.len());
            done = at + 3 + end;
            let Some((host, path)) = rest[..end].split_once('/').filter(|(host, _)| !host.is_empty()) else {
                continue;
            };
            let host = host.to_lowercase();
            // That a file names its own number says nothing of a number's being a page.
            let found = self.lookup(path).filter(|(found, _)| *found != from).map(|(_, by)| by);
            let place = place_of(&host, path);
            for (seen, key, is_found) in [
                (&mut self.hosts, host, found == Some(By::Folder)),
                (&mut self.places, place, found.is_some()),
            ] {
                let (found, all) = seen.entry(key).or_default();
                *found += usize::from(is_found);
                *all += 1;
            }
        }
    }

    /// Decides which hosts and places are the source's own, of those counted: half of what is named with its folder, four in five of the rest.
    pub(super) fn settle(&mut self) {
        let own = |seen: Seen, share: usize| -> BTreeSet<String> {
            let is_own = |(found, all): &(usize, usize)| *found >= LEAST_FOUND && found * 100 >= all * share;
            seen.into_iter().filter(|(_, counts)| is_own(counts)).map(|(key, _)| key).collect()
        };
        self.own_hosts = own(std::mem::take(&mut self.hosts), 50);
        self.own_places = own(std::mem::take(&mut self.places), 80);
        let hosts = self.own_places.iter().filter_map(|place| Some(place.split_once('/')?.0.to_owned()));
        self.own_hosts.extend(hosts.filter(|host| !SHARED.contains(&host.as_str())));
    }

    /// The path of what an address means, without what follows `#`: one of the source's own, or one that begins with `/`.
    pub(super) fn find(&self, address: &str) -> Option<&str> {
        let address = address.split('#').next().unwrap_or(address);
        if address.len() > MAX_ADDRESS {
            return None;
        }
        let whole = ["https://", "http://", "//"].iter().find_map(|start| address.strip_prefix(start));
        let Some((host, path)) = whole.map(|rest| rest.split_once('/').unwrap_or((rest, ""))) else {
            return self.lookup(address.strip_prefix('/')?).map(|(path, _)| path);
        };
        let host = host.to_lowercase();
        let (found, by) = self.lookup(path)?;
        let is_own = by == By::Folder && self.own_hosts.contains(&host)
            || self.own_places.contains(&place_of(&host, path));
        is_own.then_some(found)
    }

    /// By the last parts of an address, which the path of one file shares, or by a name or the number of a page.
    fn lookup(&self, path: &str) -> Option<(&str, By)> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let decoded = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
        let mut parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
        let name = parts.pop().unwrap_or_default();
        let stem =
            [".html", ".htm", ".php", ".md"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        if let Some(folder) = parts.last() {
            let of = |name: &str| self.by_folder.get(&((*folder).to_owned(), name.to_owned()));
            let shared = |folders: &[String]| {
                folders.iter().zip(parts.iter().rev()).take_while(|(one, other)| one == *other).count()
            };
            let all = of(name).or_else(|| of(stem)).map_or(&[][..], Vec::as_slice);
            let mut ranked: Vec<(usize, &String)> =
                all.iter().map(|placed| (shared(&placed.folders), &placed.path)).collect();
            ranked.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
            if let Some((best, path)) = ranked.first()
                && ranked.get(1).is_none_or(|(next, _)| next < best)
            {
                return Some((path, By::Folder));
            }
        }
        let named = self.by_name.get(name).or_else(|| self.by_name.get(stem)).map_or(&[][..], Vec::as_slice);
        if let [only] = named
            && (stem.chars().count() >= LEAST_LETTERS || is_number(stem))
        {
            return Some((only, By::Name));
        }
        let asked = query.split(['&', ';']).filter_map(|pair| Some(pair.split_once('=')?.1));
        let mut numbers = numbers_of(stem).into_iter().chain(asked.filter(|value| is_number(value)));
        numbers.find_map(|number| Some((self.by_number.get(number)?.as_deref()?, By::Name)))
    }

    /// The file of the source that is meant by a path that leads to nothing: one that ends with all of it, the nearest.
    pub(super) fn nearest(&self, from: &str, written: &str) -> Option<&str> {
        let decoded = percent_decode_str(written).decode_utf8_lossy().replace('\\', "/").to_lowercase();
        let tail = decoded.trim_start_matches(['.', '/']);
        let ends = |path: &&String| {
            let path = path.to_lowercase();
            path.strip_suffix(tail).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let all = self.by_name.get(tail.rsplit('/').next()?).filter(|all| all.len() <= MAX_NAMED)?;
        nearest_of(all.iter().filter(ends), from).map(String::as_str)
    }
}

/// Of several paths the one that begins most like another one, the shorter of two.
pub(super) fn nearest_of<'p>(paths: impl Iterator<Item = &'p String>, from: &str) -> Option<&'p String> {
    let shared = |path: &String| path.bytes().zip(from.bytes()).take_while(|(a, b)| a == b).count();
    paths.max_by_key(|path| (shared(path), usize::MAX - path.len()))
}

/// The host and all that stands before the last name or number of an address: who is called by numbers there is called so throughout.
fn place_of(host: &str, path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let place = if query.is_empty() { path.rsplit_once('/').map_or("", |(place, _)| place) } else { path };
    format!("{host}/{place}")
}

fn is_number(text: &str) -> bool {
    text.len() >= LEAST_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// The numbers a name of a file begins or ends with: `4809-how-to-pay`, `How-to-pay_4809`.
fn numbers_of(stem: &str) -> Vec<&str> {
    let is_between = |c: char| matches!(c, '-' | '_' | '.' | ' ');
    let first = stem.split(is_between).next().unwrap_or_default();
    let last = stem.rsplit(is_between).next().unwrap_or_default();
    let mut found = vec![first, last];
    found.dedup();
    found.retain(|part| is_number(part));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> Addresses {
        let paths = [
            "kb/4809-how-to-pay.html",
            "kb/4810-how-to-return.html",
            "kb/img/scheme.png",
            "other/img/scheme.png",
            "img/readme.png",
            "docs/account_permission_audit.html",
        ];
        Addresses::of(paths.into_iter(), |name| name.strip_suffix(".html").map(str::to_owned))
    }

    #[test]
    fn whole_addresses_of_the_sources_own_site_lead_into_it() {
        let mut addresses = addresses();
        let text = "<a href=\"https://kb.example/article.php?id=4809\"> <a href='https://kb.example/hc/articles/4810-Other-name'> \
                    <img src=https://kb.example/base/v5/kb/img/scheme.png> https://git.example/kb/readme.md https://git.example/pull/4809";
        let text = text.repeat(6);
        assert_eq!(addresses.find("https://kb.example/article.php?id=4809"), None);
        addresses.learn("other/page.html", &text);
        addresses.settle();
        for (address, path) in [
            ("https://kb.example/article.php?id=4809#top", Some("kb/4809-how-to-pay.html")),
            ("https://kb.example/hc/articles/4810-Other-name", Some("kb/4810-how-to-return.html")),
            ("https://kb.example/base/v5/kb/img/scheme.png", Some("kb/img/scheme.png")),
            ("/base/v5/other/img/scheme.png", Some("other/img/scheme.png")),
            // Which of two is meant nothing tells.
            ("https://kb.example/scheme.png", None),
            ("https://kb.example/about", None),
            // Another place of numbers; one where each file is named by what stands in it alone.
            ("https://git.example/issues/4809", None),
            ("kb/img/scheme.png", None),
        ] {
            assert_eq!(addresses.find(address), path, "{address}");
        }
    }

    #[test]
    fn numbers_of_a_tracker_are_no_pages() {
        let paths: Vec<String> = (2580..2590).map(|n| format!("text/{n}-name.md")).collect();
        let mut addresses = Addresses::of(paths.iter().map(String::as_str), |name| {
            name.strip_suffix(".md").map(str::to_owned)
        });
        for (n, path) in (2580..2590).zip(&paths) {
            let text = format!(
                "https://git.example/rfcs/pull/{n} https://git.example/rust/issues/{n} https://git.example/rust/issues/1 https://git.example/rust/issues/2"
            );
            addresses.learn(path, &text);
        }
        addresses.settle();
        assert_eq!(addresses.find("https://git.example/rfcs/pull/2580"), None);
        assert_eq!(addresses.find("https://git.example/rust/issues/2581"), None);
        // What is no address, however long, takes no time.
        addresses.learn("x", &"http://a/".repeat(100_000));
    }

    #[test]
    fn a_file_is_found_by_the_end_of_its_path() {
        let addresses = addresses();
        assert_eq!(addresses.nearest("other/page.html", "scheme.png"), Some("other/img/scheme.png"));
        assert_eq!(addresses.nearest("docs/page.html", "../kb/img/scheme.png"), Some("kb/img/scheme.png"));
        assert_eq!(addresses.nearest("docs/page.html", "x/scheme.png"), None);
    }
}
