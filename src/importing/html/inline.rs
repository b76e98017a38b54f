//! What stands within a line, and how it is written in Markdown so that it is read as it was meant.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::tree::one_line;

/// A part of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Inline {
    /// Text as it is read, white space as in HTML.
    Text(String),
    /// Text of a computer.
    Code(String),
    /// A line ends here.
    Break,
    /// A picture.
    Image {
        /// What is read instead of it.
        alt: String,
        /// Where it is.
        url: String,
    },
    /// Something marked.
    Span(Mark, Vec<Inline>),
}

/// How it is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Strong,
    Emphasis,
    Struck,
    Link(String),
}

/// Where a line stands: other characters mean something there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Paragraph,
    Heading,
    Cell,
}

/// A line in Markdown, and what of it could not be written as it was.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) markdown: String,
    /// Emphasis left out, since Markdown cannot begin or end it within a word.
    pub(super) lost_emphasis: bool,
    /// Whether Markdown reads something else than what was meant, even without emphasis.
    pub(super) misread: bool,
    /// Code written as text, since placeholders in it would be replaced.
    pub(super) lost_code: bool,
}

/// Writes a line. What is written is read again by a Markdown parser: if it would be read otherwise, it is written without emphasis.
pub(super) fn line(parts: Vec<Inline>, place: Place) -> Line {
    let lost_code = has(&parts, &is_template);
    let parts = tidied(parts);
    let mut line = Line { lost_code, ..Line::default() };
    let mut writer = Writer { out: String::new(), place, marks: Vec::new(), plain: false };
    writer.write(&parts, None);
    line.markdown = writer.finished();
    if !needs_check(&line.markdown) || reads_as_meant(&line.markdown, &parts, place, true) {
        return line;
    }
    let mut writer = Writer { out: String::new(), place, marks: Vec::new(), plain: true };
    writer.write(&parts, None);
    line.markdown = writer.finished();
    line.lost_emphasis =
        has(&parts, &|part| matches!(part, Inline::Span(Mark::Strong | Mark::Emphasis | Mark::Struck, _)));
    line.misread = !reads_as_meant(&line.markdown, &parts, place, false);
    line
}

/// What is read, without any marks.
pub(super) fn plain(parts: &[Inline]) -> String {
    let mut text = String::new();
    collect(parts, &mut text);
    one_line(&text)
}

/// Whether there is anything to be read or seen.
pub(super) fn is_empty(parts: &[Inline]) -> bool {
    parts.iter().all(|part| match part {
        Inline::Text(text) | Inline::Code(text) => text.chars().all(|c| c.is_whitespace() || is_invisible(c)),
        Inline::Break => true,
        Inline::Image { .. } => false,
        Inline::Span(_, parts) => is_empty(parts),
    })
}

/// Characters without width, which only keep an empty element open for an icon.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

fn collect(parts: &[Inline], text: &mut String) {
    for part in parts {
        match part {
            Inline::Text(more) | Inline::Code(more) => text.push_str(more),
            Inline::Break => text.push(' '),
            Inline::Image { alt, .. } => text.push_str(alt),
            Inline::Span(_, parts) => collect(parts, text),
        }
    }
}

fn has(parts: &[Inline], fits: &dyn Fn(&Inline) -> bool) -> bool {
    parts.iter().any(|part| {
        fits(part)
            || match part {
                Inline::Span(_, parts) => has(parts, fits),
                _ => false,
            }
    })
}

fn is_template(part: &Inline) -> bool {
    matches!(part, Inline::Code(code) if code.contains("{{") || code.contains("{%"))
}

/// Neighbours of one kind become one, what is empty goes, spaces of code go out of it.
fn tidied(parts: Vec<Inline>) -> Vec<Inline> {
    let mut tidy: Vec<Inline> = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Inline::Span(mark, within) => {
                let within = tidied(within);
                if within.is_empty() {
                    continue;
                }
                match tidy.last_mut() {
                    Some(Inline::Span(last, before)) if *last == mark && !matches!(mark, Mark::Link(_)) => {
                        before.extend(within);
                    }
                    _ if is_empty(&within) => tidy.extend(within),
                    _ => tidy.push(Inline::Span(mark, within)),
                }
            }
            Inline::Code(code) => match tidy.last_mut() {
                Some(Inline::Code(before)) => before.push_str(&code),
                _ => tidy.push(Inline::Code(code)),
            },
            Inline::Text(text) if text.chars().all(is_invisible) => {}
            Inline::Text(text) => match tidy.last_mut() {
                Some(Inline::Text(before)) => before.push_str(&text),
                _ => tidy.push(Inline::Text(text)),
            },
            other => tidy.push(other),
        }
    }
    tidy.into_iter().flat_map(spaces_out_of_code).collect()
}

fn spaces_out_of_code(part: Inline) -> Vec<Inline> {
    let Inline::Code(code) = part else { return vec![part] };
    let core = one_line(&code);
    if core.is_empty() {
        return vec![Inline::Text(" ".to_owned())];
    }
    let mut parts = Vec::new();
    if code.starts_with(char::is_whitespace) {
        parts.push(Inline::Text(" ".to_owned()));
    }
    parts.push(if is_template(&Inline::Code(core.clone())) {
        Inline::Text(core)
    } else {
        Inline::Code(core)
    });
    if code.ends_with(char::is_whitespace) {
        parts.push(Inline::Text(" ".to_owned()));
    }
    parts
}

struct Writer {
    out: String,
    place: Place,
    marks: Vec<Mark>,
    plain: bool,
}

impl Writer {
    fn write(&mut self, parts: &[Inline], next: Option<char>) {
        for (index, part) in parts.iter().enumerate() {
            let next = first_of(&parts[index + 1..]).or(next);
            match part {
                Inline::Text(text) => self.text(text, next),
                Inline::Code(code) => self.code(code),
                Inline::Break => self.line_end(),
                Inline::Image { alt, url } => {
                    let mut writer =
                        Self { out: String::new(), place: self.place, marks: Vec::new(), plain: true };
                    writer.text(&one_line(alt), None);
                    let alt = writer.out.trim().to_owned();
                    self.out.push_str(&format!("![{alt}]({})", destination(url)));
                }
                Inline::Span(mark, parts) => self.span(mark, parts, next),
            }
        }
    }

    fn line_end(&mut self) {
        let kept = self.out.trim_end_matches([' ', '\u{a0}']).len();
        self.out.truncate(kept);
        // Two of them part paragraphs; within marks, which end with a paragraph, one is left.
        let most = if self.marks.is_empty() { 2 } else { 1 };
        if self.out.ends_with(&"\n".repeat(most)) {
            return;
        }
        match self.place {
            // Written as Markdown has it only when the line is whole: its ends go.
            Place::Paragraph if !self.marks.iter().any(|mark| matches!(mark, Mark::Link(_))) => {
                self.out.push('\n');
            }
            Place::Cell => self.out.push('\n'),
            _ => self.out.push(' '),
        }
    }

    fn span(&mut self, mark: &Mark, parts: &[Inline], next: Option<char>) {
        let within_same = match mark {
            Mark::Link(_) => self.marks.iter().any(|around| matches!(around, Mark::Link(_))),
            _ => self.plain || self.marks.contains(mark),
        };
        if within_same {
            return self.write(parts, next);
        }
        let mut inner = Self {
            out: String::new(),
            place: self.place,
            marks: self.marks.iter().chain([mark]).cloned().collect(),
            plain: self.plain,
        };
        inner.write(parts, next);
        let written = inner.out;
        let core = written.trim();
        let Some(at) = written.find(core) else { return };
        let (lead, trail) = (&written[..at], &written[at + core.len()..]);
        self.push_space(lead);
        let delimiter = match mark {
            Mark::Link(url) => {
                self.out.push('[');
                self.out.push_str(core);
                self.out.push_str(&format!("]({})", destination(url)));
                return self.push_space(trail);
            }
            Mark::Strong => "**",
            Mark::Struck => "~~",
            Mark::Emphasis => {
                let before = self.out.chars().next_back();
                let after = trail.chars().next().or(next);
                if [before, after].into_iter().flatten().any(char::is_alphanumeric) { "*" } else { "_" }
            }
        };
        let before = self.out.chars().next_back();
        let after = trail.chars().next().or(next);
        let opening = if before.is_some_and(char::is_alphanumeric) { movable_start(core) } else { 0 };
        let closing =
            if after.is_some_and(char::is_alphanumeric) { movable_end(&core[opening..]) } else { 0 };
        let end = core.len() - closing;
        self.out.push_str(&core[..opening]);
        if opening < end {
            self.out.push_str(delimiter);
            self.out.push_str(&core[opening..end]);
            self.out.push_str(delimiter);
        }
        self.out.push_str(&core[end..]);
        self.push_space(trail);
    }

    fn push_space(&mut self, space: &str) {
        if space.contains('\n') {
            self.line_end();
        } else if !space.is_empty() {
            self.push_one_space();
        }
    }

    fn push_one_space(&mut self) {
        if !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
    }

    fn code(&mut self, code: &str) {
        let code = if self.place == Place::Cell { code.replace('|', "\\|") } else { code.to_owned() };
        let fence = "`".repeat(longest_run(&code, '`') + 1);
        let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
        // Two spans of code side by side would be read as one.
        if self.out.ends_with('`') {
            self.out.push(' ');
        }
        self.out.push_str(&format!("{fence}{pad}{code}{pad}{fence}"));
    }

    fn text(&mut self, text: &str, next: Option<char>) {
        // Control characters are read by nobody, but would part what must be escaped together.
        let characters: Vec<char> =
            text.chars().filter(|character| !character.is_control() || character.is_whitespace()).collect();
        let mut at = 0;
        while at < characters.len() {
            let character = characters[at];
            if character.is_whitespace() {
                let end = characters[at..]
                    .iter()
                    .position(|c| !c.is_whitespace())
                    .map_or(characters.len(), |n| at + n);
                if end - at == 1 && character == '\u{a0}' && !self.out.is_empty() {
                    self.out.push(character);
                } else {
                    self.push_one_space();
                }
                at = end;
                continue;
            }
            let before = if at > 0 { Some(characters[at - 1]) } else { self.out.chars().next_back() };
            let in_link = self.marks.iter().any(|mark| matches!(mark, Mark::Link(_)));
            if let Some(end) = service_code(&characters, at, before)
                && !(in_link && self.plain)
            {
                self.code(&characters[at..end].iter().collect::<String>());
                at = end;
                continue;
            }
            let after = characters.get(at + 1).copied().or(next);
            self.character(character, before, after, &characters[at + 1..]);
            at += 1;
        }
    }

    fn character(&mut self, character: char, before: Option<char>, after: Option<char>, rest: &[char]) {
        let escape = match character {
            '*' | '`' | '[' | ']' | '~' => true,
            '_' => !(before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)),
            '<' => after.is_some_and(|after| after.is_alphabetic() || matches!(after, '/' | '!' | '?')),
            '\\' => after.is_none_or(|after| after.is_ascii_punctuation() || after == '\n'),
            '&' => is_entity(rest),
            '|' => self.place == Place::Cell,
            '!' => rest.is_empty() && after == Some('['),
            '#' => self.place == Place::Heading && rest.iter().all(|c| *c == '#' || c.is_whitespace()),
            _ => false,
        };
        let brace = character == '{' && (self.place == Place::Heading || matches!(after, Some('{' | '%')));
        if brace {
            self.out.push_str("&#123;");
            return;
        }
        if escape {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    fn finished(self) -> String {
        let text = self.out.trim();
        if self.place != Place::Paragraph {
            let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
            return lines.collect::<Vec<_>>().join(if self.place == Place::Cell { " / " } else { " " });
        }
        let paragraphs = text.split("\n\n").map(|paragraph| {
            let lines = paragraph.split('\n').map(|line| started(line.trim()));
            lines.collect::<Vec<_>>().join("\\\n")
        });
        paragraphs.collect::<Vec<_>>().join("\n\n")
    }
}

/// A line that begins with what would begin a block.
fn started(line: &str) -> String {
    let escaped = |at: usize| format!("{}\\{}", &line[..at], &line[at..]);
    let after_digits = line.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = line.len() - after_digits.len();
    if (1..=9).contains(&digits) && after_digits.starts_with(['.', ')']) {
        let after = &after_digits[1..];
        return if after.is_empty() || after.starts_with(char::is_whitespace) {
            escaped(digits)
        } else {
            line.to_owned()
        };
    }
    let begins = |character: char| {
        line.strip_prefix(character)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let after_hashes = line.trim_start_matches('#');
    let is_heading =
        line.starts_with('#') && (after_hashes.is_empty() || after_hashes.starts_with(char::is_whitespace));
    let is_rule = |character: char| !line.is_empty() && line.chars().all(|c| c == character || c == ' ');
    if is_heading
        || line.starts_with('>')
        || begins('-')
        || begins('+')
        || is_rule('-')
        || is_rule('=')
        || is_rule('_')
    {
        return escaped(0);
    }
    line.to_owned()
}

/// Where a code for phones ends, such as `*155*2#`: people search for them, and Markdown would read emphasis.
fn service_code(characters: &[char], at: usize, before: Option<char>) -> Option<usize> {
    if !matches!(characters[at], '*' | '#') || before.is_some_and(|c| c.is_alphanumeric() || c == '*') {
        return None;
    }
    let length = characters[at..]
        .iter()
        .take(60)
        .take_while(|c| c.is_alphanumeric() || matches!(c, '*' | '#'))
        .count();
    let code = &characters[at..at + length];
    let end = code.iter().rposition(|&c| c == '#')? + 1;
    let code = &code[..end];
    let starts = code.iter().find(|c| !matches!(c, '*' | '#')).is_some_and(|c| c.is_ascii_digit());
    let ends = characters.get(at + end).is_none_or(|c| !c.is_alphanumeric() && *c != '*');
    (code.len() >= 3 && starts && ends && code.contains(&'*')).then_some(at + end)
}

fn is_entity(rest: &[char]) -> bool {
    let length = rest.iter().take(40).position(|&c| c == ';');
    length.is_some_and(|length| {
        length > 0
            && rest[..length]
                .iter()
                .enumerate()
                .all(|(at, c)| c.is_ascii_alphanumeric() || (at == 0 && *c == '#'))
    })
}

fn first_of(parts: &[Inline]) -> Option<char> {
    parts.iter().find_map(|part| match part {
        Inline::Text(text) => text.chars().next(),
        Inline::Code(_) => Some('`'),
        Inline::Break => Some('\n'),
        Inline::Image { .. } => Some('!'),
        Inline::Span(Mark::Link(_), _) => Some('['),
        Inline::Span(_, parts) => first_of(parts),
    })
}

const MOVABLE: [char; 16] = [':', ';', ',', '.', '?', '»', '«', '”', '“', '"', '\'', '…', '–', '—', '„', '·'];

fn movable_start(core: &str) -> usize {
    core.len() - core.trim_start_matches(MOVABLE).len()
}

fn movable_end(core: &str) -> usize {
    let kept = core.trim_end_matches(MOVABLE);
    if kept.ends_with('\\') { 0 } else { core.len() - kept.len() }
}

/// The longest run of a character.
pub(super) fn longest_run(text: &str, of: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// A destination as Markdown reads it: nothing in it ends it early or is replaced.
fn destination(url: &str) -> String {
    let mut written = String::with_capacity(url.len());
    for character in url.trim().chars() {
        match character {
            ' ' | '\t' | '\n' | '\r' | '\u{a0}' => written.push_str("%20"),
            '(' | ')' | '<' | '>' | '\\' | '"' | '`' | '{' | '}' | '|' | '*' | '[' | ']' | '^' => {
                written.push_str(&format!("%{:02X}", u32::from(character)));
            }
            control if control.is_control() => {}
            other => written.push(other),
        }
    }
    written
}

fn needs_check(markdown: &str) -> bool {
    markdown.contains(['*', '_', '`', '[', '~', '<', '&', '\\', '#', '-', '+', '>', '=', '!'])
}

/// Whether a parser reads the same text and as many marks as were meant.
fn reads_as_meant(markdown: &str, parts: &[Inline], place: Place, with_emphasis: bool) -> bool {
    // Headings and cells never begin a line.
    let begin = match place {
        Place::Paragraph => "",
        Place::Heading => "# ",
        Place::Cell => "x ",
    };
    let markdown = format!("{begin}{markdown}");
    let mut text = String::new();
    let (mut marks, mut links, mut images, mut blocks) = (0, 0, 0, 0);
    for event in Parser::new_ext(&markdown, OPTIONS) {
        match event {
            Event::Text(more) | Event::Code(more) => text.push_str(&more),
            Event::Start(Tag::Strong | Tag::Emphasis | Tag::Strikethrough) => marks += 1,
            Event::Start(Tag::Link { .. }) => links += 1,
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::Start(Tag::Heading { .. }) if place != Place::Paragraph => {}
            Event::Start(Tag::Paragraph) | Event::SoftBreak | Event::HardBreak => {}
            Event::Start(_) | Event::Html(_) | Event::InlineHtml(_) | Event::Rule => blocks += 1,
            Event::End(TagEnd::Paragraph) => {}
            _ => {}
        }
    }
    let mut meant = Meant::default();
    meant.count(parts, &mut Vec::new());
    let same =
        |text: &str| text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>();
    let mut wanted = begin.trim_start_matches('#').to_owned();
    collect(parts, &mut wanted);
    // In cells, breaks are written as slashes and pipes with a backslash.
    let (read, wanted) = (same(&text).replace(['/', '\\'], ""), same(&wanted).replace(['/', '\\'], ""));
    blocks == 0
        && read == wanted
        && links == meant.links
        && images == meant.images
        && (!with_emphasis || (meant.marks..=meant.marks + meant.movable).contains(&marks))
}

const OPTIONS: Options =
    Options::ENABLE_STRIKETHROUGH.union(Options::ENABLE_TASKLISTS).union(Options::ENABLE_GFM);

#[derive(Default)]
struct Meant {
    marks: usize,
    movable: usize,
    links: usize,
    images: usize,
}

impl Meant {
    fn count(&mut self, parts: &[Inline], around: &mut Vec<Mark>) {
        for part in parts {
            match part {
                Inline::Image { .. } => self.images += 1,
                Inline::Span(mark, parts) => {
                    let is_link = matches!(mark, Mark::Link(_));
                    let within_same = around
                        .iter()
                        .any(|has| if is_link { matches!(has, Mark::Link(_)) } else { has == mark });
                    if !within_same && is_link {
                        self.links += 1;
                    } else if !within_same && only_movable(parts) {
                        self.movable += 1;
                    } else if !within_same {
                        self.marks += 1;
                    }
                    around.push(mark.clone());
                    self.count(parts, around);
                    around.pop();
                }
                _ => {}
            }
        }
    }
}

/// Marked punctuation alone may lose its mark at a word: nobody misses it.
fn only_movable(parts: &[Inline]) -> bool {
    parts.iter().all(|part| matches!(part, Inline::Text(text) if text.chars().all(|c| MOVABLE.contains(&c) || c.is_whitespace())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    fn strong(within: &str) -> Inline {
        Inline::Span(Mark::Strong, vec![text(within)])
    }

    fn paragraph(parts: Vec<Inline>) -> String {
        let line = line(parts, Place::Paragraph);
        assert!(!line.misread, "{line:?}");
        line.markdown
    }

    #[test]
    fn characters_stay_what_they_were() {
        let samples = [
            ("2 * 3 * 4", "2 \\* 3 \\* 4"),
            ("имя_файла и _так_", "имя_файла и \\_так\\_"),
            ("# не заголовок", "\\# не заголовок"),
            ("1. не список", "1\\. не список"),
            ("- не список", "\\- не список"),
            ("1.5 ГБ", "1.5 ГБ"),
            ("a < b, <b>", "a < b, \\<b>"),
            ("&amp; и R&D", "\\&amp; и R&D"),
            ("[ ] x", "\\[ \\] x"),
            ("{{ x }} {% y %}", "&#123;{ x }} &#123;% y %}"),
            ("C:\\Users\\*", "C:\\Users\\\\\\*"),
            ("> нет", "\\> нет"),
            ("~5 мин", "\\~5 мин"),
        ];
        for (meant, written) in samples {
            assert_eq!(paragraph(vec![text(meant)]), written);
        }
    }

    #[test]
    fn control_characters_hide_nothing() {
        assert_eq!(paragraph(vec![text("<\u{3}b>")]), "\\<b>");
        assert_eq!(paragraph(vec![text("{\u{3}{ x }}")]), "&#123;{ x }}");
    }

    #[test]
    fn codes_for_phones_become_code() {
        assert_eq!(paragraph(vec![text("Наберите *155*2# или *100#.")]), "Наберите `*155*2#` или `*100#`.");
        assert_eq!(paragraph(vec![text("*145*9XXXXXXXXX# вызов")]), "`*145*9XXXXXXXXX#` вызов");
        assert_eq!(paragraph(vec![text("5*3# и * это")]), "5\\*3# и \\* это");
    }

    #[test]
    fn emphasis_begins_and_ends_where_markdown_lets_it() {
        assert_eq!(paragraph(vec![strong("Важно: "), text("это")]), "**Важно:** это");
        assert_eq!(paragraph(vec![strong("Важно:"), text("это")]), "**Важно**:это");
        assert_eq!(paragraph(vec![text("слово"), strong("«да»"), text("нет")]), "слово«**да**»нет");
        assert_eq!(paragraph(vec![strong("а"), strong("б")]), "**аб**");
        assert_eq!(paragraph(vec![strong(" ")]), "");
        let odd = line(vec![text("a"), strong("(x)"), text("b")], Place::Paragraph);
        assert_eq!((odd.markdown.as_str(), odd.lost_emphasis), ("a(x)b", true));
    }

    #[test]
    fn a_mark_of_exclamation_before_a_link_makes_no_picture() {
        let link = Inline::Span(Mark::Link("x.md".to_owned()), vec![text("тут")]);
        assert_eq!(paragraph(vec![text("Да!"), link]), "Да\\![тут](x.md)");
    }

    #[test]
    fn code_keeps_its_backticks_and_gives_up_placeholders() {
        assert_eq!(paragraph(vec![Inline::Code("a`b".to_owned())]), "``a`b``");
        let template = line(vec![Inline::Code("{{ x }}".to_owned())], Place::Paragraph);
        assert_eq!((template.markdown.as_str(), template.lost_code), ("&#123;{ x }}", true));
        let cell = line(vec![Inline::Code("a|b".to_owned()), text(" | c")], Place::Cell);
        assert_eq!(cell.markdown, "`a\\|b` \\| c");
    }

    #[test]
    fn breaks_at_ends_go() {
        assert_eq!(
            paragraph(vec![Inline::Break, text("a"), Inline::Break, text("b"), Inline::Break]),
            "a\\\nb"
        );
        let cell = line(vec![text("a"), Inline::Break, text("b"), Inline::Break], Place::Cell);
        assert_eq!(cell.markdown, "a / b");
        let bold = Inline::Span(Mark::Strong, vec![text("a"), Inline::Break]);
        assert_eq!(paragraph(vec![bold, text("b")]), "**a**\\\nb");
    }
}
