//! Counting articles by kind, product, region, language, status and tag.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::content::catalog::Catalog;
use crate::content::front_matter::Status;
use crate::content::library::{Library, Slot};
use crate::content::validity::{Clearance, EXCEPT};

/// The facets, in the order they are shown.
pub const FACETS: [&str; 6] = ["kind", "product", "region", "lang", "status", "tag"];

/// The place of products in [`FACETS`].
const PRODUCT: usize = 1;

/// Counts by facet and value.
pub type FacetCounts = BTreeMap<&'static str, BTreeMap<String, u64>>;

/// What has to be known of an article for every match, without going to the article itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Whether readers get it at all.
    pub is_served: bool,
    /// Whether it stands below all that is in force.
    pub is_archived: bool,
    /// Whether it is limited to regions or days, or a section of it to anything.
    pub is_limited: bool,
    /// Whether a section of it is for another audience than the article.
    pub has_restricted_sections: bool,
    /// Its audience, by number: see [`FacetIndex::admitted`].
    pub audience: u32,
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
    /// The different audiences of articles, by number; the first is everybody.
    audiences: Vec<Vec<String>>,
    /// By the number of each audience, whether it admits everybody.
    public: Vec<bool>,
    /// The audiences that let in who belongs to a name, and those that shut him out.
    lets_in: HashMap<String, Vec<u32>>,
    shuts_out: HashMap<String, Vec<u32>>,
    /// The audiences of sections, where they are not those of their articles.
    section_audiences: Vec<Vec<String>>,
    /// Whether there are slots of what is not served: drafts, what is gone.
    has_drafts: bool,
}

impl FacetIndex {
    /// The facet values of a library.
    pub fn of(library: &Library) -> Self {
        let mut index = Self { audiences: vec![Vec::new()], ..Self::default() };
        let mut known: HashMap<(usize, String), u32> = HashMap::new();
        let mut known_audiences: HashMap<Vec<String>, u32> = [(Vec::new(), 0)].into();
        let mut section_audiences: BTreeSet<Vec<String>> = BTreeSet::new();
        for slot in 0..library.slot_count() {
            index.starts.push(u32::try_from(index.numbers.len()).unwrap_or(u32::MAX));
            let served = Slot::try_from(slot).ok().and_then(|slot| library.article(slot));
            let Some(article) = served else {
                index.gates.push(Gate::default());
                index.has_drafts = true;
                continue;
            };
            let own = article.validity();
            let sections = article.sections.iter().filter_map(|s| s.validity.as_deref());
            let mut gate = Gate {
                is_served: true,
                is_archived: article.matter.status == Status::Archived,
                is_limited: !own.is_for_all_days_and_regions(),
                ..Gate::default()
            };
            gate.audience = *known_audiences.entry(own.audience.clone()).or_insert_with_key(|audience| {
                index.audiences.push(audience.clone());
                u32::try_from(index.audiences.len() - 1).unwrap_or(u32::MAX)
            });
            for section in sections {
                // A section carries what its article is limited to.
                gate.is_limited |= section != own;
                if section.audience != own.audience {
                    gate.has_restricted_sections = true;
                    section_audiences.insert(section.audience.clone());
                }
            }
            index.gates.push(gate);
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
            article.products().for_each(|product| add(PRODUCT, product));
            matter.validity.regions.iter().for_each(|region| add(2, region));
            add(3, article.lang.code());
            add(4, matter.status.name());
            matter.tags.iter().for_each(|tag| add(5, tag));
        }
        index.starts.push(u32::try_from(index.numbers.len()).unwrap_or(u32::MAX));
        index.section_audiences = section_audiences.into_iter().collect();
        for (number, audience) in (0..).zip(&index.audiences) {
            index.public.push(Clearance::Public.admits(audience));
            for name in audience {
                match name.strip_prefix(EXCEPT) {
                    Some(name) => index.shuts_out.entry(name.to_owned()).or_default().push(number),
                    None => index.lets_in.entry(name.clone()).or_default().push(number),
                }
            }
        }
        index
    }

    /// By the number of each audience of articles: whether a clearance admits it.
    pub fn admitted(&self, clearance: &Clearance) -> Arc<[bool]> {
        let Clearance::Member(names) = clearance else {
            return self.audiences.iter().map(|audience| clearance.admits(audience)).collect();
        };
        // There may be thousands of audiences, of which somebody's few names meet few.
        let mut admitted = self.public.clone();
        for (numbers, is_admitted) in [(&self.lets_in, true), (&self.shuts_out, false)] {
            for number in names.iter().filter_map(|name| numbers.get(name)).flatten() {
                admitted[*number as usize] = is_admitted;
            }
        }
        admitted.into()
    }

    /// The audiences of all articles and sections, name by name as content writes them; some more than once.
    pub fn audiences(&self) -> impl Iterator<Item = &String> {
        self.audiences.iter().chain(&self.section_audiences).flatten()
    }

    /// Whether anything is for anybody but everybody.
    pub fn restricts(&self) -> bool {
        self.audiences.len() > 1 || !self.section_audiences.is_empty() || self.has_drafts
    }

    /// Whether a clearance admits everything there is.
    pub fn is_open_to(&self, clearance: &Clearance, admitted: &[bool]) -> bool {
        admitted.iter().all(|is_admitted| *is_admitted)
            && self.section_audiences.iter().all(|audience| clearance.admits(audience))
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

    /// The counts that are not zero, by facet and value; of products one may not know of, none is told.
    pub fn named(&self, counts: &[u64], catalog: &Catalog, clearance: &Clearance) -> FacetCounts {
        let mut named: FacetCounts = FACETS.iter().map(|facet| (*facet, BTreeMap::new())).collect();
        for ((facet, value), count) in self.values.iter().zip(counts).filter(|(_, count)| **count > 0) {
            if *facet != PRODUCT || catalog.may_know(value, clearance) {
                named.entry(FACETS[*facet]).or_default().insert(value.clone(), *count);
            }
        }
        named
    }
}
