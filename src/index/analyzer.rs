//! How text becomes terms: one tokenizer for each way words are compared.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::language::{morphology, words};

/// Parts the title, the heading and the text of a section in the one text that is indexed.
pub const PART_MARK: char = '\u{1}';

/// Where a word stands in a section. One list of occurrences tells it for each word, by position, so that a word costs one list and not
/// three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The article's title, its aliases, the names of its products.
    Title,
    /// The section's heading.
    Heading,
    /// The section's text.
    Body,
}

impl Part {
    /// In the order of the text.
    const ALL: [Self; 3] = [Self::Title, Self::Heading, Self::Body];

    /// The first position of a part. Titles and headings have room for 62 words; those beyond share the last place.
    pub const fn start(self) -> u32 {
        match self {
            Self::Title => 0,
            Self::Heading => 64,
            Self::Body => 128,
        }
    }

    /// The part a position lies in.
    pub const fn of(position: u32) -> Self {
        match position {
            0..64 => Self::Title,
            64..128 => Self::Heading,
            _ => Self::Body,
        }
    }

    /// The last position that words of this part take, so that parts stay apart by one place at least.
    const fn last(self) -> usize {
        match self {
            Self::Title => 62,
            Self::Heading => 126,
            Self::Body => u32::MAX as usize - 1,
        }
    }
}

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

/// A term of the text in hand.
#[derive(Clone, Copy, Debug)]
struct TermAt {
    /// Where it ends in the buffer.
    end: usize,
    position: usize,
    /// Start and end of its word in the text.
    word: (usize, usize),
}

/// A tantivy tokenizer over [`words::for_each_word`].
#[derive(Clone, Debug)]
pub struct WordTokenizer {
    term: Term,
    /// The terms of the text in hand, one after another; kept to be used again.
    buffer: String,
    terms: Vec<TermAt>,
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
        let mut from = 0;
        for (part, piece) in Part::ALL.into_iter().zip(text.splitn(3, PART_MARK)) {
            let mut position = part.start() as usize;
            words::for_each_word(piece, |range, form| {
                term.of(form, |t| {
                    buffer.push_str(t);
                    let word = (from + range.start, from + range.end);
                    terms.push(TermAt { end: buffer.len(), position, word });
                });
                position = part.last().min(position + 1);
            });
            from += piece.len() + PART_MARK.len_utf8();
        }
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
        let Some(&TermAt { end, position, word: (from, to) }) = self.tokenizer.terms.get(self.next) else {
            return false;
        };
        let start = self.next.checked_sub(1).map_or(0, |before| self.tokenizer.terms[before].end);
        self.token.text.clear();
        self.token.text.push_str(&self.tokenizer.buffer[start..end]);
        self.token.position = position;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_tell_the_part() {
        let text = ["Пакет SMS", "Как подключить", "Наберите код"].join(&PART_MARK.to_string());
        let mut tokenizer = WordTokenizer::new(Term::Lemma);
        let mut stream = tokenizer.token_stream(&text);
        let mut found = Vec::new();
        while stream.advance() {
            let token = stream.token();
            found.push((
                token.text.clone(),
                token.position as u32,
                &text[token.offset_from..token.offset_to],
            ));
        }
        let parts: Vec<Part> = found.iter().map(|(_, position, _)| Part::of(*position)).collect();
        assert_eq!(parts, [Part::Title, Part::Title, Part::Heading, Part::Heading, Part::Body, Part::Body]);
        assert_eq!(found[4], ("набрать".to_owned(), 128, "Наберите"));
        assert_eq!(found[1].1, 1);
    }
}
