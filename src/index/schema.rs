//! The fields of the index: one document a section, and one that holds the article's text.

use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};

use crate::content::library::Slot;
use crate::index::analyzer::{Term, WordTokenizer};

/// Raised whenever an index written by an older program would not be right any more: fields, terms, stored forms.
pub const FORMAT: &str = "pharos-index-5";

/// The section number of the document that holds an article's text.
pub const SOURCE_SECTION: u32 = u32::MAX;

/// Slot and section as one number, so that a document's place costs one read.
pub fn place(slot: Slot, section: u32) -> u64 {
    u64::from(slot) << 32 | u64::from(section)
}

/// The slot and section of a [`place`].
pub fn parts(place: u64) -> (Slot, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the halves are what is asked for")]
    ((place >> 32) as Slot, place as u32)
}

/// The fields by name.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// The article's id; by it an article is taken out.
    pub id: Field,
    /// The article's id, on the document that holds its text only.
    pub source_id: Field,
    /// The article's slot in the library and the section's number in the article: see [`place`].
    pub place: Field,
    /// Lemmas of title, heading and text; their position tells which of them: see [`crate::index::analyzer::Part`].
    pub text: Field,
    /// Lemmas of the title alone: short, so that an article that is called what was asked for is among the candidates.
    pub title: Field,
    /// Stems of what `text` holds, at the same positions.
    pub stem: Field,
    /// Forms of what `text` holds.
    pub form: Field,
    /// Codes and phone numbers in canonical form.
    pub code: Field,
    /// The section's blocks: postcard of `Vec<Block>`.
    pub blocks: Field,
    /// The article's Markdown.
    pub source: Field,
}

/// The schema and its fields.
pub fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = |term: Term, record| {
        let indexing = TextFieldIndexing::default().set_tokenizer(term.tokenizer()).set_index_option(record);
        TextOptions::default().set_indexing_options(indexing)
    };
    let forms = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(Term::Form.tokenizer())
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    );
    let fields = Fields {
        id: builder.add_text_field("id", STRING),
        source_id: builder.add_text_field("source_id", STRING),
        place: builder.add_u64_field("place", FAST),
        text: builder.add_text_field("text", text(Term::Lemma, IndexRecordOption::WithFreqsAndPositions)),
        title: builder.add_text_field("title", text(Term::Lemma, IndexRecordOption::WithFreqs)),
        stem: builder.add_text_field("stem", text(Term::Stem, IndexRecordOption::WithFreqsAndPositions)),
        form: builder.add_text_field("form", forms),
        code: builder.add_text_field("code", STRING),
        blocks: builder.add_bytes_field("blocks", BytesOptions::from(STORED)),
        source: builder.add_bytes_field("source", BytesOptions::from(STORED)),
    };
    (builder.build(), fields)
}

/// The tokenizers the schema names.
pub fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::new();
    // tantivy asks for a tokenizer called "default" even for numbers.
    for name in ["raw", "default"] {
        manager.register(name, tantivy::tokenizer::RawTokenizer::default());
    }
    for term in Term::ALL {
        manager.register(term.tokenizer(), TextAnalyzer::from(WordTokenizer::new(term)));
    }
    manager
}
