//! Writing the index: articles in and out, commits, merges.

use std::sync::Arc;

use jiff::civil::Date;
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy, UserOperation};
use tantivy::schema::{Field, OwnedValue};
use tantivy::{Document, Index, IndexWriter, Term};

use crate::content::article::{Article, ParsedArticle};
use crate::content::catalog::Catalog;
use crate::content::front_matter::Status;
use crate::content::library::Slot;
use crate::content::markdown::{Block, BlockKind};
use crate::content::problem::u32_of;
use crate::content::validity::{Clearance, Standpoint};
use crate::index::analyzer::PART_MARK;
use crate::index::budget::{Budget, Share};
use crate::index::manifest::Checkpoint;
use crate::index::schema::{self, Fields, SOURCE_SECTION};
use crate::language::codes;

/// Text that may wait to be indexed, in bytes.
const WAITING_BYTES: usize = 8 << 20;

/// More segments than this slow searches (65 cost three times what 12 do); they are merged when there is time.
const MAX_SEGMENTS: usize = 10;

/// How often a lock is asked for, and the pause between: two seconds in all.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// How an index is written.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// All articles at once: every core, large segments.
    Bulk,
    /// A few changes at a time: one thread that leaves the rest to searches.
    Live,
}

/// A document: texts that several fields share are held once, and its share of the budget until it is indexed.
#[derive(Debug)]
pub struct SectionDocument {
    values: Vec<OwnedValue>,
    /// A field and the place of its value.
    fields: Vec<(Field, usize)>,
    _share: Arc<Share>,
}

impl SectionDocument {
    fn add(&mut self, value: OwnedValue, fields: &[Field]) {
        let at = self.values.len();
        self.values.push(value);
        self.fields.extend(fields.iter().map(|field| (*field, at)));
    }
}

impl Document for SectionDocument {
    type Value<'a> = &'a OwnedValue;
    type FieldsValuesIter<'a> = Box<dyn Iterator<Item = (Field, &'a OwnedValue)> + 'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        Box::new(self.fields.iter().map(|(field, at)| (*field, &self.values[*at])))
    }
}

/// Writes an index.
pub struct Writer {
    index: Index,
    fields: Fields,
    /// Absent only while it is exchanged, or after that failed.
    writer: Option<IndexWriter<SectionDocument>>,
    budget: Arc<Budget>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer at a pace.
    ///
    /// # Errors
    /// Another writer holds the index, or it cannot be written.
    pub fn new(index: Index, fields: Fields, pace: Pace) -> tantivy::Result<Self> {
        let writer = open(&index, pace)?;
        Ok(Self { index, fields, writer: Some(writer), budget: Budget::new(WAITING_BYTES) })
    }

    /// Goes on at another pace. What is not committed is lost.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn change_pace(&mut self, pace: Pace) -> tantivy::Result<()> {
        // One writer at a time may hold the index: the old one goes first.
        self.writer = None;
        self.writer = Some(open(&self.index, pace)?);
        Ok(())
    }

    fn writer(&self) -> tantivy::Result<&IndexWriter<SectionDocument>> {
        self.writer.as_ref().ok_or_else(closed)
    }

    fn writer_mut(&mut self) -> tantivy::Result<&mut IndexWriter<SectionDocument>> {
        self.writer.as_mut().ok_or_else(closed)
    }

    /// Puts an article in, in place of what stood under its id. Visible after the next commit.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn put(
        &self,
        slot: Slot,
        parsed: &ParsedArticle,
        catalog: &Catalog,
        day: Date,
    ) -> tantivy::Result<()> {
        // The text is held about three times: as source, as blocks, as words.
        let share = Arc::new(self.budget.take(parsed.body.len() * 3));
        let mut operations =
            vec![UserOperation::Delete(Term::from_field_text(self.fields.id, &parsed.article.id))];
        operations
            .extend(self.documents(slot, parsed, catalog, day, &share).into_iter().map(UserOperation::Add));
        self.writer()?.run(operations)?;
        Ok(())
    }

    /// Takes an article out. Visible after the next commit.
    ///
    /// # Errors
    /// The writer is closed.
    pub fn remove(&self, id: &str) -> tantivy::Result<()> {
        self.writer()?.delete_term(Term::from_field_text(self.fields.id, id));
        Ok(())
    }

    fn documents(
        &self,
        slot: Slot,
        parsed: &ParsedArticle,
        catalog: &Catalog,
        day: Date,
        share: &Arc<Share>,
    ) -> Vec<SectionDocument> {
        let fields = self.fields;
        let article = &parsed.article;
        // What not all readers of the article may read would be found by all of them.
        let clearance = article.readers();
        let at = Standpoint { clearance: &clearance, ..Standpoint::public(day) };
        let expand = |text: &str| catalog.expand(text, article.lang, at);
        let new = |section: u32| {
            let mut document =
                SectionDocument { values: Vec::new(), fields: Vec::new(), _share: Arc::clone(share) };
            document.add(OwnedValue::Str(article.id.clone()), &[fields.id]);
            document.add(OwnedValue::U64(schema::place(slot, section)), &[fields.place]);
            document
        };
        let title = names(article, catalog, &expand(&article.title), &clearance).replace(PART_MARK, " ");
        let mut documents = Vec::with_capacity(article.sections.len() + 1);
        // A draft is kept to be served one day; its words are nobody's business yet.
        let is_draft = article.matter.status == Status::Draft;
        let sections = article.sections.iter().zip(&parsed.blocks).enumerate().filter(|_| !is_draft);
        for (number, (section, blocks)) in sections {
            let is_bare_lead = number == 0 && blocks.is_empty() && article.sections.len() > 1;
            if is_bare_lead {
                continue;
            }
            let mut document = new(u32_of(number));
            let heading = expand(&section.heading).replace(PART_MARK, " ");
            let mut codes = codes_of(&heading, &section.heading, catalog, at);
            let mut body = title.clone();
            body.push(PART_MARK);
            if number > 0 {
                body.push_str(&heading);
            }
            body.push(PART_MARK);
            for block in blocks {
                // Fenced code is left as it is written.
                let is_code = block.kind == BlockKind::Code;
                let text = if is_code { block.text.clone() } else { expand(&block.text) };
                codes.extend(codes_of(&text, if is_code { "" } else { &block.text }, catalog, at));
                body.extend(text.chars().filter(|c| *c != PART_MARK));
                body.push('\n');
            }
            codes.sort();
            codes.dedup();
            document.add(OwnedValue::Str(expand(&article.title)), &[fields.title]);
            document.add(OwnedValue::Str(body), &[fields.text, fields.stem, fields.form]);
            for code in codes {
                document.add(OwnedValue::Str(code), &[fields.code]);
            }
            document.add(OwnedValue::Bytes(encode(blocks)), &[fields.blocks]);
            documents.push(document);
        }
        let mut source = new(SOURCE_SECTION);
        source.add(OwnedValue::Str(article.id.clone()), &[fields.source_id]);
        source.add(OwnedValue::Bytes(parsed.body.clone().into_bytes()), &[fields.source]);
        documents.push(source);
        documents
    }

    /// Makes what was put in and taken out visible to readers opened from now on, together with its manifest.
    ///
    /// # Errors
    /// The index cannot be written. The writer must then be made anew.
    pub fn commit(&mut self, checkpoint: &Checkpoint) -> tantivy::Result<()> {
        let mut prepared = self.writer_mut()?.prepare_commit()?;
        prepared.set_payload(&serde_json::to_string(checkpoint).unwrap_or_default());
        prepared.commit()?;
        Ok(())
    }

    /// Merges when there are too many segments or too many dead documents. Returns whether anything was merged; the reader must then be
    /// reloaded.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn merge(&mut self, at_most_segments: usize) -> tantivy::Result<bool> {
        let mut segments = self.index.searchable_segment_metas()?;
        segments.sort_by_key(|s| s.num_docs());
        let wasteful = |s: &tantivy::SegmentMeta| s.num_deleted_docs() * 4 > s.max_doc();
        let mut merged: Vec<_> =
            segments.iter().filter(|s| wasteful(s)).map(tantivy::SegmentMeta::id).collect();
        if segments.len() > at_most_segments {
            // The small ones, so that the large ones are not written again for a few articles.
            let surplus = segments.len() - at_most_segments / 2;
            merged
                .extend(segments.iter().filter(|s| !wasteful(s)).take(surplus).map(tantivy::SegmentMeta::id));
        }
        if merged.is_empty() {
            return Ok(false);
        }
        let writer = self.writer_mut()?;
        writer.merge(&merged).wait()?;
        writer.garbage_collect_files().wait()?;
        Ok(true)
    }

    /// How many segments may stand before a merge is worth its time.
    pub fn max_segments() -> usize {
        MAX_SEGMENTS
    }
}

fn closed() -> tantivy::TantivyError {
    tantivy::TantivyError::InternalError("the writer is closed".to_owned())
}

fn open(index: &Index, pace: Pace) -> tantivy::Result<IndexWriter<SectionDocument>> {
    let options = match pace {
        Pace::Bulk => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
            IndexWriterOptions::builder()
                .num_worker_threads(threads)
                .memory_budget_per_thread(30 << 20)
                .num_merge_threads(1)
                .build()
        }
        Pace::Live => IndexWriterOptions::builder()
            .num_worker_threads(1)
            .memory_budget_per_thread(32 << 20)
            .num_merge_threads(1)
            .build(),
    };
    let mut tries = 0;
    let writer: IndexWriter<SectionDocument> = loop {
        match index.writer_with_options(options.clone()) {
            // A process that is just being started may hold the files of this one for an instant.
            Err(tantivy::TantivyError::LockFailure(..)) if tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(LOCK_PAUSE);
            }
            opened => break opened?,
        }
    };
    writer.set_merge_policy(Box::new(NoMergePolicy));
    Ok(writer)
}

/// What an article is called: its title, its aliases, the names of its products.
fn names(article: &Article, catalog: &Catalog, title: &str, clearance: &Clearance) -> String {
    let mut names = title.to_owned();
    for alias in &article.matter.aliases {
        names.push('\n');
        names.push_str(alias);
    }
    for product in
        article.products().filter_map(|id| catalog.product(id)).filter(|p| p.is_known_to(clearance))
    {
        for name in product.title.all() {
            if !names.contains(name) {
                names.push('\n');
                names.push_str(name);
            }
        }
    }
    names
}

/// The codes in a text, and those its references name: short numbers are codes only by reference.
fn codes_of(expanded: &str, raw: &str, catalog: &Catalog, at: Standpoint<'_>) -> Vec<String> {
    let mut found: Vec<String> = codes::find_codes(expanded).into_iter().map(|c| c.canonical).collect();
    let referenced = crate::content::values::references(raw);
    found.extend(referenced.iter().filter_map(|r| catalog.code(r.name, at)).map(str::to_owned));
    found
}

fn encode(blocks: &[Block]) -> Vec<u8> {
    postcard::to_stdvec(blocks).unwrap_or_default()
}
