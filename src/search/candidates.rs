//! Matching sections gathered into articles, in one pass over the matches.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::ColumnValues;
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use crate::content::library::Slot;
use crate::index::reader::Reader;
use crate::index::schema;
use crate::search::facets::FacetIndex;
use crate::search::signals::{COUNT, Signals};

/// Sections kept of an article: the best and those named beside it.
pub const SECTIONS_KEPT: usize = 4;

/// A section that matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SectionMatch {
    /// Its number in the article.
    pub section: u32,
    /// How well it matches.
    pub score: Score,
    /// Where its text is stored.
    pub address: DocAddress,
}

/// An article that matches.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The article.
    pub slot: Slot,
    /// Whether it is archived: such articles stand below all others.
    pub is_archived: bool,
    /// Its best sections, the best first.
    pub sections: Vec<SectionMatch>,
    /// How well it matches: by its best section when found, by its signals when ranked.
    pub score: Score,
    /// What ranking goes by.
    pub signals: Signals,
}

impl Candidate {
    /// The order of ranking: in force before archived, then by score, then by slot so that the order is stable.
    pub fn rank(&self, other: &Self) -> Ordering {
        let key = |c: &Self| (c.is_archived, -c.score);
        let ((archived, score), (other_archived, other_score)) = (key(self), key(other));
        archived.cmp(&other_archived).then(score.total_cmp(&other_score)).then(self.slot.cmp(&other.slot))
    }
}

/// Articles found by a query.
#[derive(Debug, Default)]
pub struct Candidates {
    /// The best articles, the best first.
    pub top: Vec<Candidate>,
    /// How many articles match.
    pub total: u64,
    /// How many of them have each facet value.
    pub facet_counts: Vec<u64>,
}

/// Gathers sections into articles. The sections of an article stand together in one segment, so one at a time is in hand.
#[derive(Debug)]
pub struct ArticleCollector {
    /// How many articles to keep.
    pub keep: usize,
    /// Facet values and gates of the articles.
    pub facets: Arc<FacetIndex>,
    /// The index.
    pub reader: Reader,
}

impl Collector for ArticleCollector {
    type Fruit = Candidates;
    type Child = ArticleSegmentCollector;

    fn for_segment(&self, ordinal: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<Self::Child> {
        Ok(ArticleSegmentCollector {
            ordinal,
            keep: self.keep,
            places: self.reader.places(segment.segment_id())?,
            counts: self.facets.zeros(),
            facets: Arc::clone(&self.facets),
            slot: None,
            sections: [None; SECTIONS_KEPT],
            heap: BinaryHeap::with_capacity(self.keep + 1),
            total: 0,
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, fruits: Vec<Candidates>) -> tantivy::Result<Candidates> {
        let mut merged = Candidates { facet_counts: self.facets.zeros(), ..Candidates::default() };
        for fruit in fruits {
            merged.total += fruit.total;
            merged.top.extend(fruit.top);
            for (sum, count) in merged.facet_counts.iter_mut().zip(fruit.facet_counts) {
                *sum += count;
            }
        }
        merged.top.sort_by(Candidate::rank);
        merged.top.truncate(self.keep);
        Ok(merged)
    }
}

/// The part of an [`ArticleCollector`] for one segment.
pub struct ArticleSegmentCollector {
    ordinal: SegmentOrdinal,
    keep: usize,
    places: Arc<dyn ColumnValues<u64>>,
    facets: Arc<FacetIndex>,
    /// The article in hand and its best sections.
    slot: Option<Slot>,
    sections: [Option<SectionMatch>; SECTIONS_KEPT],
    /// The worst of those kept on top.
    heap: BinaryHeap<Worst>,
    counts: Vec<u64>,
    total: u64,
}

struct Worst(Candidate);

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Worst {}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rank(&other.0)
    }
}

impl ArticleSegmentCollector {
    fn finish_article(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        self.total += 1;
        self.facets.count(slot, &mut self.counts);
        let score = self.sections[0].map_or(0.0, |s| s.score);
        let is_archived = self.facets.gate(slot).is_archived;
        let is_beaten = self.heap.len() >= self.keep
            && self
                .heap
                .peek()
                .is_some_and(|Worst(worst)| (worst.is_archived, -worst.score) < (is_archived, -score));
        if !is_beaten {
            let sections = self.sections.iter().flatten().copied().collect();
            self.heap.push(Worst(Candidate { slot, is_archived, sections, score, signals: [0.0; COUNT] }));
            if self.heap.len() > self.keep {
                self.heap.pop();
            }
        }
        self.sections = [None; SECTIONS_KEPT];
    }
}

impl SegmentCollector for ArticleSegmentCollector {
    type Fruit = Candidates;

    fn collect(&mut self, doc: DocId, score: Score) {
        let (slot, section) = schema::parts(self.places.get_val(doc));
        if self.slot != Some(slot) {
            self.finish_article();
            self.slot = Some(slot);
        }
        let mut next = SectionMatch { section, score, address: DocAddress::new(self.ordinal, doc) };
        for place in &mut self.sections {
            match place {
                Some(kept) if kept.score >= next.score => {}
                Some(kept) => std::mem::swap(kept, &mut next),
                None => {
                    *place = Some(next);
                    return;
                }
            }
        }
    }

    fn harvest(mut self) -> Candidates {
        self.finish_article();
        let top = self.heap.into_sorted_vec().into_iter().map(|Worst(candidate)| candidate).collect();
        Candidates { top, total: self.total, facet_counts: self.counts }
    }
}
