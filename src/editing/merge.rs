//! Two changes of one text brought together (three-way merge by lines).

use diffy::MergeOptions;

/// Lines of the part that is different; above them the method, whose work grows with their square, would take seconds.
const MAX_LINES: usize = 5_000;

/// What came of two changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// Both are in the text.
    Clean(String),
    /// Both changed the same place. In the text, such places stand between marks, both versions one after the other.
    Conflict(String),
}

/// Brings two changes of one text together: `ours` is what somebody wants to publish, `theirs` what the file holds by now.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Merged {
    // The simple cases are certain, whatever the method does.
    if ours == theirs || theirs == base {
        return Merged::Clean(ours.to_owned());
    }
    if ours == base {
        return Merged::Clean(theirs.to_owned());
    }
    let [base, ours, theirs] =
        [base, ours, theirs].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let (own, other) = (Change::of(&base, &ours), Change::of(&base, &theirs));
    if let Some(text) = apart(&base, &own, &other) {
        return Merged::Clean(text);
    }
    // What all three begin and end with takes no part.
    let (from, same) = (own.from.min(other.from), base.len() - own.to.max(other.to));
    let (begin, end) = (base[..from].concat(), base[base.len() - same..].concat());
    let [base, ours, theirs] = [base, ours, theirs].map(|lines| lines[from..lines.len() - same].concat());
    let around = |text: &str| format!("{begin}{text}{end}");
    if [&base, &ours, &theirs].iter().any(|text| text.matches('\n').count() > MAX_LINES) {
        let ours = if ours.ends_with('\n') { ours } else { format!("{ours}\n") };
        let theirs = if theirs.ends_with('\n') { theirs } else { format!("{theirs}\n") };
        return Merged::Conflict(around(&format!("<<<<<<< ours\n{ours}=======\n{theirs}>>>>>>> theirs\n")));
    }
    let mut options = MergeOptions::new();
    options.set_conflict_style(diffy::ConflictStyle::Merge);
    match options.merge(&base, &ours, &theirs) {
        Ok(text) => Merged::Clean(around(&text)),
        Err(text) => Merged::Conflict(around(&text)),
    }
}

/// Both changes, where each is in one place and the two places are apart: then nothing has to be compared but begins and ends.
fn apart(base: &[&str], ours: &Change<'_>, theirs: &Change<'_>) -> Option<String> {
    let (first, second) = if ours.from <= theirs.from { (ours, theirs) } else { (theirs, ours) };
    // A line between them that stayed: else they are one place.
    if first.to >= second.from {
        return None;
    }
    let between = &base[first.to..second.from];
    Some([&base[..first.from], first.by, between, second.by, &base[second.to..]].concat().concat())
}

/// Lines of a text that were changed, and by what.
struct Change<'a> {
    from: usize,
    to: usize,
    by: &'a [&'a str],
}

impl<'a> Change<'a> {
    fn of(base: &[&str], other: &'a [&'a str]) -> Self {
        let from = base.iter().zip(other).take_while(|(one, two)| one == two).count();
        let (rest, other) = (&base[from..], &other[from..]);
        let same = rest.iter().rev().zip(other.iter().rev()).take_while(|(one, two)| one == two).count();
        Self { from, to: base.len() - same, by: &other[..other.len() - same] }
    }
}

/// Whether a text still holds marks of a conflict.
pub fn has_marks(text: &str) -> bool {
    let is_mark = |line: &str, mark: &str| line == mark || line.starts_with(&format!("{mark} "));
    text.lines().any(|line| is_mark(line, "<<<<<<<")) && text.lines().any(|line| is_mark(line, ">>>>>>>"))
}

/// A text with the line ends of another: a browser sends `\n` whatever the file has.
pub fn with_line_ends_of(text: &str, model: &str) -> String {
    let crlf = model.matches("\r\n").count();
    let is_crlf = crlf > 0 && crlf * 2 > model.matches('\n').count();
    let plain = text.replace("\r\n", "\n");
    match (is_crlf, text.contains("\r\n")) {
        (true, _) => plain.replace('\n', "\r\n"),
        (false, true) if !model.is_empty() => plain,
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "один\nдва\nтри\nчетыре\nпять\nшесть\nсемь\n";

    #[test]
    fn changes_of_different_places_are_both_there() {
        let ours = BASE.replace("два", "ДВА");
        let theirs = BASE.replace("шесть", "ШЕСТЬ\nшесть с половиной");
        let both = ours.replace("шесть", "ШЕСТЬ\nшесть с половиной");
        assert_eq!(merge(BASE, &ours, &theirs), Merged::Clean(both.clone()));
        assert_eq!(merge(BASE, &theirs, &ours), Merged::Clean(both));
    }

    #[test]
    fn changes_of_one_place_are_a_conflict() {
        let Merged::Conflict(text) = merge(BASE, &BASE.replace("три", "ТРИ"), &BASE.replace("три", "3"))
        else {
            panic!("both changed one line")
        };
        assert!(text.contains("ТРИ") && text.contains("\n3\n") && has_marks(&text), "{text}");
        assert!(!has_marks(BASE));
    }

    #[test]
    fn nothing_is_lost_and_nothing_made_up() {
        let mut rng = fastrand::Rng::with_seed(6);
        let change = |rng: &mut fastrand::Rng, who: char| -> String {
            let mut lines: Vec<String> = BASE.lines().map(str::to_owned).collect();
            for number in 0..rng.usize(1..3) {
                let at = rng.usize(..lines.len());
                match rng.u8(..3) {
                    0 => lines[at] = format!("{who}{number}"),
                    1 => lines.insert(at, format!("{who}{number}")),
                    _ => {
                        lines.remove(at);
                    }
                }
            }
            lines.join("\n") + "\n"
        };
        for _ in 0..2_000 {
            let (ours, theirs) = (change(&mut rng, 'o'), change(&mut rng, 't'));
            let (Merged::Clean(text) | Merged::Conflict(text)) = merge(BASE, &ours, &theirs);
            let new = |side: &str, who: char| -> Vec<String> {
                side.lines().filter(|line| line.starts_with(who)).map(str::to_owned).collect()
            };
            for line in new(&ours, 'o').iter().chain(&new(&theirs, 't')) {
                assert_eq!(
                    text.lines().filter(|known| known == line).count(),
                    1,
                    "{line}\n{ours}\n{theirs}\n{text}"
                );
            }
            let kept = |line: &&str| ours.lines().any(|l| l == *line) && theirs.lines().any(|l| l == *line);
            for line in BASE.lines().filter(kept) {
                assert!(text.lines().any(|known| known == line), "{line} is lost:\n{ours}\n{theirs}\n{text}");
            }
        }
    }

    #[test]
    fn what_is_too_large_is_a_conflict() {
        let lines = |word: &str| (0..20_000).map(|n| format!("{word} {n}\n")).collect::<String>();
        let around = |text: &str| format!("начало\n{text}конец\n");
        let Merged::Conflict(text) = merge(&around(&lines("a")), &around(&lines("b")), &around(&lines("c")))
        else {
            panic!("all lines are different")
        };
        assert!(text.starts_with("начало\n<<<<<<<") && text.ends_with(">>>>>>> theirs\nконец\n"));
        // A large text with small changes is no matter.
        let (base, mark) = (around(&lines("a")), |n: usize| format!("a {n}\n"));
        let (ours, theirs) = (base.replace(&mark(7), "наше\n"), base.replace(&mark(19), "их\n"));
        let both = ours.replace(&mark(19), "их\n");
        assert_eq!(merge(&base, &ours, &theirs), Merged::Clean(both));
        let far = base.replace(&mark(15_000), "их\n");
        assert_eq!(merge(&base, &ours, &far), Merged::Clean(ours.replace(&mark(15_000), "их\n")));
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        assert_eq!(with_line_ends_of("a\nb\n", "x\r\ny\r\n"), "a\r\nb\r\n");
        assert_eq!(with_line_ends_of("a\r\nb\r\n", "x\ny\n"), "a\nb\n");
        assert_eq!(with_line_ends_of("a\r\nb", ""), "a\r\nb");
    }
}
