//! What a reader may see and asked to see, applied inside the index query: nothing else is counted, scored or shown.

use std::sync::Arc;

use jiff::civil::Date;
use tantivy::columnar::ColumnValues;
use tantivy::query::{EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED};

use crate::content::article::Article;
use crate::content::catalog::{Lang, Product};
use crate::content::front_matter::{Kind, Status};
use crate::content::library::Library;
use crate::content::validity::{Clearance, Standpoint};
use crate::index::reader::Reader;
use crate::index::schema::{self, SOURCE_SECTION};
use crate::search::facets::FacetIndex;

/// What asks for every region, where saying nothing asks for one's own.
pub const ALL_REGIONS: &str = "all";

/// What is asked for. Fields that are empty ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// One of these kinds.
    pub kinds: Vec<Kind>,
    /// About one of these products.
    pub products: Vec<String>,
    /// In force in this region.
    pub region: Option<String>,
    /// In this language.
    pub lang: Option<Lang>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// Of this status.
    pub status: Option<Status>,
    /// In force on this day.
    pub day: Date,
    /// The region that the reader means where none is named. It filters nothing, but addresses leave it out.
    pub home: Option<String>,
    /// What the reader may read. It is not asked for, but follows from who asks.
    pub clearance: Clearance,
}

impl Filter {
    /// What is in force on a day, and no more is asked.
    pub fn on(day: Date) -> Self {
        Self { day, ..Self::default() }
    }

    /// The same for somebody who may read what a clearance admits.
    #[must_use]
    pub fn with(self, clearance: Clearance) -> Self {
        Self { clearance, ..self }
    }

    /// The region as an address names it: `all` for every region where one's own would be meant, nothing for every region elsewhere.
    pub fn region_in_address(&self) -> &str {
        match (self.region.as_deref(), self.home.as_deref()) {
            (None, Some(_)) => ALL_REGIONS,
            (region, _) => region.unwrap_or_default(),
        }
    }

    /// Where, when and as whom it asks.
    pub fn standpoint(&self) -> Standpoint<'_> {
        Standpoint { day: self.day, region: self.region.as_deref(), clearance: &self.clearance }
    }

    /// Whether nothing but the day is asked for.
    fn asks_only_for_day(&self) -> bool {
        let Self { kinds, products, region, lang, tags, status, day: _, home: _, clearance: _ } = self;
        kinds.is_empty()
            && products.is_empty()
            && region.is_none()
            && lang.is_none()
            && tags.is_empty()
            && status.is_none()
    }

    /// Whether an article passes, its sections aside. Drafts never do.
    pub fn admits(&self, article: &Article) -> bool {
        let matter = &article.matter;
        matter.status != Status::Draft
            && self.status.is_none_or(|status| status == matter.status)
            && article.validity().in_force(self.standpoint())
            && (self.kinds.is_empty() || self.kinds.contains(&matter.kind))
            && self.lang.is_none_or(|lang| lang == article.lang)
            && self.tags.iter().all(|tag| matter.tags.contains(tag))
            && (self.products.is_empty()
                || article.products().any(|p| self.products.iter().any(|own| own == p)))
    }

    /// Whether a product passes.
    pub fn admits_product(&self, product: &Product) -> bool {
        product.is_offered(self.standpoint())
            && self.status.is_none_or(|status| status == product.status)
            && (self.products.is_empty() || self.products.contains(&product.id))
    }

    /// Whether a section of an article that passes is in force.
    pub fn admits_section(&self, article: &Article, section: u32) -> bool {
        section != SOURCE_SECTION && article.section_in_force(section as usize, self.standpoint())
    }
}

/// A query narrowed to what a filter admits.
#[derive(Clone)]
pub struct Filtered {
    inner: Arc<dyn Query>,
    library: Arc<Library>,
    facets: Arc<FacetIndex>,
    reader: Reader,
    admitted: Arc<[bool]>,
    filter: Arc<Filter>,
}

impl std::fmt::Debug for Filtered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filtered")
            .field("inner", &self.inner)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

impl Filtered {
    /// The query, narrowed; `admitted` is what [`FacetIndex::admitted`] says of the filter's clearance.
    pub fn new(
        inner: Box<dyn Query>,
        library: &Arc<Library>,
        facets: &Arc<FacetIndex>,
        reader: &Reader,
        filter: &Arc<Filter>,
        admitted: &Arc<[bool]>,
    ) -> Self {
        Self {
            inner: Arc::from(inner),
            library: Arc::clone(library),
            facets: Arc::clone(facets),
            reader: reader.clone(),
            admitted: Arc::clone(admitted),
            filter: Arc::clone(filter),
        }
    }
}

impl Query for Filtered {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(FilteredWeight { inner: self.inner.weight(scoring)?, query: self.clone() }))
    }
}

struct FilteredWeight {
    inner: Box<dyn Weight>,
    query: Filtered,
}

impl Weight for FilteredWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut scorer = FilteredScorer {
            inner: self.inner.scorer(reader, boost)?,
            places: self.query.reader.places(reader.segment_id())?,
            library: Arc::clone(&self.query.library),
            facets: Arc::clone(&self.query.facets),
            asks_only_for_day: self.query.filter.asks_only_for_day(),
            admitted: Arc::clone(&self.query.admitted),
            filter: Arc::clone(&self.query.filter),
            last: None,
        };
        scorer.skip_unadmitted();
        Ok(Box::new(scorer))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.inner.explain(reader, doc)
    }
}

struct FilteredScorer {
    inner: Box<dyn Scorer>,
    places: Arc<dyn ColumnValues<u64>>,
    library: Arc<Library>,
    facets: Arc<FacetIndex>,
    asks_only_for_day: bool,
    /// By the number of each audience, whether the reader belongs to it.
    admitted: Arc<[bool]>,
    filter: Arc<Filter>,
    /// The article met last and whether it passes: the sections of an article stand together.
    last: Option<(u32, bool)>,
}

impl FilteredScorer {
    fn skip_unadmitted(&mut self) -> DocId {
        let mut doc = self.inner.doc();
        while doc != TERMINATED && !self.admits(doc) {
            doc = self.inner.advance();
        }
        doc
    }

    fn admits(&mut self, doc: DocId) -> bool {
        let (slot, section) = schema::parts(self.places.get_val(doc));
        let gate = self.facets.gate(slot);
        if !gate.is_served || section == SOURCE_SECTION || !self.admitted[gate.audience as usize] {
            return false;
        }
        if self.asks_only_for_day && !gate.is_limited {
            return true;
        }
        let Some(article) = self.library.article(slot) else { return false };
        let passes = match self.last {
            Some((last, passes)) if last == slot => passes,
            _ => {
                let passes = self.filter.admits(article);
                self.last = Some((slot, passes));
                passes
            }
        };
        passes && self.filter.admits_section(article, section)
    }
}

impl DocSet for FilteredScorer {
    fn advance(&mut self) -> DocId {
        self.inner.advance();
        self.skip_unadmitted()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.inner.seek(target);
        self.skip_unadmitted()
    }

    fn doc(&self) -> DocId {
        self.inner.doc()
    }

    fn size_hint(&self) -> u32 {
        self.inner.size_hint()
    }
}

impl Scorer for FilteredScorer {
    fn score(&mut self) -> Score {
        self.inner.score()
    }
}
