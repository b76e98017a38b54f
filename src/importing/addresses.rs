//! Addresses of the system a source comes from, and what of the source they lead to.
//!
//! Exports keep whole addresses of their own pages and pictures, which lead nowhere once that system is switched off.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use percent_encoding::percent_decode_str;

/// A number of fewer digits may be anything.
const LEAST_DIGITS: usize = 3;

/// A name of fewer letters may be anybody's.
const LEAST_LETTERS: usize = 10;

/// So many addresses of a host must lead to something in the source, and half of all, for it to be the source's own.
const LEAST_FOUND: usize = 5;

/// What of a source addresses lead to.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// Paths by the names of their files in small letters, pages without their endings.
    by_name: HashMap<String, Vec<String>>,
    /// Pages by the numbers they have in the system they come from; nothing: several have it.
    by_number: HashMap<String, Option<String>>,
    /// By host: how many addresses led to something, and how many there are.
    seen: BTreeMap<String, (usize, usize)>,
    own: BTreeSet<String>,
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
            match page_name(name) {
                Some(stem) => {
                    for number in numbers_of(&stem) {
                        made.name(number, path);
                    }
                    made.by_name.entry(stem.to_lowercase()).or_default().push(path.to_owned());
                }
                None => made.by_name.entry(name.to_lowercase()).or_default().push(path.to_owned()),
            }
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

    /// Counts the addresses in a text by their hosts.
    pub(super) fn learn(&mut self, text: &str) {
        for (at, _) in text.match_indices("://") {
            if !text[..at].ends_with("http") && !text[..at].ends_with("https") {
                continue;
            }
            let rest = &text[at + 3..];
            let end =
                rest.find(|c: char| c.is_whitespace() || "\"'<>()[]\\`".contains(c)).unwrap_or(rest.len());
            let Some((host, path)) = rest[..end].split_once('/').filter(|(host, _)| !host.is_empty()) else {
                continue;
            };
            let is_found = self.lookup(path).is_some();
            let (found, all) = self.seen.entry(host.to_lowercase()).or_default();
            *found += usize::from(is_found);
            *all += 1;
        }
    }

    /// Decides which hosts are the source's own, of those counted.
    pub(super) fn settle(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        let own = seen.into_iter().filter(|(_, (found, all))| *found >= LEAST_FOUND && found * 2 >= *all);
        self.own = own.map(|(host, _)| host).collect();
    }

    /// The path of what an address means, without what follows `#`: one of a host of the source's own, or one that begins with `/`.
    pub(super) fn find(&self, address: &str) -> Option<&str> {
        let address = address.split('#').next().unwrap_or(address);
        let with_host = address
            .strip_prefix("https://")
            .or(address.strip_prefix("http://"))
            .or(address.strip_prefix("//"));
        match with_host {
            Some(rest) => {
                let (host, path) = rest.split_once('/')?;
                self.own.contains(&host.to_lowercase()).then(|| self.lookup(path))?
            }
            None => self.lookup(address.strip_prefix('/')?),
        }
    }

    /// By the last parts of an address, which the path of one file shares, or by the number of a page.
    fn lookup(&self, path: &str) -> Option<&str> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let decoded = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
        let mut parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
        let name = parts.pop().unwrap_or_default();
        let stem =
            [".html", ".htm", ".php", ".md"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let named = self.by_name.get(name).or_else(|| self.by_name.get(stem)).map_or(&[][..], Vec::as_slice);
        let shared = |path: &String| {
            let path = path.to_lowercase();
            let folders: Vec<&str> = path.split('/').rev().skip(1).collect();
            folders.iter().zip(parts.iter().rev()).take_while(|(one, other)| one == other).count()
        };
        let mut ranked: Vec<(usize, &String)> = named.iter().map(|path| (shared(path), path)).collect();
        ranked.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
        if let Some((best, path)) = ranked.first()
            && ranked.get(1).is_none_or(|(next, _)| next < best)
            && (*best > 0 || stem.chars().count() >= LEAST_LETTERS || is_number(stem))
        {
            return Some(path);
        }
        let asked = query.split(['&', ';']).filter_map(|pair| Some(pair.split_once('=')?.1));
        numbers_of(stem)
            .into_iter()
            .chain(asked.filter(|value| is_number(value)))
            .find_map(|number| self.by_number.get(number)?.as_deref())
    }

    /// The file of the source that is meant by a path that leads to nothing: one that ends with all of it, the nearest.
    pub(super) fn nearest(&self, from: &str, written: &str) -> Option<&str> {
        let decoded = percent_decode_str(written).decode_utf8_lossy().replace('\\', "/").to_lowercase();
        let tail = decoded.trim_start_matches(['.', '/']);
        let ends = |path: &&String| {
            let path = path.to_lowercase();
            path.strip_suffix(tail).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let near = |path: &&String| path.bytes().zip(from.bytes()).take_while(|(a, b)| a == b).count();
        let all = self.by_name.get(tail.rsplit('/').next()?)?;
        all.iter().filter(ends).max_by_key(|path| (near(path), usize::MAX - path.len())).map(String::as_str)
    }
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
                    <img src=https://kb.example/base/v5/kb/img/scheme.png> https://kb.example/x/account_permission_audit \
                    https://kb.example/en/4809 https://kb.example/about https://git.example/kb/readme.md https://git.example/4809";
        assert_eq!(addresses.find("https://kb.example/en/4809"), None);
        addresses.learn(text);
        addresses.settle();
        for (address, path) in [
            ("https://kb.example/article.php?id=4809#top", Some("kb/4809-how-to-pay.html")),
            ("https://kb.example/hc/articles/4810-Other-name", Some("kb/4810-how-to-return.html")),
            ("https://kb.example/base/v5/kb/img/scheme.png", Some("kb/img/scheme.png")),
            ("/base/v5/other/img/scheme.png", Some("other/img/scheme.png")),
            // Which of two is meant nothing tells.
            ("https://kb.example/scheme.png", None),
            ("https://kb.example/about", None),
            ("https://git.example/4809", None),
            ("kb/img/scheme.png", None),
        ] {
            assert_eq!(addresses.find(address), path, "{address}");
        }
    }

    #[test]
    fn a_file_is_found_by_the_end_of_its_path() {
        let addresses = addresses();
        assert_eq!(addresses.nearest("other/page.html", "scheme.png"), Some("other/img/scheme.png"));
        assert_eq!(addresses.nearest("docs/page.html", "../kb/img/scheme.png"), Some("kb/img/scheme.png"));
        assert_eq!(addresses.nearest("docs/page.html", "x/scheme.png"), None);
    }
}
