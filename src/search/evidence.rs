//! Where the words of a query stand in the articles found: read from the lists of occurrences, not from texts.

use std::ops::Range;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocId, DocSet, SegmentReader, TERMINATED, TantivyError, Term};

use crate::content::library::Slot;
use crate::index::analyzer::Part;
use crate::index::reader::Reader;
use crate::index::schema::{self, SOURCE_SECTION};
use crate::language::words;
use crate::search::ladder::STEM_WEIGHT;
use crate::search::query::{Plan, QueryWord};

/// Occurrences of one term looked at in one section.
const MAX_OCCURRENCES: usize = 48;

/// Sections of one article looked at around the best one; longer articles are lists of everything.
const MAX_SECTIONS: DocId = 256;

/// An article whose words are asked for, by any of its sections.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The article.
    pub slot: Slot,
    /// One of its sections.
    pub address: DocAddress,
}

/// A word of the query at a place in a section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occurrence {
    /// Which word of the query.
    pub word: usize,
    /// Where: see [`Part::of`].
    pub position: u32,
    /// 1 for the word itself in any form, less for what it may stand for.
    pub weight: f32,
}

/// A section in which words of the query stand.
#[derive(Clone, Debug, PartialEq)]
pub struct SectionEvidence {
    /// Where the section is stored.
    pub address: DocAddress,
    /// Its number in the article.
    pub section: u32,
    /// Its words, title and heading included, rounded as the index keeps lengths.
    pub length: u32,
    /// The occurrences, by word and position.
    pub occurrences: Vec<Occurrence>,
    /// Words of the query, as bits, that stand there in the very form they were typed in.
    pub exact_forms: u64,
}

/// What speaks for one article.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Its sections in which words of the query stand.
    pub sections: Vec<SectionEvidence>,
    /// Words of all its sections.
    pub length: u32,
}

/// The evidence for articles, in their order.
///
/// # Errors
/// The index cannot be read.
pub fn gather(
    plan: &Plan,
    reader: &Reader,
    places: &[Place],
    admits: impl Fn(Slot, u32) -> bool,
) -> Result<Vec<Evidence>, TantivyError> {
    let mut found = vec![Evidence::default(); places.len()];
    for (ordinal, segment) in (0..).zip(reader.searcher.segment_readers()) {
        let mut here: Vec<(Range<DocId>, usize)> = Vec::new();
        let column = reader.places(segment.segment_id())?;
        for (number, place) in places.iter().enumerate().filter(|(_, p)| p.address.segment_ord == ordinal) {
            let is_own = |doc: DocId| schema::parts(column.get_val(doc)).0 == place.slot;
            let doc = place.address.doc_id;
            let start = (doc.saturating_sub(MAX_SECTIONS)..doc)
                .rev()
                .take_while(|d| is_own(*d))
                .last()
                .unwrap_or(doc);
            let last = segment.max_doc().min(doc.saturating_add(MAX_SECTIONS + 1));
            let end = (doc + 1..last).find(|d| !is_own(*d)).unwrap_or(last);
            here.push((start..end, number));
        }
        if here.is_empty() {
            continue;
        }
        here.sort_by_key(|(range, _)| range.start);
        let mut segment = Segment {
            reader,
            segment,
            ordinal,
            lengths: segment.get_fieldnorms_reader(reader.fields.text)?,
            here,
        };
        segment.measure(&mut found);
        for (number, word) in plan.words.iter().enumerate() {
            segment.read_word(number, word, &mut found)?;
        }
        segment.tidy(
            &mut found,
            |doc, slot| {
                let (_, section) = schema::parts(column.get_val(doc));
                (section != SOURCE_SECTION && admits(slot, section)).then_some(section)
            },
            places,
        );
    }
    Ok(found)
}

struct Segment<'a> {
    reader: &'a Reader,
    segment: &'a SegmentReader,
    ordinal: u32,
    lengths: FieldNormReader,
    /// The sections of each article in this segment, in order, and the article's number.
    here: Vec<(Range<DocId>, usize)>,
}

impl Segment<'_> {
    fn measure(&self, found: &mut [Evidence]) {
        for (range, number) in &self.here {
            let alive = range.clone().filter(|doc| self.is_alive(*doc));
            found[*number].length = alive.map(|doc| self.lengths.fieldnorm(doc)).sum();
        }
    }

    fn is_alive(&self, doc: DocId) -> bool {
        self.segment.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
    }

    fn read_word(
        &mut self,
        number: usize,
        word: &QueryWord,
        found: &mut [Evidence],
    ) -> Result<(), TantivyError> {
        let fields = self.reader.fields;
        self.read_term(fields.text, &word.lemma, number, 1.0, found)?;
        for reading in &word.readings {
            self.read_term(fields.text, &reading.lemma, number, reading.weight, found)?;
        }
        if words::is_cyrillic(&word.form) && !word.is_quoted {
            self.read_term(fields.stem, &word.stem, number, STEM_WEIGHT, found)?;
        }
        if number < 64 {
            self.read_form(&word.form, number, found)?;
        }
        Ok(())
    }

    fn read_term(
        &mut self,
        field: Field,
        text: &str,
        word: usize,
        weight: f32,
        found: &mut [Evidence],
    ) -> Result<(), TantivyError> {
        let index = self.segment.inverted_index(field)?;
        let term = Term::from_field_text(field, text);
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)? else {
            return Ok(());
        };
        let mut positions = Vec::new();
        for (range, number) in &self.here {
            let mut doc = postings.doc();
            if doc < range.start {
                doc = postings.seek(range.start);
            }
            while doc < range.end {
                postings.positions(&mut positions);
                positions.truncate(MAX_OCCURRENCES);
                let section = section_of(&mut found[*number], DocAddress::new(self.ordinal, doc));
                section.occurrences.extend(positions.iter().map(|p| Occurrence {
                    word,
                    position: *p,
                    weight,
                }));
                doc = postings.advance();
            }
            if doc == TERMINATED {
                break;
            }
        }
        Ok(())
    }

    fn read_form(&mut self, form: &str, word: usize, found: &mut [Evidence]) -> Result<(), TantivyError> {
        let field = self.reader.fields.form;
        let index = self.segment.inverted_index(field)?;
        let term = Term::from_field_text(field, form);
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else { return Ok(()) };
        for (range, number) in &self.here {
            for section in &mut found[*number].sections {
                if section.address.segment_ord != self.ordinal || section.address.doc_id < range.start {
                    continue;
                }
                let doc = section.address.doc_id;
                let at = if postings.doc() < doc { postings.seek(doc) } else { postings.doc() };
                if at == doc {
                    section.exact_forms |= 1 << word;
                }
            }
        }
        Ok(())
    }

    /// Drops sections that readers must not get, and of several terms of one word at one place all but the weightiest.
    fn tidy(
        &self,
        found: &mut [Evidence],
        section_of: impl Fn(DocId, Slot) -> Option<u32>,
        places: &[Place],
    ) {
        for (_, number) in &self.here {
            let evidence = &mut found[*number];
            evidence.sections.retain_mut(|section| {
                let doc = section.address.doc_id;
                let Some(at) = section_of(doc, places[*number].slot).filter(|_| self.is_alive(doc)) else {
                    return false;
                };
                section.section = at;
                section.length = self.lengths.fieldnorm(doc);
                section.occurrences.sort_unstable_by(|a, b| {
                    (a.word, a.position).cmp(&(b.word, b.position)).then(b.weight.total_cmp(&a.weight))
                });
                section.occurrences.dedup_by_key(|o| (o.word, o.position));
                true
            });
        }
    }
}

/// The evidence of a section; sections are met in order for each term, so the place is near the end or found by halving.
fn section_of(evidence: &mut Evidence, address: DocAddress) -> &mut SectionEvidence {
    let at = match evidence.sections.binary_search_by_key(&address, |s| s.address) {
        Ok(at) => at,
        Err(at) => {
            let new =
                SectionEvidence { address, section: 0, length: 0, occurrences: Vec::new(), exact_forms: 0 };
            evidence.sections.insert(at, new);
            at
        }
    };
    &mut evidence.sections[at]
}

impl SectionEvidence {
    /// The occurrences of one word.
    pub fn of_word(&self, word: usize) -> &[Occurrence] {
        let start = self.occurrences.partition_point(|o| o.word < word);
        let end = self.occurrences.partition_point(|o| o.word <= word);
        &self.occurrences[start..end]
    }
}

impl Occurrence {
    /// The part of the section it stands in.
    pub fn part(&self) -> Part {
        Part::of(self.position)
    }
}
