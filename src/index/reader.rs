//! Reading the index: a searcher and what is stored beside it.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::collector::TopDocs;
use tantivy::columnar::ColumnValues;
use tantivy::index::SegmentId;
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocAddress, Searcher, TantivyDocument, Term};

use crate::content::markdown::Block;
use crate::index::schema::{self, Fields, SOURCE_SECTION};

/// The index at one commit.
#[derive(Clone)]
pub struct Reader {
    /// tantivy's searcher.
    pub searcher: Searcher,
    /// The fields.
    pub fields: Fields,
    /// The [`crate::index::schema::place`] of each document, by segment.
    places: Arc<HashMap<SegmentId, Arc<dyn ColumnValues<u64>>>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("sections", &self.searcher.num_docs()).finish()
    }
}

impl Reader {
    /// A reader of what a searcher sees.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn new(searcher: Searcher, fields: Fields) -> tantivy::Result<Self> {
        let mut places = HashMap::new();
        for segment in searcher.segment_readers() {
            let column = segment.fast_fields().u64("place")?.first_or_default_col(u64::MAX);
            places.insert(segment.segment_id(), column);
        }
        Ok(Self { searcher, fields, places: Arc::new(places) })
    }

    /// How many sections there are, and how many words in all.
    pub fn size(&self) -> (u64, u64) {
        let mut size = (0, 0);
        for segment in self.searcher.segment_readers() {
            let words = segment.inverted_index(self.fields.text).map_or(0, |index| index.total_num_tokens());
            // Documents that hold an article's text have no words of their own.
            let sources =
                segment.inverted_index(self.fields.source_id).map_or(0, |index| index.terms().num_terms());
            size.0 += u64::from(segment.num_docs()).saturating_sub(sources as u64);
            size.1 += words;
        }
        size
    }

    /// The place of each document of a segment.
    ///
    /// # Errors
    /// The segment is not of this reader.
    pub fn places(&self, segment: SegmentId) -> tantivy::Result<Arc<dyn ColumnValues<u64>>> {
        let found = self.places.get(&segment).map(Arc::clone);
        found.ok_or_else(|| tantivy::TantivyError::InternalError("a segment of another searcher".to_owned()))
    }

    /// The Markdown of an article, without its head.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn source(&self, id: &str) -> tantivy::Result<Option<String>> {
        let query =
            TermQuery::new(Term::from_field_text(self.fields.source_id, id), IndexRecordOption::Basic);
        let found = self.searcher.search(&query, &TopDocs::with_limit(1).order_by_score())?;
        let Some((_, address)) = found.first() else { return Ok(None) };
        let document: TantivyDocument = self.searcher.doc(*address)?;
        let bytes = document.get_first(self.fields.source).and_then(|v| v.as_bytes());
        // It was written from a text; a damaged one is as good as none.
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()))
    }

    /// Where the sections of an article stand, by their numbers: those at most `reach` documents from one of them.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn sections_around(&self, near: DocAddress, reach: u32) -> tantivy::Result<Vec<(u32, DocAddress)>> {
        let segment = self.searcher.segment_reader(near.segment_ord);
        let places = self.places(segment.segment_id())?;
        let (slot, _) = schema::parts(places.get_val(near.doc_id));
        let last = segment.max_doc().min(near.doc_id.saturating_add(reach + 1));
        let found = (near.doc_id.saturating_sub(reach)..last)
            .filter(|doc| !segment.is_deleted(*doc))
            .filter_map(|doc| {
                let (own, section) = schema::parts(places.get_val(doc));
                (own == slot && section != SOURCE_SECTION)
                    .then_some((section, DocAddress::new(near.segment_ord, doc)))
            });
        Ok(found.collect())
    }

    /// The blocks of a section.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn blocks(&self, address: DocAddress) -> tantivy::Result<Vec<Block>> {
        let document: TantivyDocument = self.searcher.doc(address)?;
        let bytes = document.get_first(self.fields.blocks).and_then(|v| v.as_bytes());
        Ok(bytes.and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default())
    }
}
