//! Counting articles by kind, product, region, language, status and tag.

use std::collections::{BTreeMap, HashMap};

use crate::content::front_matter::Status;
use crate::content::library::{Library, Slot};

/// The facets, in the order they are shown.
pub const FACETS: [&str; 6] = ["kind", "product", "region", "lang", "status", "tag"];

/// Counts by facet and value.
pub type FacetCounts = BTreeMap<&'static str, BTreeMap<String, u64>>;

/// What has to be known of an article for every match, without going to the article itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Whether readers get it at all.
    pub is_served: bool,
    /// Whether it stands below all that is in force.
    pub is_archived: bool,
    /// Whether it, or a section of it, is limited to regions or days.
    pub is_limited: bool,
}

/// The facet values of each article as numbers, so that counting is adding; and its gate.
#[derive(Debug, Default)]
pub struct FacetIndex {
    gates: Vec<Gate>,
    /// Facet (place in [`FACETS`]) and value by number.
    values: Vec<(usize, String)>,
    /// Where the numbers of each slot begin in `numbers`; one more than there are slots.
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl FacetIndex {
    /// The facet values of a library.
    pub fn of(library: &Library) -> Self {
        let mut index = Self::default();
        let mut known: HashMap<(usize, String), u32> = HashMap::new();
        for slot in 0..library.slot_count() {
            index.starts.push(u32::try_from(index.numbers.len()).unwrap_or(u32::MAX));
            let served = Slot::try_from(slot).ok().and_then(|slot| library.article(slot));
            index.gates.push(served.map_or_else(Gate::default, |article| Gate {
                is_served: true,
                is_archived: article.matter.status == Status::Archived,
                is_limited: !article.validity().is_unlimited()
                    || article.sections.iter().any(|s| s.validity.is_some()),
            }));
            let Some(article) = served else { continue };
            let (matter, first) = (&article.matter, index.numbers.len());
            let mut add = |facet: usize, value: &str| {
                let key = (facet, value.to_owned());
                let number = *known.entry(key).or_insert_with_key(|key| {
                    index.values.push(key.clone());
                    u32::try_from(index.values.len() - 1).unwrap_or(u32::MAX)
                });
                if !index.numbers[first..].contains(&number) {
                    index.numbers.push(number);
                }
            };
            add(0, matter.kind.name());
            article.products().for_each(|product| add(1, product));
            matter.validity.regions.iter().for_each(|region| add(2, region));
            add(3, article.lang.code());
            add(4, matter.status.name());
            matter.tags.iter().for_each(|tag| add(5, tag));
        }
        index.starts.push(u32::try_from(index.numbers.len()).unwrap_or(u32::MAX));
        index
    }

    /// The gate of an article.
    pub fn gate(&self, slot: Slot) -> Gate {
        self.gates.get(slot as usize).copied().unwrap_or_default()
    }

    /// Zero for every value.
    pub fn zeros(&self) -> Vec<u64> {
        vec![0; self.values.len()]
    }

    /// Counts one article.
    pub fn count(&self, slot: Slot, counts: &mut [u64]) {
        let slot = slot as usize;
        if let (Some(&from), Some(&to)) = (self.starts.get(slot), self.starts.get(slot + 1)) {
            for number in &self.numbers[from as usize..to as usize] {
                counts[*number as usize] += 1;
            }
        }
    }

    /// The counts that are not zero, by facet and value.
    pub fn named(&self, counts: &[u64]) -> FacetCounts {
        let mut named: FacetCounts = FACETS.iter().map(|facet| (*facet, BTreeMap::new())).collect();
        for ((facet, value), count) in self.values.iter().zip(counts).filter(|(_, count)| **count > 0) {
            named.entry(FACETS[*facet]).or_default().insert(value.clone(), *count);
        }
        named
    }
}
