//! What is imported and stands there already, or twice in the source: word by word, or nearly.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rustc_hash::FxHashSet;
use serde::Serialize;
use utoipa::ToSchema;

use crate::content::files::{Folder, is_markdown};
use crate::content::yaml::split_front_matter;
use crate::importing::plan::PlannedArticle;
use crate::language::duplicates::{ALIKE_PERCENT, bands, percent_alike, shingles, signature};

/// Texts of a kind that another one is compared with.
const MAX_COMPARED: usize = 5;

/// Texts below this many bytes say too little to be called the same word by word.
const LEAST_BYTES: usize = 100;

/// Two articles that say the same, or nearly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alike {
    /// The path of the imported article, below `articles/`.
    pub path: String,
    /// The path of the other one, imported as well or there before.
    pub other: String,
    /// How much they have in common, in per cent of both.
    pub percent: u32,
}

/// Pairs of imported articles, and of imported articles and those of the folder, that have most of their text in common.
pub fn alike(articles: &[PlannedArticle], folder: &Folder) -> Vec<Alike> {
    let planned: BTreeSet<&str> = articles.iter().map(|article| article.path.as_str()).collect();
    let mut all: Vec<(String, String)> =
        articles.iter().map(|article| (article.path.clone(), body(&article.text))).collect();
    let imported = all.len();
    let here = folder
        .list("")
        .files
        .into_keys()
        .filter(|path| is_markdown(path) && !planned.contains(path.as_str()));
    all.extend(here.filter_map(|path| {
        let text = read(&folder.root.join(&path), folder.max_file_bytes)?;
        Some((path, body(&text)))
    }));
    let mut by_text: HashMap<[u8; 32], usize> = HashMap::new();
    let mut by_band: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    // What was there before comes first, so that it is what others are compared with.
    let order = (imported..all.len()).chain(0..imported);
    for at in order {
        let (path, text) = &all[at];
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut others: BTreeSet<usize> = BTreeSet::new();
        let mut same = None;
        if words.len() > LEAST_BYTES {
            let hash = *blake3::hash(words.as_bytes()).as_bytes();
            same = by_text.get(&hash).copied();
            by_text.entry(hash).or_insert(at);
        }
        let own = shingles([text.as_str()]);
        if let Some(signature) = signature(&own) {
            for band in bands(&signature) {
                let kept = by_band.entry(band).or_default();
                // Of very many that are the same, some are enough to say so.
                others.extend(kept.iter().take(MAX_COMPARED));
                if kept.len() < MAX_COMPARED {
                    kept.push(at);
                }
            }
        }
        if at >= imported {
            continue;
        }
        if let Some(same) = same {
            found.push(Alike { path: path.clone(), other: all[same].0.clone(), percent: 100 });
            continue;
        }
        found.extend(nearest(&own, &others, &all).into_iter().map(|(other, percent)| Alike {
            path: path.clone(),
            other: all[other].0.clone(),
            percent,
        }));
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Of some texts the one that is most like another, if it is nearly the same.
fn nearest(own: &FxHashSet<u64>, others: &BTreeSet<usize>, all: &[(String, String)]) -> Option<(usize, u32)> {
    let measured =
        others.iter().map(|other| (*other, percent_alike(own, &shingles([all[*other].1.as_str()]))));
    measured.filter(|(_, percent)| *percent >= ALIKE_PERCENT).max_by_key(|(_, percent)| *percent)
}

fn body(text: &str) -> String {
    split_front_matter(text).map_or_else(|_| text.to_owned(), |(_, _, body, _)| body.to_owned())
}

fn read(path: &Path, limit: u64) -> Option<String> {
    let is_small = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= limit);
    is_small.then(|| std::fs::read_to_string(path).ok()).flatten()
}
