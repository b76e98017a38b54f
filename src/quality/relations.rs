//! How articles lead to each other: those that nothing leads to, and those whose translation is missing or older.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::answers::templates::Templates;
use crate::content::article::Article;
use crate::content::catalog::Lang;
use crate::content::front_matter::{Kind, Status};
use crate::content::library::{Library, Slot};
use crate::content::markdown;

/// A folder is kept in two languages when so many of its articles at the least, and so many of a hundred, have a translation.
const LEAST_TWINS: usize = 3;
const TWINS_PERCENT: usize = 75;

/// Nothing is said of single articles where fewer of a hundred are led to: such a base is found by searching, not by following links.
const LINKED_PERCENT: usize = 50;

/// Files written within so long of each other were written together.
const TOGETHER_NS: i64 = 3_600_000_000_000;

/// Letters of a file's name in which one or two may be otherwise.
const LONG_NAME: usize = 10;

/// A tag whose articles stand on the front page.
const ESSENTIAL: &str = "essential";

/// What is wrong between an article and its translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwinFault {
    /// It has none, though of so many in its folder so many have one.
    Missing {
        /// The language it is not in.
        lang: Lang,
        /// Articles of its folder that have one.
        having: usize,
        /// Articles of its folder.
        of: usize,
        /// An article in that language without a translation whose file is called nearly the same: perhaps it is the one.
        perhaps: Option<Slot>,
    },
    /// The article it translates was changed later.
    Outdated {
        /// That article.
        original: Slot,
        /// When that was last changed, nanoseconds since the epoch.
        changed_ns: i64,
    },
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_active(article: &Article) -> bool {
    article.matter.status == Status::Active
}

/// The articles that nothing leads to: no link, article, template, product, pin or translation, nor the front page. Folders of the first
/// level in which few are led to are passed over.
pub fn orphans(library: &Library, templates: &Templates) -> Vec<Slot> {
    let mut led: HashSet<String> = HashSet::new();
    for (_, article) in library.articles() {
        let linked =
            article.links.iter().filter_map(|link| markdown::article_target(&link.target, &article.path));
        let named = article.named_articles().map(|(_, named)| named.text.to_string());
        led.extend(linked.map(|(id, _)| id).chain(named).filter(|id| *id != article.id));
    }
    led.extend(library.catalog.products().filter_map(|product| product.article.clone()));
    led.extend(
        templates.all().flat_map(|template| template.articles.iter().map(|named| named.text.to_string())),
    );
    let pins = library
        .catalog
        .files()
        .values()
        .filter_map(|file| file.synonyms.as_ref())
        .flat_map(|synonyms| &synonyms.pins);
    led.extend(pins.flat_map(|(_, articles)| articles.iter().map(|(id, _)| id.clone())));
    // Who lists a folder sees its first page.
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, article) in library.articles() {
        *folders.entry(folder(&article.path)).or_default() += 1;
    }
    let is_first_of_some = |article: &Article| {
        let name = article.id.rsplit('/').next().unwrap_or_default().to_lowercase();
        matches!(name.as_str(), "index" | "readme" | "_index")
            && folders.get(folder(&article.path)).is_some_and(|count| *count > 1)
    };
    let is_led = |article: &Article| {
        led.contains(&article.id)
            || is_first_of_some(article)
            || article.matter.flow.is_some()
            || article.matter.kind == Kind::News
            || article.matter.tags.iter().any(|tag| tag == ESSENTIAL)
            || article.translation_ids().iter().any(|twin| led.contains(twin) && library.slot(twin).is_some())
    };
    let mut groups: BTreeMap<&str, (usize, Vec<Slot>)> = BTreeMap::new();
    for (slot, article) in library.articles().filter(|(_, article)| is_active(article)) {
        let (count, alone) =
            groups.entry(article.path.split_once('/').map_or("", |(first, _)| first)).or_default();
        *count += 1;
        if !is_led(article) {
            alone.push(slot);
        }
    }
    let told =
        groups.into_values().filter(|(count, alone)| (count - alone.len()) * 100 >= count * LINKED_PERCENT);
    let mut found: Vec<Slot> = told.flat_map(|(_, alone)| alone).collect();
    found.sort_unstable();
    found
}

/// What is wrong between articles and their translations. `changed_ns` tells when an article was last changed.
pub fn twin_faults(library: &Library, changed_ns: impl Fn(Slot) -> i64) -> Vec<(Slot, TwinFault)> {
    let mut found = Vec::new();
    let mut folders: BTreeMap<(&str, Lang), (usize, Vec<Slot>)> = BTreeMap::new();
    for (slot, article) in library.articles().filter(|(_, article)| is_active(article)) {
        let ids = article.translation_ids();
        let twin = ids.iter().find_map(|id| library.slot(id));
        let (count, without) = folders.entry((folder(&article.path), article.lang)).or_default();
        *count += 1;
        let Some(twin) = twin else {
            without.push(slot);
            continue;
        };
        let Some(original) =
            library.article(twin).filter(|other| is_active(other) && is_original(other, article))
        else {
            continue;
        };
        let changed = changed_ns(twin);
        if original.lang != article.lang && changed > changed_ns(slot).saturating_add(TOGETHER_NS) {
            found.push((slot, TwinFault::Outdated { original: twin, changed_ns: changed }));
        }
    }
    let alone: Vec<&Arc<Article>> =
        folders.values().flat_map(|(_, without)| without).filter_map(|slot| library.article(*slot)).collect();
    for ((_, lang), (of, without)) in &folders {
        let (having, of) = (of - without.len(), *of);
        if having >= LEAST_TWINS && having * 100 >= of * TWINS_PERCENT {
            let other = if *lang == Lang::Ru { Lang::En } else { Lang::Ru };
            let fault = |slot: Slot| {
                let own = library.article(slot)?;
                let perhaps =
                    alone.iter().filter(|article| article.lang == other && is_called_like(article, own));
                let perhaps: Vec<Slot> = perhaps.filter_map(|article| library.slot(&article.id)).collect();
                let perhaps = if let [only] = perhaps[..] { Some(only) } else { None };
                Some((slot, TwinFault::Missing { lang: other, having, of, perhaps }))
            };
            found.extend(without.iter().filter_map(|slot| fault(*slot)));
        }
    }
    found.sort_by_key(|(slot, _)| *slot);
    found
}

/// Whether the files of two articles are called nearly the same: but for hyphens, or for a letter or two of a long name.
fn is_called_like(one: &Article, other: &Article) -> bool {
    let name = |article: &Article| {
        article.id.rsplit('/').next().unwrap_or_default().replace('_', "-").to_lowercase()
    };
    let (one, other) = (name(one), name(other));
    one == other || one.chars().count() >= LONG_NAME && strsim::damerau_levenshtein(&one, &other) <= 2
}

/// Of two translations the original is the one in no language's folder, else the one in the language that goes first. That the translation
/// is younger is as it should be.
fn is_original(one: &Article, other: &Article) -> bool {
    let in_folder = |article: &Article| folder(&article.id).split('/').any(|part| Lang::of(part).is_some());
    match (in_folder(one), in_folder(other)) {
        (false, true) => true,
        (true, false) => false,
        _ => one.lang < other.lang,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::catalog::Catalog;
    use crate::content::folders::FolderFiles;
    use crate::content::library::Source;

    fn library(articles: &[(&str, &str)]) -> Library {
        let sources = articles.iter().map(|(path, text)| {
            let parsed = Article::parse("articles", path, text).0.unwrap();
            Some(Arc::new(Source::made(parsed.article)))
        });
        Library::of(
            sources.collect(),
            FolderFiles::default(),
            Arc::new(Catalog::default()),
            "2026-11-23".parse().unwrap(),
        )
    }

    #[test]
    fn what_nothing_leads_to_is_found() {
        let base = library(&[
            ("a/one.md", "# Один\n\n[два](two.md)\n"),
            ("a/two.md", "---\ntitle: Два\nrelated: [a/one, a/two]\n---\n"),
            ("a/alone.md", "---\ntitle: Сам\nrelated: [a/alone]\n---\n[сюда же](alone.md)\n"),
            ("a/en/two.md", "# Two\n\nThe translation of an article that is led to.\n"),
            ("a/first.md", "---\ntitle: Первое\ntags: [essential]\n---\n"),
            ("a/old.md", "---\ntitle: Старое\nstatus: archived\n---\n"),
            // The first page of a folder that holds others; one that holds nothing else is led to by nothing.
            ("a/index.md", "# Всё об этом\n"),
            ("a/sub/index.md", "# Ни о чём\n"),
            ("a/c/one.md", "# Один\n\n[сам](../alone2.md)\n"),
            ("a/alone2.md", "# Ещё\n\n[один](c/one.md)\n"),
            // In a base without links nothing is said of single articles.
            ("b/one.md", "# Раз\n"),
            ("b/two.md", "# Два\n"),
        ]);
        let alone: Vec<&str> = orphans(&base, &Templates::default())
            .into_iter()
            .map(|slot| base.article(slot).unwrap().id.as_str())
            .collect();
        assert_eq!(alone, ["a/alone", "a/sub/index"]);
    }

    #[test]
    fn missing_and_older_translations_are_found() {
        let (ru, en) = ("# Статья по-русски\n", "# An English article\n");
        let base = library(&[
            ("sms/a.md", ru),
            ("en/sms/a.md", en),
            ("sms/b.md", ru),
            ("en/sms/b.md", en),
            ("sms/c.md", ru),
            ("en/sms/c.md", en),
            ("sms/materialisation.md", ru),
            ("en/other/materialization.md", en),
            // A folder that is not translated.
            ("app/a.md", ru),
            ("app/b.md", ru),
        ]);
        let hours = |slot: Slot| -> i64 {
            let hours = match base.article(slot).unwrap().id.as_str() {
                // The original was changed after the translation; the translation after the original; both together.
                "sms/a" => 100,
                "en/sms/b" => 100,
                "sms/c" | "en/sms/c" => 50,
                _ => 10,
            };
            hours * TOGETHER_NS
        };
        let found: Vec<(&str, TwinFault)> = twin_faults(&base, hours)
            .into_iter()
            .map(|(slot, fault)| (base.article(slot).unwrap().id.as_str(), fault))
            .collect();
        let original = base.slot("sms/a").unwrap();
        assert_eq!(
            found,
            [
                ("en/sms/a", TwinFault::Outdated { original, changed_ns: 100 * TOGETHER_NS }),
                (
                    "sms/materialisation",
                    TwinFault::Missing {
                        lang: Lang::En,
                        having: 3,
                        of: 4,
                        perhaps: base.slot("en/other/materialization"),
                    },
                ),
            ]
        );
    }
}
