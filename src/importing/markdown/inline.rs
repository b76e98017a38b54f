//! The marks within lines of all flavours, turned into CommonMark; spans of code are left alone.

use super::page::{Page, code_span, escaped};
use super::site::Flavour;
use super::{blocks, braces, learn, liquid, mdx, obsidian, shortcodes};

/// What a mark became, and how many bytes it took.
pub(super) type Taken = Option<(usize, String)>;

/// Where something may begin.
const MARKS: &[char] = &['\\', '`', '{', '[', '!', '=', '%', '+', ':', '<', '(', '^', '$', '#'];

/// Turns the marks of a text of any lines into CommonMark.
pub(super) fn inline(text: &str, page: &mut Page<'_>, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(next) = rest.find(MARKS) else {
            out.push_str(rest);
            break;
        };
        out.push_str(&rest[..next]);
        at += next;
        let rest = &text[at..];
        match mark(rest, &mut out, page, depth) {
            Some((taken, replacement)) if taken > 0 => {
                out.push_str(&replacement);
                at += taken;
            }
            _ => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..length]);
                at += length;
            }
        }
    }
    out
}

fn mark(rest: &str, out: &mut String, page: &mut Page<'_>, depth: usize) -> Taken {
    match rest.as_bytes()[0] {
        b'\\' => {
            let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            Some((length, rest[..length].to_owned()))
        }
        b'`' => code(rest),
        b'{' => braced(rest, out, page, depth),
        b'[' => obsidian::link(rest, page)
            .or_else(|| learn::include(rest, out, page, depth))
            .or_else(|| learn::video_inline(rest, page)),
        b'!' => obsidian::embed(rest, out, page, depth),
        b'=' => highlight(rest, out, page),
        b'%' => obsidian::inline_comment(rest, page),
        b'+' => keys(rest),
        b':' => icon(rest, page).or_else(|| learn::image_inline(rest, page)),
        b'<' => comment(rest).or_else(|| mdx::inline(rest, page)),
        b'(' if out.ends_with(']') => destination(rest),
        b'^' => footnote(rest, out, page).or_else(|| obsidian::block_id(rest, out, page)),
        b'$' => math(rest, out, page),
        b'#' => obsidian::tag(rest, out, page),
        _ => None,
    }
}

/// A span of code, as it is; a run of backticks that none closes is text.
fn code(rest: &str) -> Taken {
    let length = rest.bytes().take_while(|b| *b == b'`').count();
    let mut at = length;
    // A span ends with its paragraph.
    let end = rest.find("\n\n").unwrap_or(rest.len()).min(1 << 14);
    let end = rest.floor_char_boundary(end);
    while let Some(open) = rest.get(at..end).and_then(|rest| rest.find('`')) {
        let run = rest[at + open..].bytes().take_while(|b| *b == b'`').count();
        if run == length {
            let span = &rest[..at + open + run];
            let shown = span
                .replace("{{</*", "{{<")
                .replace("*/>}}", ">}}")
                .replace("{{%/*", "{{%")
                .replace("*/%}}", "%}}");
            return Some((span.len(), shown));
        }
        at += open + run;
    }
    Some((length, rest[..length].to_owned()))
}

fn braced(rest: &str, out: &mut String, page: &mut Page<'_>, depth: usize) -> Taken {
    if rest.starts_with("{%") {
        return liquid::inline(rest, out, page, depth);
    }
    if rest.starts_with("{{") {
        return shortcodes::inline(rest, out, page, depth).or_else(|| liquid::variable(rest, out, page));
    }
    critic(rest, page)
        .or_else(|| mdx::heading_id(rest))
        .or_else(|| braces::inline(rest, out, page, depth))
        .or_else(|| attribute_list(rest, out, page))
}

/// Marks of changes proposed: what is proposed is taken.
fn critic(rest: &str, page: &mut Page<'_>) -> Taken {
    let (close, kind) = match rest.get(..3)? {
        "{++" => ("++}", '+'),
        "{--" => ("--}", '-'),
        "{~~" => ("~~}", '~'),
        "{==" => ("==}", '='),
        "{>>" => ("<<}", '>'),
        _ => return None,
    };
    let end = rest.get(3..)?.find(close)?;
    let inner = &rest[3..3 + end];
    page.lose_once("critic", "proposed changes are taken as made");
    let text = match kind {
        '-' => String::new(),
        '>' => {
            page.lose("comment", inner);
            String::new()
        }
        '~' => inner.split_once("~>").map_or(inner, |(_, new)| new).to_owned(),
        _ => inner.to_owned(),
    };
    Some((3 + end + 3, text))
}

/// `{: #id .class }` and `{ width=300 }` of attribute lists: ids of headings stay, the rest is looks.
fn attribute_list(rest: &str, out: &str, page: &mut Page<'_>) -> Taken {
    let end = rest.find('}')?;
    let inner = rest.get(1..end)?;
    if inner.contains(['\n', '{']) || inner.is_empty() {
        return None;
    }
    let line = out.rsplit('\n').next().unwrap_or_default();
    let is_heading = line.trim_start().starts_with('#');
    let list = inner.trim_start_matches(':').trim();
    let is_list = !list.is_empty()
        && list.split_whitespace().next().is_some_and(|word| {
            word.starts_with(['.', '#']) && word.len() > 1
                || (word.contains('=') && !word.contains(['(', '<', ';']))
        });
    if !is_list {
        return None;
    }
    if is_heading {
        let id = list.split_whitespace().find_map(|word| word.strip_prefix('#'))?;
        let is_id = id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
        return is_id.then(|| (end + 1, format!("{{#{id}}}")));
    }
    let ends_line = rest[end + 1..].trim_start_matches(' ').starts_with('\n') && list.starts_with('.');
    let belongs = ends_line
        || inner.starts_with(':')
        || out.ends_with([')', '`', '*', '_', ']', '>'])
        || line.trim().is_empty() && inner.starts_with([' ', '.']);
    belongs.then(|| {
        page.lose_once("attributes", &format!("how a part looks: {list}"));
        (end + 1, String::new())
    })
}

/// `==marked==`, as bold.
fn highlight(rest: &str, out: &str, page: &mut Page<'_>) -> Taken {
    let inner = rest.strip_prefix("==")?;
    let before = out.chars().next_back();
    let first = inner.chars().next()?;
    if first.is_whitespace()
        || first == '='
        || before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '=' | '!' | '<' | '>'))
    {
        return None;
    }
    let line = &inner[..inner.find("\n\n").unwrap_or(inner.len()).min(inner.len())];
    let end = line.find("==")?;
    let text = &line[..end];
    if text.ends_with(char::is_whitespace)
        || line[end + 2..].starts_with('=')
        || text.contains('`') && text.matches('`').count() % 2 == 1
    {
        return None;
    }
    page.lose_once("highlight", "marked words are bold");
    let text = if text.contains("**") { text.to_owned() } else { format!("**{text}**") };
    Some((end + 4, text))
}

/// `++ctrl+alt+del++`, as code.
fn keys(rest: &str) -> Taken {
    let inner = rest.strip_prefix("++")?;
    let end = inner.find("++")?;
    let combination = &inner[..end];
    let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '"');
    if combination.is_empty()
        || combination.len() > 60
        || !combination.chars().all(is_key)
        || combination.starts_with('+')
    {
        return None;
    }
    let named: Vec<String> = combination
        .split('+')
        .map(|key| {
            let mut letters = key.trim_matches('"').chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        })
        .collect();
    Some((end + 4, code_span(&named.join("+"))))
}

/// `:material-account:` and the like: pictures without words.
fn icon(rest: &str, page: &mut Page<'_>) -> Taken {
    let inner = rest.strip_prefix(':')?;
    let end = inner.find(':').filter(|end| (5..80).contains(end))?;
    let name = &inner[..end];
    let is_icon = ["material-", "fontawesome-", "octicons-", "simple-", "custom-", "fa-"]
        .iter()
        .any(|set| name.starts_with(set));
    if !is_icon || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return None;
    }
    page.lose_once("icon", name);
    let mut taken = end + 2;
    if let Some(list) = rest[taken..].strip_prefix('{')
        && let Some(close) = list.find('}').filter(|close| !list[..*close].contains('\n'))
    {
        taken += close + 2;
    }
    Some((taken, String::new()))
}

fn comment(rest: &str) -> Taken {
    let inner = rest.strip_prefix("<!--")?;
    let end = inner.find("-->")?;
    Some((end + 7, String::new()))
}

/// The destination of a link where CommonMark sees none: sizes of Diplodoc, spaces in names.
fn destination(rest: &str) -> Taken {
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let close = super::page::balanced(line, '(', ')')?;
    let inner = line[1..close - 1].trim();
    if inner.starts_with('<') || inner.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = inner.split_whitespace().collect();
    let is_size = |part: &&str| {
        part.strip_prefix('=').is_some_and(|size| {
            size.contains('x') && size.bytes().all(|b| b.is_ascii_digit() || b == b'x' || b == b'%')
        })
    };
    if parts.len() > 1 && parts.last().is_some_and(is_size) {
        parts.pop();
        return Some((close, format!("({})", parts.join(" "))));
    }
    let has_spaces = inner.contains(' ') && !inner.contains(['"', '\'', '(']) && !inner.contains("{{");
    let lowered = inner.to_lowercase();
    let is_file =
        [".md", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".docx", ".xlsx", ".webp", ".html"]
            .iter()
            .any(|end| lowered.ends_with(end) || lowered.contains(&format!("{end}#")));
    (has_spaces && is_file).then(|| (close, format!("(<{inner}>)")))
}

/// `^[a note]`: in parentheses where it stands.
fn footnote(rest: &str, out: &str, page: &mut Page<'_>) -> Taken {
    if !rest.starts_with("^[") || out.ends_with('[') {
        return None;
    }
    let line = &rest[1..rest.find("\n\n").unwrap_or(rest.len())];
    let close = super::page::balanced(line, '[', ']')?;
    page.lose_once("footnote", "notes within the text stand in parentheses");
    let space = if out.ends_with(' ') { "" } else { " " };
    Some((close + 1, format!("{space}({})", &line[1..close - 1])))
}

/// `$formula$`, where the flavour has formulas: elsewhere it is money.
fn math(rest: &str, out: &str, page: &mut Page<'_>) -> Taken {
    if let Some(inner) = rest.strip_prefix("$$") {
        let end = inner.find("$$").filter(|end| *end > 0 && *end < 2_000)?;
        let formula = &inner[..end];
        if formula.contains("\n\n") {
            return None;
        }
        page.lose("math", format!("a formula is shown as code: {formula}"));
        return Some((end + 4, code_span(formula)));
    }
    let has_formulas =
        matches!(page.site.flavour, Flavour::Obsidian | Flavour::MkDocs | Flavour::GitBook | Flavour::Yfm);
    let inner = &rest[1..];
    let end = inner.find(['$', '\n']).filter(|end| inner[*end..].starts_with('$') && *end > 0)?;
    let formula = &inner[..end];
    let after = inner[end + 1..].chars().next().unwrap_or(' ');
    let is_formula = !formula.starts_with(char::is_whitespace)
        && !formula.ends_with(char::is_whitespace)
        && !after.is_ascii_digit()
        && !out.ends_with(|c: char| c.is_alphanumeric() || c == '\\')
        && !formula.contains('`')
        && (formula.contains(['\\', '^', '_', '='])
            || (has_formulas && formula.chars().count() < 4 && !formula.contains(' ')));
    if !is_formula || (!has_formulas && !formula.contains('\\')) {
        return None;
    }
    page.lose("math", format!("a formula is shown as code: {formula}"));
    Some((end + 2, code_span(formula)))
}

/// How what begins new lines within a text must be indented to stay in the same list item or quote.
pub(super) fn continuation(out: &str) -> String {
    let line = out.rsplit('\n').next().unwrap_or_default();
    let mut prefix = String::new();
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        prefix.push_str(&rest[..rest.len() - trimmed.len()]);
        if let Some(after) = trimmed.strip_prefix('>') {
            prefix.push('>');
            rest = after;
        } else if let Some(width) = blocks::marker_width(&format!("{trimmed}x")) {
            prefix.push_str(&" ".repeat(width));
            rest = trimmed.get(width..).unwrap_or_default();
        } else {
            return prefix;
        }
    }
}

/// Included Markdown put into a line, or, when it is more than one paragraph, below it.
pub(super) fn placed(included: &str, out: &str) -> String {
    let included = included.trim();
    let first = included.lines().next().unwrap_or_default();
    let is_block = included.contains("\n\n")
        || (first.starts_with(['#', '>', '|', '-']) && first.contains(' ') && !first.starts_with("#{"))
        || first.starts_with("```")
        || blocks::marker_width(first).is_some()
        || included.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with(['|', '>']) || line.starts_with("```") || line.starts_with("- ")
        });
    if !is_block {
        return included.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    }
    let prefix = continuation(out);
    let line = out.rsplit('\n').next().unwrap_or_default();
    let body = super::page::prefixed(included, &prefix);
    // In place of the whole line, or of all that stands behind the mark of an item.
    if line.trim().is_empty() || line.len() == prefix.len() {
        return body.get(prefix.len()..).unwrap_or_default().to_owned();
    }
    format!("\n{}\n{body}\n", prefix.trim_end())
}

/// A link; what is dropped of its text is told by whoever makes it.
pub(super) fn link(text: &str, target: &str) -> String {
    format!("[{text}](<{}>)", target.replace(['<', '>', '\n'], ""))
}

/// The text a link or a picture has in plain words.
pub(super) fn words(text: &str) -> String {
    escaped(&super::front::one_line(text))
}
