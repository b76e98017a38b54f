//! The words of the articles as far as a reader may read them: nothing else is completed, corrected, counted or recognised.

use std::sync::Arc;

use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, TERMINATED, Term};

use crate::content::library::Library;
use crate::content::validity::Clearance;
use crate::index::reader::Reader;
use crate::index::schema::{self, Fields, SOURCE_SECTION};
use crate::index::vocabulary::Known;
use crate::search::facets::FacetIndex;

/// The vocabulary of one reader. Words that stand only in what he may not read do not exist.
#[derive(Clone, Debug)]
pub struct Readable<'a> {
    reader: &'a Reader,
    /// What decides; none where the reader may read everything there is.
    limits: Option<Limits<'a>>,
}

#[derive(Clone, Debug)]
struct Limits<'a> {
    library: &'a Library,
    facets: &'a FacetIndex,
    clearance: &'a Clearance,
    admitted: Arc<[bool]>,
}

/// How many more words are looked at than are wanted, where some of them may not be readable.
const SPARE: usize = 8;

type Result<T> = tantivy::Result<T>;

impl<'a> Readable<'a> {
    /// The words of an index that somebody may read; `admitted` is what [`FacetIndex::admitted`] says of his clearance.
    pub fn new(
        reader: &'a Reader,
        library: &'a Library,
        facets: &'a FacetIndex,
        clearance: &'a Clearance,
        admitted: &Arc<[bool]>,
    ) -> Self {
        let admitted = Arc::clone(admitted);
        // Words of what was deleted stand in the dictionaries until their segment is merged.
        let has_remains =
            reader.searcher.segment_readers().iter().any(|segment| segment.num_deleted_docs() > 0);
        let is_open = facets.is_open_to(clearance, &admitted) && (!has_remains || !facets.restricts());
        let is_limited = *clearance != Clearance::Everything && !is_open;
        let limits = is_limited.then_some(Limits { library, facets, clearance, admitted });
        Self { reader, limits }
    }

    /// All words of an index.
    pub fn whole(reader: &'a Reader) -> Self {
        Self { reader, limits: None }
    }

    /// The fields of the index.
    pub fn fields(&self) -> Fields {
        self.reader.fields
    }

    /// In how many sections a term stands, those one may not read included; none when it stands in no other.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn frequency(&self, field: Field, text: &str) -> Result<u64> {
        let frequency = self.reader.frequency(field, text)?;
        Ok(if frequency > 0 && self.is_readable(field, text)? { frequency } else { 0 })
    }

    /// In how many sections one may read a term stands. Looks at all of them.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn count(&self, field: Field, text: &str) -> Result<u64> {
        match &self.limits {
            None => self.reader.frequency(field, text),
            Some(limits) => Ok(limits.readable(self.reader, field, text, u64::MAX)?),
        }
    }

    fn is_readable(&self, field: Field, text: &str) -> Result<bool> {
        match &self.limits {
            None => Ok(true),
            Some(limits) => Ok(limits.readable(self.reader, field, text, 1)? > 0),
        }
    }

    /// Whether any word begins so.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn begins_word(&self, prefix: &str) -> Result<bool> {
        if self.limits.is_none() {
            return self.reader.begins_word(prefix);
        }
        Ok(!self.words_from(prefix, 1)?.is_empty())
    }

    /// The `most` most frequent words that begin so, the most frequent first.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn words_from(&self, prefix: &str, most: usize) -> Result<Vec<Known>> {
        if self.limits.is_none() {
            return self.reader.words_from(prefix, most);
        }
        let spare = self.reader.words_from(prefix, most.saturating_mul(SPARE))?;
        let is_all = spare.len() < most.saturating_mul(SPARE);
        let mut known = self.of(self.fields().form, spare)?;
        if known.len() < most && !is_all {
            // Nearly all of them may not be read: then all are looked at.
            known = self.of(self.fields().form, self.reader.words_from(prefix, usize::MAX)?)?;
        }
        known.truncate(most);
        Ok(known)
    }

    /// The words at most `distance` edits from one, all beginning with `prefix`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn words_near(&self, word: &str, distance: u8, prefix: &str) -> Result<Vec<Known>> {
        self.of(self.fields().form, self.reader.words_near(word, distance, prefix)?)
    }

    /// The stems at most `distance` edits from one, all beginning with `prefix`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn stems_near(&self, stem: &str, distance: u8, prefix: &str) -> Result<Vec<Known>> {
        self.of(self.fields().stem, self.reader.stems_near(stem, distance, prefix)?)
    }

    /// The words of the other script that sound like one.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn words_sounding(&self, word: &str) -> Result<Vec<Known>> {
        self.of(self.fields().form, self.reader.words_sounding(word)?)
    }

    /// All terms of a field.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn terms(&self, field: Field) -> Result<Vec<Known>> {
        self.of(field, self.reader.terms_from(field, "", usize::MAX)?)
    }

    /// Those of some terms of a field that one may read.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn of(&self, field: Field, known: Vec<Known>) -> Result<Vec<Known>> {
        if self.limits.is_none() {
            return Ok(known);
        }
        let mut readable = Vec::with_capacity(known.len());
        for known in known {
            if self.is_readable(field, &known.form)? {
                readable.push(known);
            }
        }
        Ok(readable)
    }
}

impl Limits<'_> {
    /// In how many sections that may be read a term stands, counted no further than `enough`.
    fn readable(&self, reader: &Reader, field: Field, text: &str, enough: u64) -> Result<u64> {
        let term = Term::from_field_text(field, text);
        let mut count = 0;
        for segment in reader.searcher.segment_readers() {
            let index = segment.inverted_index(field)?;
            let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            let places = reader.places(segment.segment_id())?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !segment.is_deleted(doc) && self.admits(places.get_val(doc)) {
                    count += 1;
                    if count == enough {
                        return Ok(count);
                    }
                }
                doc = postings.advance();
            }
        }
        Ok(count)
    }

    fn admits(&self, place: u64) -> bool {
        let (slot, section) = schema::parts(place);
        let gate = self.facets.gate(slot);
        if !gate.is_served || section == SOURCE_SECTION || !self.admitted[gate.audience as usize] {
            return false;
        }
        !gate.has_restricted_sections
            || self.library.article(slot).is_some_and(|article| {
                let section = article.sections.get(section as usize);
                let validity = section.and_then(|section| section.validity.as_ref());
                validity.is_none_or(|validity| self.clearance.admits(&validity.audience))
            })
    }
}
