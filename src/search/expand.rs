//! What the words of a query may stand for: read against the vocabulary of the articles and the editors' synonyms.
//!
//! Nothing typed is thrown away: readings stand beside the word and count less, except that a word nobody wrote has only its readings.

use std::collections::HashSet;
use std::sync::Arc;

use tantivy::TantivyError;

use crate::content::catalog::Catalog;
use crate::content::validity::Clearance;
use crate::index::vocabulary::Known;
use crate::language::{family, layout, morphology, transliteration, typo, words};
use crate::search::intent::Intent;
use crate::search::operators;
use crate::search::query::{Correction, Plan, QueryWord, Reading, Why};
use crate::search::readable::Readable;

/// What readings count beside the word itself.
const SYNONYM_WEIGHT: f32 = 0.8;
const FAMILY_WEIGHT: f32 = 0.5;
const COMPLETION_WEIGHT: f32 = 0.7;
const SPACING_WEIGHT: f32 = 0.9;
const CORRECTION_WEIGHT: f32 = 0.9;

/// What an unusual spelling of a sound takes off a transliteration.
const SOUND_PENALTY: f32 = 0.15;

/// What the other script costs by itself: a slip of one letter that sounds alike is likelier.
const OTHER_SCRIPT: f32 = 0.4;

/// Words of one query that are corrected at most: each takes a look through the vocabulary.
const MAX_CORRECTED: usize = 8;

/// Unusual sounds at most in a transliteration.
const MAX_UNUSUAL_SOUNDS: u32 = 3;

/// Words a beginning may stand for, the most frequent ones, counted by lemma; and forms looked at for them.
const MAX_COMPLETIONS: usize = 12;
const MAX_COMPLETED_FORMS: usize = 48;

/// Words a misspelt one may stand for.
const MAX_CORRECTIONS: usize = 6;

/// The least letters of an abbreviation.
const ABBREVIATION_LETTERS: usize = 4;

/// Members of a family that are looked for.
const MAX_FAMILY: usize = 4;

/// A word in no more sections than this may itself be a slip that somebody made in an article.
const RARE: u64 = 2;

/// How an edit weighs against frequency when corrections are compared: one ordinary edit for a factor of about 6,000.
const EDIT_WEIGHT: f32 = 3.5;
const FREQUENCY_WEIGHT: f32 = 0.4;

/// Two words typed as one are thought of only when one misspelt word would take more than this.
const SPLIT_OVER: f32 = 1.2;

/// What reading a word by its stem costs: another form of it stands in the articles.
const OTHER_FORM: f32 = 0.1;

/// Forms of a stem that are looked at.
const MAX_FORMS: usize = 12;

/// Corrections that much less likely than the best one (natural logarithm) are not looked for.
const MAX_BEHIND: f32 = 2.0;

/// The least letters of a word that alone shows that the other keyboard layout was on.
const LAYOUT_LETTERS: usize = 3;

/// Reads queries against one index.
#[derive(Clone, Debug)]
pub struct Expander<'a> {
    /// The words of the articles, as far as the reader may read them.
    pub words: Readable<'a>,
    /// What the reader may read of the catalogue.
    pub clearance: &'a Clearance,
    /// The catalogue, and with it the editors' synonyms.
    pub catalog: &'a Catalog,
}

type Result<T> = std::result::Result<T, TantivyError>;

impl Expander<'_> {
    /// Reads a query: with the keys of the other layout when only that makes sense, with the editors' synonyms. `verbatim`: exactly as typed.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn read(&self, text: &str, verbatim: bool) -> Result<Plan> {
        let mut plan = Plan::read(text, self.catalog, self.clearance);
        self.measure(&mut plan.words)?;
        if verbatim {
            return Ok(plan);
        }
        if plan.words.iter().any(|w| w.frequency == 0)
            && let Some(swapped) = self.with_other_layout(text)?
        {
            plan = Plan::read(&swapped, self.catalog, self.clearance);
            self.measure(&mut plan.words)?;
            plan.corrections.push(Correction {
                from: text.trim().to_owned(),
                to: swapped.trim().to_owned(),
                why: Why::Layout,
            });
        }
        self.add_synonyms(&mut plan)?;
        self.join_hyphenated(&mut plan)?;
        Ok(plan)
    }

    fn measure(&self, words: &mut [QueryWord]) -> Result<()> {
        let fields = self.words.fields();
        for word in words {
            word.frequency = self.words.frequency(fields.text, &word.lemma)?;
            if word.frequency == 0 && words::is_cyrillic(&word.form) {
                word.frequency = self.words.frequency(fields.stem, &word.stem)?;
            }
        }
        Ok(())
    }

    fn frequency(&self, form: &str) -> Result<u64> {
        self.words.frequency(self.words.fields().form, form)
    }

    fn is_known(&self, form: &str) -> Result<bool> {
        Ok(form.bytes().all(|b| b.is_ascii_digit())
            || words::is_stop_word(form)
            || self.frequency(form)? > 0
            || self.words.frequency(self.words.fields().text, &morphology::lemma(form))? > 0)
    }

    /// The query with those of its words exchanged that make sense only with the other layout; `None`: there are none.
    ///
    /// One word that is unknown as typed, and known on the other layout, shows that it was on; then words that would do either way follow.
    fn with_other_layout(&self, text: &str) -> Result<Option<String>> {
        let tokens: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
        let mut read: Vec<(LayoutToken, String)> = Vec::with_capacity(tokens.len());
        for (number, token) in tokens.iter().enumerate() {
            let is_open = number + 1 == tokens.len() && !token.ends_with(char::is_whitespace);
            let swap = |text: &str| {
                if words::is_cyrillic(token) { layout::to_latin(text) } else { layout::to_cyrillic(text) }
            };
            let mut other = swap(token);
            if token.contains('"') && !self.all_known(&other, is_open)? {
                // A quote is «Э» on the other layout, unless it is a quote.
                other = token.split('"').map(swap).collect::<Vec<_>>().join("\"");
            }
            let is_field = operators::looks_like_field(token);
            let kind = if is_field || self.all_known(token, is_open)? {
                LayoutToken::Right
            } else if self.all_known(&other, is_open)? && self.is_telling(&other, is_open)? {
                LayoutToken::Wrong
            } else if token.contains('"') {
                // What was quoted is meant as it stands; but `"nj` is «Это», and was told above.
                LayoutToken::Right
            } else {
                LayoutToken::Unclear
            };
            read.push((kind, other));
        }
        let wrong: Vec<bool> = read
            .iter()
            .zip(&tokens)
            .filter(|((k, _), _)| *k == LayoutToken::Wrong)
            .map(|(_, t)| words::is_cyrillic(t))
            .collect();
        let Some(&script) = wrong.first() else { return Ok(None) };
        let mut swapped = String::with_capacity(text.len() * 2);
        for ((kind, other), token) in read.iter().zip(&tokens) {
            let has_letters =
                token.chars().any(char::is_alphabetic) || other.chars().any(char::is_alphabetic);
            let same_script = words::is_cyrillic(token) == script && has_letters;
            let swap = match kind {
                LayoutToken::Wrong => true,
                LayoutToken::Unclear => same_script,
                // Little words and single letters are words on both layouts.
                LayoutToken::Right => {
                    let forms = words::words(token);
                    let is_short = !forms.is_empty() && forms.iter().all(|w| w.form.chars().count() <= 2);
                    same_script && is_short && self.all_known(other, false)?
                }
            };
            swapped.push_str(if swap { other } else { token });
        }
        Ok(Some(swapped))
    }

    fn all_known(&self, token: &str, is_open: bool) -> Result<bool> {
        let forms = words::words(token);
        let last = forms.len().wrapping_sub(1);
        for (number, word) in forms.iter().enumerate() {
            let is_begun = is_open
                && number == last
                && word.range.end == token.len()
                && word.form.chars().count() >= LAYOUT_LETTERS
                && self.words.begins_word(&word.form)?;
            if !is_begun && !self.is_known(&word.form)? {
                return Ok(false);
            }
        }
        Ok(!forms.is_empty())
    }

    /// Whether a token says enough to tell the layout by.
    fn is_telling(&self, token: &str, is_open: bool) -> Result<bool> {
        // Nobody begins an English word with a comma: «берут» is no ",then".
        if !words::is_cyrillic(token) && !token.starts_with(char::is_alphanumeric) {
            return Ok(false);
        }
        let mut forms = words::words(token);
        forms.retain(|word| !words::is_stop_word(&word.form));
        let letters =
            forms.iter().map(|w| w.form.chars().filter(|c| c.is_alphabetic()).count()).max().unwrap_or(0);
        // Three letters make a word on either layout too easily.
        let mut most = 0;
        for word in &forms {
            most = most.max(self.frequency(&word.form)?);
        }
        let is_one = forms.len() == 1;
        Ok(letters > LAYOUT_LETTERS
            || is_one && letters == LAYOUT_LETTERS && (most > RARE && !is_open || most > RARE * 10))
    }

    /// Adds what the editors say is the same.
    fn add_synonyms(&self, plan: &mut Plan) -> Result<()> {
        let lemmas: Vec<String> = plan.words.iter().map(|w| w.lemma.clone()).collect();
        for (range, targets) in self.catalog.synonyms().find(&lemmas) {
            if plan.words[range.clone()].iter().any(|w| w.is_quoted) {
                continue;
            }
            for target in targets {
                // Of several words the rarest says most.
                let mut best: Option<(u64, QueryWord)> = None;
                for word in words::words(target) {
                    let mut word = QueryWord::of(&word.form);
                    self.measure(std::slice::from_mut(&mut word))?;
                    let is_better = best.as_ref().is_none_or(|(least, _)| word.frequency < *least);
                    if word.frequency > 0 && is_better {
                        best = Some((word.frequency, word));
                    }
                }
                let Some((_, word)) = best else { continue };
                for asked in &mut plan.words[range.clone()] {
                    add(asked, &word.form, SYNONYM_WEIGHT, Why::Synonym);
                }
            }
        }
        Ok(())
    }

    /// `wi-fi` is `wifi` as well.
    fn join_hyphenated(&self, plan: &mut Plan) -> Result<()> {
        if !plan.asked.contains(['-', '\u{2011}']) {
            return Ok(());
        }
        for at in 1..plan.words.len() {
            let joint = [plan.words[at - 1].form.as_str(), "-", &plan.words[at].form].concat();
            if words::fold(&plan.asked).replace('\u{2011}', "-").contains(&joint) {
                self.join(plan, at)?;
            }
        }
        Ok(())
    }

    fn join(&self, plan: &mut Plan, at: usize) -> Result<bool> {
        let joined = [plan.words[at - 1].form.as_str(), &plan.words[at].form].concat();
        if plan.words[at - 1..=at].iter().any(|w| w.is_quoted) || self.frequency(&joined)? == 0 {
            return Ok(false);
        }
        for word in &mut plan.words[at - 1..=at] {
            add(word, &joined, SPACING_WEIGHT, Why::Spacing);
        }
        Ok(true)
    }

    /// Adds the words that the last one may become. Returns whether there are any.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn complete(
        &self,
        plan: &mut Plan,
        words_from: impl Fn(&str, usize) -> Result<Arc<Vec<Known>>>,
    ) -> Result<bool> {
        let Some(word) = plan.words.last_mut().filter(|w| plan.last_is_open && !w.is_quoted) else {
            return Ok(false);
        };
        if word.form.chars().count() < 2 {
            return Ok(false);
        }
        let mut lemmas: Vec<(u64, String)> = Vec::new();
        let completed = Vec::clone(&*words_from(&word.form, MAX_COMPLETED_FORMS)?);
        for known in self.words.of(self.words.fields().form, completed)? {
            let lemma = morphology::lemma(&known.form);
            match lemmas.iter_mut().find(|(_, l)| *l == lemma) {
                Some((sum, _)) => *sum += known.frequency,
                None => lemmas.push((known.frequency, lemma)),
            }
        }
        lemmas.sort_by(|a, b| b.cmp(a));
        let before = word.readings.len();
        for (_, lemma) in lemmas.into_iter().filter(|(_, lemma)| *lemma != word.lemma).take(MAX_COMPLETIONS) {
            word.readings.push(Reading {
                form: lemma.clone(),
                lemma,
                weight: COMPLETION_WEIGHT,
                why: Why::Completion,
            });
        }
        Ok(word.readings.len() > before)
    }

    /// Adds the families of the words. Returns whether there are any.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn add_families(&self, plan: &mut Plan) -> Result<bool> {
        let mut is_wider = false;
        for word in plan.words.iter_mut().filter(|w| !w.is_quoted && words::is_cyrillic(&w.form)) {
            let family = self.family(&word.lemma)?;
            is_wider |= !family.is_empty();
            for (lemma, _) in family {
                add(word, &lemma, FAMILY_WEIGHT, Why::Family);
            }
        }
        Ok(is_wider)
    }

    /// The words of the articles that are of one family with a lemma, and that no editor parted from it; the most frequent first.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn family(&self, lemma: &str) -> Result<Vec<(String, u64)>> {
        let mut found = Vec::new();
        for other in family::candidates(lemma) {
            let frequency = self.words.frequency(self.words.fields().text, &other)?;
            if frequency > 0 && self.catalog.synonyms().are_family(lemma, &other) {
                found.push((other, frequency));
            }
        }
        found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.truncate(MAX_FAMILY);
        Ok(found)
    }

    /// Reads words nobody wrote as words that were meant; if `with_rare`, those hardly anybody wrote as well. Returns whether anything came
    /// of it.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn correct(&self, plan: &mut Plan, with_rare: bool) -> Result<bool> {
        let mut is_wider = false;
        let (mut at, mut corrected) = (0, 0);
        while at < plan.words.len() && corrected < MAX_CORRECTED {
            let word = &plan.words[at];
            let is_asked =
                word.is_unknown() || with_rare && word.frequency <= RARE && word.readings.is_empty();
            let is_left =
                word.is_quoted || word.form.bytes().any(|b| b.is_ascii_digit()) || Intent::tells(&word.lemma);
            if !is_asked || is_left {
                at += 1;
                continue;
            }
            corrected += 1;
            let is_unknown = word.is_unknown();
            let readings = self.corrections(&word.form)?;
            let best_cost = readings.first().map(|(cost, _)| *cost);
            if is_unknown
                && best_cost.is_none_or(|cost| cost > SPLIT_OVER)
                && let Some((left, right)) = self.split(&word.form)?
            {
                let mut halves = [QueryWord::of(&left), QueryWord::of(&right)];
                self.measure(&mut halves)?;
                let from = plan.words[at].form.clone();
                plan.corrections.push(Correction { from, to: format!("{left} {right}"), why: Why::Spacing });
                plan.words.splice(at..=at, halves);
                for phrase in &mut plan.phrases {
                    *phrase = phrase.start + 1..phrase.end + 1;
                }
                is_wider = true;
                at += 2;
                continue;
            }
            let joined =
                at > 0 && self.join(plan, at)? || at + 1 < plan.words.len() && self.join(plan, at + 1)?;
            is_wider |= joined || !readings.is_empty();
            if let Some((_, best)) = readings.first().filter(|_| is_unknown && !joined) {
                let (from, to) = (plan.words[at].form.clone(), best.form.clone());
                plan.corrections.push(Correction { from, to, why: best.why });
            }
            for (_, reading) in readings {
                let frequency = self.words.frequency(self.words.fields().text, &reading.lemma)?;
                let word = &mut plan.words[at];
                word.meant_frequency = word.meant_frequency.max(frequency);
                word.readings.push(reading);
            }
            at += 1;
        }
        Ok(is_wider)
    }

    /// What an unknown word was meant to be, the likeliest first, with the cost of the mistake.
    fn corrections(&self, form: &str) -> Result<Vec<(f32, Reading)>> {
        let mut scored: Vec<(f32, f32, Known, Why)> = Vec::new();
        for known in self.near(form)?.into_iter().filter(|known| known.form != form) {
            let cost = typo::cost(form, &known.form);
            scored.push((likelihood(cost, known.frequency), cost, known, Why::Typo));
        }
        for (cost, known) in self.near_stems(form)? {
            scored.push((likelihood(cost, known.frequency), cost, known, Why::Typo));
        }
        if form.chars().count() > 2 {
            for known in self.words.words_sounding(form)? {
                let Some(unusual) = transliteration::cost(form, &known.form) else { continue };
                if unusual <= MAX_UNUSUAL_SOUNDS {
                    let cost = OTHER_SCRIPT + unusual as f32 * SOUND_PENALTY;
                    scored.push((likelihood(cost, known.frequency), cost, known, Why::Transliteration));
                }
            }
        }
        if scored.is_empty() && form.chars().count() >= ABBREVIATION_LETTERS {
            // «Корп» in the middle of a query: nobody spells long words out.
            for known in self.words.words_from(form, MAX_CORRECTIONS)? {
                scored.push((likelihood(1.0, known.frequency), 1.0, known, Why::Completion));
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.form.cmp(&b.2.form)));
        let Some(best) = scored.first().map(|s| s.0) else { return Ok(Vec::new()) };
        let mut readings: Vec<(f32, Reading)> = Vec::new();
        for (score, cost, known, why) in scored.into_iter().take_while(|s| s.0 > best - MAX_BEHIND) {
            let lemma = morphology::lemma(&known.form);
            if readings.iter().any(|(_, r)| r.lemma == lemma) {
                continue;
            }
            let weight = CORRECTION_WEIGHT * (score - best).exp();
            readings.push((cost, Reading { form: known.form, lemma, weight, why }));
            if readings.len() == MAX_CORRECTIONS {
                break;
            }
        }
        Ok(readings)
    }

    /// Words whose stems differ by few edits: «секрктарей», where only «секретаря» stands in the articles.
    fn near_stems(&self, form: &str) -> Result<Vec<(f32, Known)>> {
        let stem = morphology::stem(form);
        let letters = stem.chars().count();
        if !words::is_cyrillic(form) || stem == form || letters < 5 {
            return Ok(Vec::new());
        }
        let first = stem.chars().next().map(String::from).unwrap_or_default();
        let (distance, prefix) = if letters < 8 { (1, "") } else { (2, first.as_str()) };
        let mut found = Vec::new();
        for near in self.words.stems_near(&stem, distance, prefix)?.into_iter().take(MAX_CORRECTIONS) {
            let cost = typo::cost(&stem, &near.form) + OTHER_FORM;
            let forms = self.words.words_from(&near.form, MAX_FORMS)?;
            let own = forms.into_iter().find(|known| morphology::stem(&known.form) == near.form);
            found.extend(own.map(|known| (cost, Known { frequency: near.frequency, ..known })));
        }
        Ok(found)
    }

    /// Words that differ by few edits. People get the first letter right when they get two others wrong.
    fn near(&self, form: &str) -> Result<Vec<Known>> {
        let letters = form.chars().count();
        let first = form.chars().next().map(String::from).unwrap_or_default();
        Ok(match letters {
            0..=3 => Vec::new(),
            4 => self.words.words_near(form, 1, "")?,
            5..=7 => {
                let near = self.words.words_near(form, 1, "")?;
                if near.is_empty() { self.words.words_near(form, 2, &first)? } else { near }
            }
            _ => {
                let mut near = self.words.words_near(form, 2, &first)?;
                if near.is_empty() {
                    near = self.words.words_near(form, 1, "")?;
                }
                near
            }
        })
    }

    /// The two known words that were typed without a space, the pair whose rarer word is the most frequent.
    fn split(&self, form: &str) -> Result<Option<(String, String)>> {
        let mut best: Option<(u64, (String, String))> = None;
        let letters = form.chars().count();
        for (number, (at, _)) in form.char_indices().enumerate().skip(2) {
            if number + 2 > letters || letters < 5 {
                break;
            }
            let (left, right) = form.split_at(at);
            let frequency = self.frequency(left)?.min(self.frequency(right)?);
            // Short words can be cut out of anything.
            let shorter = number.min(letters - number);
            let is_likely = frequency > if shorter > 3 { 0 } else { RARE };
            if number.max(letters - number) > 2
                && is_likely
                && best.as_ref().is_none_or(|(most, _)| frequency > *most)
            {
                best = Some((frequency, (left.to_owned(), right.to_owned())));
            }
        }
        Ok(best.map(|(_, halves)| halves))
    }

    /// All families among the words of the articles, for editors to see: each word with the others, the most frequent words first.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn families(&self) -> Result<Vec<Vec<String>>> {
        let mut groups: Vec<(u64, Vec<String>)> = Vec::new();
        let mut grouped: HashSet<String> = HashSet::new();
        let known = self.words.terms(self.words.fields().text)?;
        for word in known.iter().filter(|k| words::is_cyrillic(&k.form)) {
            if grouped.contains(&word.form) {
                continue;
            }
            let family = self.family(&word.form)?;
            if family.is_empty() {
                continue;
            }
            let members: Vec<String> =
                std::iter::once(word.form.clone()).chain(family.into_iter().map(|(l, _)| l)).collect();
            grouped.extend(members.iter().cloned());
            groups.push((word.frequency, members));
        }
        groups.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Ok(groups.into_iter().map(|(_, members)| members).collect())
    }
}

/// What a token of a query is on the layout it was typed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LayoutToken {
    /// Its words are known.
    Right,
    /// Its words are known on the other layout only.
    Wrong,
    /// They are known on neither.
    Unclear,
}

/// How likely a word is meant: a mistake costs, a frequent word is worth something (natural logarithm, up to a constant).
fn likelihood(cost: f32, frequency: u64) -> f32 {
    (frequency as f32).ln_1p() * FREQUENCY_WEIGHT - cost * EDIT_WEIGHT
}

/// Adds a reading, unless the word is that already.
fn add(word: &mut QueryWord, form: &str, weight: f32, why: Why) {
    let lemma = if why == Why::Family { form.to_owned() } else { morphology::lemma(form) };
    if word.lemma != lemma && word.readings.iter().all(|r| r.lemma != lemma) {
        word.readings.push(Reading { form: form.to_owned(), lemma, weight, why });
    }
}
