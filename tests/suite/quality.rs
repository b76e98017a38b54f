//! Quality of the pages, taken in real Chromium: rules of accessibility, weight, time from key to paint.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::{DESKTOP, Look, PHONE, Page, on_base, on_desk, sample};

/// What axe-core finds wrong with what is shown now: rule, how grave, and the first place.
const VIOLATIONS: &str = "return axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }).then(({ violations }) => \
    violations.map(v => `${v.id} (${v.impact}, ${v.nodes.length}): ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].any[0]?.message ?? ''}`))";

/// States of the pages: an address, and what must be there before it is looked at.
const STATES: &[(&str, &str)] = &[
    ("/", ".start"),
    ("/?q=подключить+300+смс", ".answer"),
    ("/?q=*155*97%23", ".answer .code"),
    ("/?q=gfrtn+cvc", ".corrected"),
    ("/?q=*987*65%23", "form.gap"),
    ("/?q=смс&kind=procedure", ".chip[aria-current]"),
    ("/?q=смс&open=articles/sms/monthly", "#reader .article"),
    ("/?q=смс&wording=sms/tariff-not-eligible", ".wording.is-open .blocked"),
    ("/?q=смс&open=flows/flows/which-sms-package", "#reader article.flow"),
    ("/articles/sms/monthly", ".article"),
    ("/articles/sms/connect", ".article"),
    ("/flows/flows/which-sms-package", "article.flow"),
    ("/compare", ".family"),
    ("/compare?products=sms-100,sms-300,sms-plus-100,sms-plus-300", ".compared"),
    ("/new?since=2026-01-01", ".changes .change"),
    ("/mine", ".layout-form"),
    ("/docs/api", "h1"),
    ("/nowhere", "h1"),
];

/// The script of axe-core; none where it is not here, and the test is skipped aloud.
pub fn axe() -> Option<String> {
    let Some(axe) = std::env::var_os("PHAROS_AXE").map(PathBuf::from) else {
        eprintln!("skipped: PHAROS_AXE names no axe.min.js");
        return None;
    };
    Some(std::fs::read_to_string(axe).unwrap())
}

/// Looks at pages in a theme: an address, what must be true before it is looked at, and the name of its picture. Returns what is wrong.
pub async fn look_at(
    page: &Page,
    axe: &str,
    theme: &str,
    width: u32,
    pages: &[(&str, String, &str)],
) -> Vec<String> {
    let mut found = Vec::new();
    page.eval(&format!("document.cookie = 'layout=theme.{theme}; path=/'; localStorage.setItem('pharos.layout', JSON.stringify({{ theme: '{theme}' }}))")).await;
    for (name, path, there) in pages {
        page.goto(path).await;
        page.until(&format!("{path} is there"), there).await;
        page.shoot(&format!("{name}-{theme}-{width}")).await;
        found.extend(violations(page, axe).await.into_iter().map(|what| format!("{theme} {path}: {what}")));
        // On a phone nothing is wider than the screen.
        // A page that is too wide makes the window of a phone as wide: it is no measure.
        let wide = format!("return document.documentElement.scrollWidth > {width} + 1");
        assert_eq!(page.eval(&wide).await, json!(false), "{path} at {width}");
        page.check_faults().await;
    }
    found
}

#[test]
fn no_page_breaks_a_rule_of_axe() {
    let Some(axe) = axe() else { return };
    for look in [DESKTOP, PHONE, Look { lang: "en", ..DESKTOP }] {
        on_desk(look, async |page| {
            let path = page.base.path("articles/sms/monthly.md");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, format!("{text}\n## Новое {{#new}}\n\nДописано.\n")).unwrap();
            page.until(
                "the change is told",
                "return fetch('/api/v1/changes').then(r => r.json()).then(c => c.total > 0)",
            )
            .await;
            let mut found = Vec::new();
            for theme in ["light", "dark"] {
                page.eval(&format!("document.cookie = 'layout=theme.{theme}; path=/'")).await;
                page.eval(&format!(
                    "localStorage.setItem('pharos.layout', JSON.stringify({{ theme: '{theme}' }}))"
                ))
                .await;
                for (address, there) in STATES {
                    page.goto(address).await;
                    page.until(
                        &format!("{there} at {address}"),
                        &format!("return document.querySelector('{there}') !== null"),
                    )
                    .await;
                    assert_eq!(
                        page.eval("return getComputedStyle(document.documentElement).colorScheme").await,
                        json!(theme)
                    );
                    found.extend(
                        violations(page, &axe)
                            .await
                            .into_iter()
                            .map(|what| format!("{theme} {address}: {what}")),
                    );
                }
                page.eval("document.querySelector('.show-keys')?.click()").await;
                found.extend(
                    violations(page, &axe).await.into_iter().map(|what| format!("{theme} keys: {what}")),
                );
            }
            assert_eq!(found, Vec::<String>::new(), "axe: {found:#?}");
        });
    }
}

/// What axe finds wrong with the page that is shown.
pub async fn violations(page: &Page, axe: &str) -> Vec<String> {
    page.eval(axe).await;
    let Value::Array(found) = page.eval(VIOLATIONS).await else { panic!("axe gave no list") };
    found.into_iter().map(|what| what.as_str().unwrap_or_default().to_owned()).collect()
}

/// Addresses of everything a page was made of, the stream of events aside.
const PARTS: &str = "return [...new Set([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')] \
    .map(r => r.name.replace(location.origin, '').replace(/#.*/, '')))].filter(path => !path.startsWith('/api/v1/live'))";

/// Bytes of a reply with its head, as gzip has it: what browsers ask for without HTTPS. Brotli takes less.
fn weigh(address: &str, path: &str) -> usize {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n").unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert!(reply.starts_with(b"HTTP/1.1 200"), "{path}");
    reply.len()
}

#[test]
fn the_first_load_weighs_under_sixty_kilobytes() {
    on_desk(DESKTOP, async |page| {
        for address in ["/", "/?q=подключить+300+смс", "/articles/sms/monthly"] {
            page.goto(address).await;
            page.until(
                "it is loaded",
                "return performance.getEntriesByType('navigation')[0].loadEventEnd > 0",
            )
            .await;
            let parts: Vec<String> = serde_json::from_value(page.eval(PARTS).await).unwrap();
            for needed in ["pharos.css", "reader.js", "wordings.js"] {
                assert!(parts.iter().any(|path| path.ends_with(needed)), "{needed} is not in {parts:?}");
            }
            let weights: Vec<(usize, &String)> =
                parts.iter().map(|path| (weigh(page.address(), path), path)).collect();
            let total: usize = weights.iter().map(|(bytes, _)| bytes).sum();
            eprintln!("{address}: {total} bytes in {} parts", parts.len());
            assert!(total < 60 * 1024, "{total}: {weights:#?}");
        }
    });
}

/// Queries typed letter by letter, with slips and the wrong layout among them.
const TYPED: &[&str] = &[
    "подключить 300 смс",
    "как создать виртуальную машину",
    "права доступа к бакету",
    "резервная копия базы данных",
    "crm.deal.list",
    "учет основных средств",
    "ошибка авторизации приложения",
    "security group rules",
    "ghbdtn yfcnhjqrf cthdthf",
    "настройка кластра kubernetes",
    "стоимость хранения",
    "*155*981#",
];

/// Notes for every input event when the results of exactly that text are painted: after the frame in which they were put in.
const STOPWATCH: &str = "window.times = []; const field = document.querySelector('#q'); const typed = new Map(); \
    field.addEventListener('input', (event) => { typed.set(field.value, event.timeStamp); }, true); \
    new MutationObserver(() => { const shown = document.querySelector('#results .count')?.dataset.query; const from = typed.get(shown); \
        if (from === undefined) return; typed.delete(shown); \
        requestAnimationFrame(() => { const after = new MessageChannel(); after.port1.onmessage = () => times.push(performance.now() - from); after.port2.postMessage(null); }); \
    }).observe(document.querySelector('#results'), { childList: true, subtree: true, attributes: true, characterData: true });";

#[test]
fn keys_are_painted_over_ten_thousand_articles() {
    let Some(data) = std::env::var_os("PHAROS_DATA").map(PathBuf::from) else {
        eprintln!("skipped: PHAROS_DATA names no folder with the real corpora");
        return;
    };
    let base = sample();
    let copied =
        Command::new("cp").arg("-r").arg(data.join("corpora")).arg(base.path("articles/corpora")).status();
    assert!(copied.unwrap().success());
    on_base(base, &[], DESKTOP, async |page| {
        let count =
            page.process.as_ref().unwrap().json("/api/v1/articles?limit=1")["total"].as_u64().unwrap();
        assert!(count > 10_000, "{count}");
        page.eval(STOPWATCH).await;
        let mut keys = 0;
        for query in TYPED {
            page.eval("const q = document.querySelector('#q'); q.focus(); q.select()").await;
            page.press(Key::Delete).await;
            for letter in query.chars() {
                page.keys(&letter.to_string()).await;
                keys += 1;
                // A fast typist: some 400 characters a minute.
                tokio::time::sleep(Duration::from_millis(130)).await;
            }
            page.until(
                "the last letter is answered",
                &format!(
                    "return document.querySelector('.count')?.dataset.query === {}",
                    json!(query.trim())
                ),
            )
            .await;
        }
        let mut times: Vec<f64> = serde_json::from_value(page.eval("return window.times").await).unwrap();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        eprintln!(
            "{count} articles, {keys} keys, {} painted: median {:.0} ms, p95 {:.0} ms, p99 {:.0} ms, most {:.0} ms",
            times.len(),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
        // A key whose successor comes before its reply is passed over; most must not be.
        assert!(times.len() * 2 > keys, "{} of {keys} keys were painted", times.len());
        page.check_faults().await;
    });
}
