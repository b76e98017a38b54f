//! How likely a word is a slip of the finger or of the ear for another.

/// What a common mistake costs, beside 1 for any other edit.
const NEIGHBOUR: f32 = 0.6;
const SOUNDS_ALIKE: f32 = 0.5;
const DOUBLED: f32 = 0.5;
const SWAPPED: f32 = 0.6;

/// What an edit of the first letter costs more: people rarely miss it.
const FIRST_LETTER: f32 = 0.6;

/// Rows of the two keyboards.
const ROWS: [&str; 6] = ["йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Letters that are taken for each other by ear.
const ALIKE: [(char, char); 22] = [
    ('а', 'о'),
    ('е', 'и'),
    ('е', 'э'),
    ('и', 'ы'),
    ('и', 'й'),
    ('е', 'я'),
    ('б', 'п'),
    ('в', 'ф'),
    ('г', 'к'),
    ('д', 'т'),
    ('ж', 'ш'),
    ('з', 'с'),
    ('ш', 'щ'),
    ('ь', 'ъ'),
    ('a', 'e'),
    ('e', 'i'),
    ('i', 'y'),
    ('o', 'u'),
    ('a', 'o'),
    ('c', 'k'),
    ('c', 's'),
    ('s', 'z'),
];

/// The cost of the cheapest way from one word to the other by inserting, deleting, replacing and swapping neighbours (optimal string
/// alignment), common mistakes costing less. 0 for equal words.
pub fn cost(typed: &str, meant: &str) -> f32 {
    let a: Vec<char> = typed.chars().collect();
    let b: Vec<char> = meant.chars().collect();
    let width = b.len() + 1;
    let mut table = vec![0.0f32; (a.len() + 1) * width];
    let first = |i: usize, j: usize| if i == 0 || j == 0 { FIRST_LETTER } else { 0.0 };
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 && j == 0 {
                continue;
            }
            let mut best = f32::INFINITY;
            if i > 0 {
                best = best.min(table[(i - 1) * width + j] + gap(&a, i - 1) + first(i - 1, j));
            }
            if j > 0 {
                best = best.min(table[i * width + j - 1] + gap(&b, j - 1) + first(i, j - 1));
            }
            if i > 0 && j > 0 {
                let change = if a[i - 1] == b[j - 1] {
                    0.0
                } else {
                    replace(a[i - 1], b[j - 1]) + first(i - 1, j - 1)
                };
                best = best.min(table[(i - 1) * width + j - 1] + change);
            }
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && a[i - 1] != a[i - 2] {
                best = best.min(table[(i - 2) * width + j - 2] + SWAPPED + first(i - 2, j - 2));
            }
            table[i * width + j] = best;
        }
    }
    table[a.len() * width + b.len()]
}

/// The cost of a letter too many or too few: little for one that stands doubled.
fn gap(word: &[char], at: usize) -> f32 {
    let is_doubled = at > 0 && word[at - 1] == word[at] || word.get(at + 1) == Some(&word[at]);
    if is_doubled || matches!(word[at], 'ь' | 'ъ') { DOUBLED } else { 1.0 }
}

fn replace(a: char, b: char) -> f32 {
    if ALIKE.contains(&(a, b)) || ALIKE.contains(&(b, a)) {
        return SOUNDS_ALIKE;
    }
    let place = |c: char| {
        ROWS.iter().enumerate().find_map(|(row, keys)| Some((row, keys.chars().position(|k| k == c)?)))
    };
    match (place(a), place(b)) {
        (Some((row, at)), Some((other, other_at)))
            if row / 3 == other / 3 && row.abs_diff(other) <= 1 && at.abs_diff(other_at) <= 1 =>
        {
            NEIGHBOUR
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_mistakes_cost_less() {
        assert_eq!(cost("пакет", "пакет"), 0.0);
        assert!(cost("покет", "пакет") < cost("пмкет", "пакет") + f32::EPSILON);
        assert!(cost("пкает", "пакет") < cost("пуает", "пакет"));
        assert!(cost("акет", "пакет") > cost("паке", "пакет"));
        assert!(cost("балланс", "баланс") < cost("бакланс", "баланс"));
    }
}
