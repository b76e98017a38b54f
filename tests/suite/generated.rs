//! Five thousand codes and phones in the spellings people use: the exact one first, and no neighbour in the answer.

use pharos::language::codes::find_codes;
use pharos::search::engine::Request;
use pharos::search::filter::Filter;

use crate::harness::{Base, TODAY};

const SEED: u64 = 20_261_123;
const CODES: usize = 2_000;
const PHONES: usize = 500;
const ARTICLES: usize = 50;

fn spellings(code: &str, random: &mut fastrand::Rng) -> Vec<String> {
    if code.starts_with('*') {
        let spaced: String =
            code.chars().flat_map(|c| if c.is_ascii_digit() { vec![c] } else { vec![' ', c, ' '] }).collect();
        let words = ["что такое", "код", "what is"][random.usize(..3)];
        let all =
            [code.to_owned(), spaced.trim().to_owned(), format!("{words} {code}"), code.replace('#', "№")];
        let second = random.usize(1..all.len());
        return vec![all[0].clone(), all[second].clone()];
    }
    let d = &code[1..];
    let all = [
        format!("8{d}"),
        format!("+7{d}"),
        format!("8 ({}) {}-{}-{}", &d[..3], &d[3..6], &d[6..8], &d[8..]),
        format!("+7 {} {}-{}-{}", &d[..3], &d[3..6], &d[6..8], &d[8..]),
        format!("8-{}-{}-{}-{}", &d[..3], &d[3..6], &d[6..8], &d[8..]),
        format!("({}) {} {} {}", &d[..3], &d[3..6], &d[6..8], &d[8..]),
    ];
    let second = random.usize(1..all.len());
    vec![all[0].clone(), all[second].clone()]
}

#[test]
fn five_thousand_spellings_of_codes_are_answered_exactly() {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut codes = std::collections::BTreeSet::new();
    // Codes that are beginnings and neighbours of each other: *1*1#, *1*10#, *1*101#.
    while codes.len() < CODES {
        let service = random.u32(100..140);
        codes.insert(format!("*{service}*{}#", random.u32(1..400)));
    }
    while codes.len() < CODES + PHONES {
        codes.insert(format!(
            "7{}{:07}",
            [495, 831, 904, 951, 800][random.usize(..5)],
            random.u32(1_000_000..1_000_900)
        ));
    }
    let base = Base::new();
    let mut catalog =
        String::from("family: f\nattributes: {code: {type: code, label: {ru: Код}}}\nproducts:\n");
    let mut tables = vec![String::new(); ARTICLES];
    for (number, code) in codes.iter().enumerate() {
        let article = number % ARTICLES;
        catalog.push_str(&format!("  - {{id: p{number}, title: {{ru: Услуга {number}}}, article: a{article}, values: {{code: '{code}'}}}}\n"));
        tables[article].push_str(&format!("| Услуга {number} | `{code}` |\n"));
    }
    base.write("articles/catalog/f.yaml", catalog);
    for (article, table) in tables.iter().enumerate() {
        base.write(
            &format!("articles/a{article}.md"),
            format!("# Коды {article}\n\n| Что | Код |\n|---|---|\n{table}"),
        );
    }
    let served = base.start();
    let snapshot = served.app.snapshot().unwrap();
    let mut asked = 0;
    for (number, code) in codes.iter().enumerate() {
        for typed in spellings(code, &mut random) {
            let reply =
                snapshot.engine.search(&Request::new(&typed, Filter::on(TODAY.parse().unwrap()))).unwrap();
            assert_eq!(reply.query.code.as_deref(), Some(code.as_str()), "{typed}");
            let answer = reply.answer.unwrap_or_else(|| panic!("no answer to {typed}"));
            let told: Vec<String> = find_codes(&answer.text).into_iter().map(|c| c.canonical).collect();
            assert_eq!(told, [code.as_str()], "{typed}: {}", answer.text);
            assert!(answer.text.contains(&format!("Услуга {number}")), "{typed}: {}", answer.text);
            assert_eq!(reply.hits[0].article, format!("a{}", number % ARTICLES), "{typed}");
            asked += 1;
        }
    }
    assert_eq!(asked, (CODES + PHONES) * 2);
}
