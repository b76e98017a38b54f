//! The search desk: the answer, the articles found, facets to narrow them, and what to do when there is nothing.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;

use crate::answers::template::Channel;
use crate::api::offline::ESSENTIAL;
use crate::api::search::SearchParams;
use crate::app::changes::{Asked, Subject};
use crate::app::snapshot::Snapshot;
use crate::content::article::Article;
use crate::content::front_matter::{Kind, Status};
use crate::content::markdown::encode_path;
use crate::http::asker::Asker;
use crate::http::extract::Query;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::engine::{Reply, Request};
use crate::search::facets::FACETS;
use crate::search::filter::Filter;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// Values of a facet shown at most; the most frequent ones. Results are what is looked at, so there are few.
const MAX_CHIPS: usize = 3;

/// Articles added by each "show more".
const MORE: usize = 10;

/// The most articles shown at one time.
const MOST: usize = 100;

/// Articles named when a search finds nothing.
const NEAREST: usize = 5;

/// Searches made at most for them: a long query must not become hundreds.
const NEAREST_TRIES: usize = 12;

/// Links in each list of the start page.
const START: usize = 6;

/// The page.
#[derive(Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    ui: Ui,
    text: String,
    is_panel: bool,
    /// Whether there are articles to choose from.
    is_expanded: bool,
    channels: &'static [(&'static str, Channel)],
    regions: Vec<String>,
    /// Sites that may show the panel, when it is the panel.
    origins: String,
    results: Option<Results>,
    start: Start,
}

/// What stands on the desk before anything is asked.
struct Start {
    /// Articles that the lead marked essential: addresses and titles.
    essential: Vec<(String, String)>,
    /// Guided flows.
    flows: Vec<(String, String)>,
    /// What changed last: addresses, titles, and the day.
    news: Vec<(String, String, Date)>,
}

/// What a search found.
#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    ui: Ui,
    reply: Reply,
    as_of: Date,
    is_today: bool,
    chips: Vec<Vec<Chip>>,
    more: Option<String>,
    /// The same search with the words as they are.
    verbatim: String,
    nothing: Option<Nothing>,
    /// Titles of the articles that replace archived hits, by id.
    replacements: BTreeMap<String, String>,
}

/// A value of a facet, to be switched on and off.
struct Chip {
    facet: &'static str,
    value: String,
    /// Empty when `key` says it.
    label: String,
    /// A word of the interface.
    key: &'static str,
    count: u64,
    is_on: bool,
    href: String,
}

/// What to do when nothing was found.
struct Nothing {
    /// The same search without its filters, and what it finds.
    unfiltered: Option<(String, u64)>,
    /// Addresses and titles.
    nearest: Vec<(String, String)>,
}

/// The desk, with results when a query stands in its address.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<SearchParams>,
) -> Result<Response, Problem> {
    Ok(html(desk(&state, &asker, Ui::of(&headers).with(&asker), params, None).await?.render()))
}

/// The desk, for this site (`origins` is none) or as the panel of others.
///
/// # Errors
/// A parameter is wrong, or the content is not loaded.
pub async fn desk(
    state: &AppState,
    asker: &Asker,
    ui: Ui,
    params: SearchParams,
    origins: Option<&[String]>,
) -> Result<SearchPage, Problem> {
    let today = state.app.clock.today();
    let own = asker.filter(today);
    let request = Request { lang: ui.lang, ..params.read(asker, today)? };
    let text = request.text.clone();
    let is_asked =
        !text.trim().is_empty() || request != Request { lang: ui.lang, ..Request::new(&text, own.clone()) };
    let results = if is_asked { Some(found(state, ui, request).await?) } else { None };
    let running = state.clone();
    let (start, regions) = state
        .run(move |snapshot| {
            let regions = snapshot.regions(&own.clearance);
            Ok((start(&running, snapshot, ui, own), regions))
        })
        .await?;
    Ok(SearchPage {
        start,
        ui,
        text,
        is_expanded: results.as_ref().is_some_and(|found| !found.reply.hits.is_empty()),
        is_panel: origins.is_some(),
        channels: Channel::NAMES,
        regions,
        origins: origins.unwrap_or_default().join(" "),
        results,
    })
}

fn start(state: &AppState, snapshot: &Snapshot, ui: Ui, own: Filter) -> Start {
    let library = &snapshot.engine.library;
    let own = Filter { lang: Some(ui.lang), ..own };
    let in_force = |article: &Article| own.admits(article) && article.matter.status == Status::Active;
    let link = |part: &str, article: &Article| {
        (
            format!("/{part}/{}", encode_path(&article.id)),
            article.title_for(&library.catalog, own.standpoint()),
        )
    };
    let links = |part: &str, is_wanted: &dyn Fn(&Article) -> bool| {
        let wanted = library.articles().map(|(_, article)| article).filter(|a| is_wanted(a) && in_force(a));
        let mut links: Vec<_> = wanted.map(|article| link(part, article)).collect();
        links.sort();
        links.truncate(START);
        links
    };
    let mut news: Vec<(String, String, Date)> = Vec::new();
    let asked = Asked { subjects: vec![Subject::Article], ..Asked::default() };
    for change in state
        .app
        .changes
        .find(&asked, 10 * START, |change, newest| snapshot.told(change, newest, own.standpoint()))
        .0
    {
        let Some((_, article)) = library.find(&change.what.id).filter(|(_, a)| in_force(a)) else { continue };
        let (href, title) = link("articles", article);
        if news.iter().all(|(known, ..)| *known != href) {
            news.push((href, title, change.at.to_zoned_datetime(state.settings.zone()).date()));
        }
    }
    news.truncate(START);
    Start {
        essential: links("articles", &|article| article.matter.tags.iter().any(|tag| tag == ESSENTIAL)),
        flows: links("flows", &|article| article.matter.flow.is_some()),
        news,
    }
}

/// The results alone, for each keystroke.
pub async fn results(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<SearchParams>,
) -> Result<Response, Problem> {
    let ui = Ui::of(&headers).with(&asker);
    let request = Request { lang: ui.lang, ..params.read(&asker, state.app.clock.today())? };
    Ok(html(found(&state, ui, request).await?.render()))
}

async fn found(state: &AppState, ui: Ui, request: Request) -> Result<Results, Problem> {
    let today = state.app.clock.today();
    let reply = state.search(request.clone()).await?;
    metrics::histogram!("pharos_search_seconds")
        .record(std::time::Duration::from_micros(reply.took_us).as_secs_f64());
    let nothing = match reply.total == 0 {
        true => {
            let request = request.clone();
            Some(state.run(move |snapshot| nothing_found(snapshot, &request, today)).await?)
        }
        false => None,
    };
    let snapshot = state.snapshot()?;
    let (shown, limit) = (request.offset + reply.hits.len(), request.limit);
    let can_grow = (shown as u64) < reply.total && limit < MOST;
    let more =
        can_grow.then(|| address(&Request { limit: (limit + MORE).min(MOST), ..request.clone() }, today));
    let as_of = request.filter.day;
    let library = &snapshot.engine.library;
    let replaced = reply.hits.iter().filter_map(|hit| {
        let (_, article) = library.find(hit.replaced_by.as_deref()?)?;
        Some((article.id.clone(), article.title_for(&library.catalog, request.filter.standpoint())))
    });
    Ok(Results {
        replacements: replaced.collect(),
        chips: chips(&reply, &request, &snapshot, ui, today),
        ui,
        reply,
        as_of,
        is_today: as_of == today,
        more,
        verbatim: address(&Request { verbatim: true, ..request }, today),
        nothing,
    })
}

fn nothing_found(snapshot: &Snapshot, request: &Request, today: Date) -> Result<Nothing, Problem> {
    let engine = &snapshot.engine;
    let text = &request.text;
    // Narrowed to the day and region alone: what the reader filtered away may be just what is wanted.
    let asked = &request.filter;
    let wide = Filter { region: asked.region.clone(), home: asked.home.clone(), ..Filter::on(asked.day) }
        .with(asked.clearance.clone());
    let wider = Request { limit: NEAREST, lang: request.lang, ..Request::new(text, wide.clone()) };
    let others = if wider.filter == request.filter && !request.verbatim {
        None
    } else {
        Some(engine.search(&wider)?).filter(|reply| reply.total > 0)
    };
    let unfiltered = others.as_ref().map(|reply| (address(&wider, today), reply.total));
    let mut nearest: Vec<(String, String)> = Vec::new();
    let mut add = |reply: &Reply| {
        for hit in &reply.hits {
            let href = format!("/articles/{}", encode_path(&hit.article));
            if nearest.len() < NEAREST && nearest.iter().all(|(known, _)| *known != href) {
                nearest.push((href, hit.title.clone()));
            }
        }
    };
    others.iter().for_each(&mut add);
    // Each word for itself, shorter and shorter: some of it may be the beginning of a word that is known.
    let mut tries = 0..NEAREST_TRIES;
    for word in text.split_whitespace() {
        let mut part = word;
        while part.chars().count() >= 3 && tries.next().is_some() {
            let reply = engine.search(&Request { limit: 2, ..Request::new(part, wide.clone()) })?;
            if reply.total > 0 {
                add(&reply);
                break;
            }
            part = part.char_indices().next_back().map_or("", |(at, _)| &part[..at]);
        }
    }
    Ok(Nothing { unfiltered, nearest })
}

/// The address of a search: it holds all that was asked for.
fn address(request: &Request, today: Date) -> String {
    let Request { text, limit, filter, verbatim, .. } = request;
    let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.name()).collect();
    let parts = [
        ("q", text.clone()),
        ("kind", kinds.join(",")),
        ("product", filter.products.join(",")),
        ("region", filter.region_in_address().to_owned()),
        ("lang", filter.lang.map_or("", |lang| lang.code()).to_owned()),
        ("tag", filter.tags.join(",")),
        ("status", filter.status.map_or("", Status::name).to_owned()),
        ("as_of", if filter.day == today { String::new() } else { filter.day.to_string() }),
        ("verbatim", if *verbatim { "true".to_owned() } else { String::new() }),
        ("limit", if *limit == 10 { String::new() } else { limit.to_string() }),
    ];
    let encode = |value: &str| {
        percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if parts.is_empty() { "/".to_owned() } else { format!("/?{}", parts.join("&")) }
}

/// Which values of a facet are asked for.
fn asked<'f>(filter: &'f Filter, facet: &str) -> Vec<&'f str> {
    match facet {
        "kind" => filter.kinds.iter().map(|kind| kind.name()).collect(),
        "product" => filter.products.iter().map(String::as_str).collect(),
        "region" => filter.region.iter().map(String::as_str).collect(),
        "lang" => filter.lang.iter().map(|lang| lang.code()).collect(),
        "status" => filter.status.iter().map(|status| status.name()).collect(),
        _ => filter.tags.iter().map(String::as_str).collect(),
    }
}

/// The filter with a value of a facet switched.
fn switched(filter: &Filter, facet: &str, value: &str, is_on: bool) -> Filter {
    let mut next = filter.clone();
    let switch = |list: &mut Vec<String>| {
        if is_on { list.retain(|known| known != value) } else { list.push(value.to_owned()) }
    };
    let named = |names: &[(&'static str, Status)]| names.iter().find(|(n, _)| *n == value).map(|(_, s)| *s);
    match facet {
        "kind" => match Kind::NAMES.iter().find(|(name, _)| *name == value) {
            Some((_, kind)) if is_on => next.kinds.retain(|known| known != kind),
            Some((_, kind)) => next.kinds.push(*kind),
            None => {}
        },
        "product" => switch(&mut next.products),
        "tag" => switch(&mut next.tags),
        "region" => next.region = (!is_on).then(|| value.to_owned()),
        "lang" => next.lang = if is_on { None } else { crate::content::catalog::Lang::of(value) },
        _ => next.status = if is_on { None } else { named(Status::NAMES) },
    }
    next
}

fn chips(reply: &Reply, request: &Request, snapshot: &Snapshot, ui: Ui, today: Date) -> Vec<Vec<Chip>> {
    let catalog = &snapshot.engine.library.catalog;
    let mut rows = Vec::new();
    for facet in FACETS {
        let on = asked(&request.filter, facet);
        let mut counted: Vec<(&str, u64)> = reply
            .facets
            .get(facet)
            .into_iter()
            .flatten()
            .map(|(value, count)| (value.as_str(), *count))
            .collect();
        counted.extend(
            on.iter().filter(|value| !reply.facets[facet].contains_key(**value)).map(|value| (*value, 0)),
        );
        counted
            .sort_by(|a, b| on.contains(&b.0).cmp(&on.contains(&a.0)).then(b.1.cmp(&a.1)).then(a.0.cmp(b.0)));
        // What does not part the articles found is no choice, and what is in force is what everybody looks for.
        let is_choice = |(value, count): &(&str, u64)| {
            on.contains(value) || *count < reply.total && *value != Status::Active.name()
        };
        let row =
            counted.into_iter().filter(is_choice).take(MAX_CHIPS.max(on.len() + 1)).map(|(value, count)| {
                let is_on = on.contains(&value);
                let filter = switched(&request.filter, facet, value, is_on);
                let key = match facet {
                    "kind" => Kind::NAMES
                        .iter()
                        .find(|(n, _)| *n == value)
                        .map_or("", |(_, kind)| filters::kind_word(*kind)),
                    "status" if value == Status::Archived.name() => "archived",
                    "status" => "active",
                    "lang" if value == "ru" => "lang-ru",
                    "lang" => "lang-en",
                    _ => "",
                };
                let label = match catalog
                    .product(value)
                    .filter(|p| facet == "product" && p.is_known_to(&request.filter.clearance))
                {
                    Some(product) => product.title.get(ui.lang).to_owned(),
                    None if key.is_empty() => value.to_owned(),
                    None => String::new(),
                };
                let href = address(&Request { filter, limit: 10, ..request.clone() }, today);
                Chip { facet, value: value.to_owned(), label, key, count, is_on, href }
            });
        let row: Vec<Chip> = row.collect();
        if !row.is_empty() {
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_all_that_was_asked_for() {
        let today: Date = "2026-11-23".parse().unwrap();
        let request = Request {
            limit: 20,
            verbatim: true,
            ..Request::new(
                "*155*2# & co",
                Filter {
                    kinds: vec![Kind::Faq, Kind::News],
                    region: Some("moscow".to_owned()),
                    status: Some(Status::Archived),
                    ..Filter::on("2026-12-01".parse().unwrap())
                },
            )
        };
        assert_eq!(
            address(&request, today),
            "/?q=%2A155%2A2%23%20%26%20co&kind=faq%2Cnews&region=moscow&status=archived&as_of=2026%2D12%2D01&verbatim=true&limit=20"
        );
        assert_eq!(address(&Request::new("", Filter::on(today)), today), "/");
    }

    #[test]
    fn a_value_is_switched_on_and_off() {
        let filter = Filter::on("2026-11-23".parse().unwrap());
        for (facet, value) in [
            ("kind", "faq"),
            ("product", "a"),
            ("region", "b"),
            ("lang", "en"),
            ("status", "archived"),
            ("tag", "c"),
        ] {
            let on = switched(&filter, facet, value, false);
            assert_eq!(asked(&on, facet), [value], "{facet}");
            assert_eq!(switched(&on, facet, value, true), filter, "{facet}");
        }
    }
}
