//! How text becomes terms: one tokenizer for each way words are compared.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::language::{morphology, words};

/// What a word is indexed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Its lemma: тарифов → тариф.
    Lemma,
    /// Its stem, Cyrillic words only: where the dictionary parts what belongs together (подключить, подключение).
    Stem,
    /// Itself, folded: the vocabulary that prefixes are completed from.
    Form,
}

impl Term {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lemma, Self::Stem, Self::Form];

    /// The name of its tokenizer.
    pub fn tokenizer(self) -> &'static str {
        match self {
            Self::Lemma => "lemma",
            Self::Stem => "stem",
            Self::Form => "form",
        }
    }

    /// Calls `take` with the term of a folded word, unless this way of comparing passes it over.
    pub fn of(self, form: &str, take: impl FnOnce(&str)) {
        match self {
            Self::Lemma => morphology::with_lemma(form, take),
            Self::Stem if words::is_cyrillic(form) => take(&morphology::stem(form)),
            Self::Stem => {}
            Self::Form => take(form),
        }
    }
}

/// A tantivy tokenizer over [`words::for_each_word`].
#[derive(Clone, Debug)]
pub struct WordTokenizer {
    term: Term,
    /// The terms of the text in hand, one after another; kept to be used again.
    buffer: String,
    /// End of each term in `buffer`, start and end of its word in the text.
    terms: Vec<(usize, usize, usize)>,
}

impl WordTokenizer {
    /// A tokenizer for one way of comparing.
    pub fn new(term: Term) -> Self {
        Self { term, buffer: String::new(), terms: Vec::new() }
    }
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.buffer.clear();
        self.terms.clear();
        let (buffer, terms, term) = (&mut self.buffer, &mut self.terms, self.term);
        words::for_each_word(text, |range, form| {
            term.of(form, |t| {
                buffer.push_str(t);
                terms.push((buffer.len(), range.start, range.end));
            });
        });
        WordStream { tokenizer: self, next: 0, token: Token::default() }
    }
}

/// The terms of one text.
#[derive(Debug)]
pub struct WordStream<'a> {
    tokenizer: &'a WordTokenizer,
    next: usize,
    token: Token,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(&(end, from, to)) = self.tokenizer.terms.get(self.next) else { return false };
        let start = self.next.checked_sub(1).map_or(0, |before| self.tokenizer.terms[before].0);
        self.token.text.clear();
        self.token.text.push_str(&self.tokenizer.buffer[start..end]);
        self.token.position = self.next;
        self.token.offset_from = from;
        self.token.offset_to = to;
        self.next += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
