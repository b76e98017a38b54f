//! The comparison of products, and the catalogue to choose them from.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::api::parameters::FilterParams;
use crate::api::products::{self, Comparison, ProductView};
use crate::app::snapshot::Snapshot;
use crate::content::front_matter::Status;
use crate::http::extract::{Query, list};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::filter::Filter;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// Products side by side at most; more cannot be compared by eye.
pub const MAX_COMPARED: usize = 4;

/// What to compare.
#[derive(Debug, Default, Deserialize)]
pub struct CompareParams {
    /// Ids of the products, parted by commas.
    products: Option<String>,
    /// Words that the products offered for choice have.
    q: Option<String>,
    #[serde(flatten)]
    filter: FilterParams,
}

/// A product to choose.
struct Choice {
    title: String,
    is_archived: bool,
    is_chosen: bool,
    /// The same page with it added or taken away; none when there is no more room.
    href: Option<String>,
}

/// The products of a family.
struct Family {
    title: String,
    choices: Vec<Choice>,
}

/// A product that is compared.
struct Column {
    product: ProductView,
    without: String,
}

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    ui: Ui,
    text: String,
    chosen: String,
    comparison: Option<Comparison>,
    columns: Vec<Column>,
    families: Vec<Family>,
    is_full: bool,
    /// Products asked for that are not offered.
    gone: Vec<String>,
}

/// The page.
pub async fn page(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(params): Query<CompareParams>,
) -> Result<Response, Problem> {
    let ui = Ui::of(&headers);
    let mut filter = params.filter.filter(state.app.clock.today())?;
    filter.lang = Some(filter.lang.unwrap_or(ui.lang));
    let asked = list(params.products.as_deref());
    let text = params.q.unwrap_or_default();
    let page = state.run(move |snapshot| compare(snapshot, ui, &asked, text, &filter)).await?;
    Ok(html(page.render()))
}

fn compare(
    snapshot: &Snapshot,
    ui: Ui,
    asked: &[String],
    text: String,
    filter: &Filter,
) -> Result<ComparePage, Problem> {
    let mut chosen: Vec<String> = Vec::new();
    let mut gone = Vec::new();
    for id in asked {
        let is_offered = products::find(&snapshot.engine.library.catalog, id, filter).is_ok();
        if !is_offered {
            gone.push(id.clone());
        } else if !chosen.contains(id) && chosen.len() < MAX_COMPARED {
            chosen.push(id.clone());
        }
    }
    let mut comparison = match chosen.is_empty() {
        true => None,
        false => Some(products::comparison(snapshot, &chosen, filter)?),
    };
    let without = |id: &str| {
        let left: Vec<&str> = chosen.iter().map(String::as_str).filter(|other| *other != id).collect();
        address(&left)
    };
    let compared = comparison.as_mut().map(|comparison| std::mem::take(&mut comparison.products));
    let columns =
        compared.into_iter().flatten().map(|product| Column { without: without(&product.id), product });
    let columns = columns.collect();
    let is_full = chosen.len() >= MAX_COMPARED;
    let mut families: Vec<Family> = Vec::new();
    for product in products::listed(snapshot, &text, None, filter) {
        let is_chosen = chosen.contains(&product.id);
        let with = || {
            let all: Vec<&str> = chosen.iter().map(String::as_str).chain([product.id.as_str()]).collect();
            address(&all)
        };
        let href = match (is_chosen, is_full) {
            (true, _) => Some(without(&product.id)),
            (false, true) => None,
            (false, false) => Some(with()),
        };
        let is_archived = product.status == Status::Archived;
        let choice = Choice { is_archived, is_chosen, href, title: product.title };
        match families.iter_mut().find(|family| family.title == product.family_title) {
            Some(family) => family.choices.push(choice),
            None => families.push(Family { title: product.family_title, choices: vec![choice] }),
        }
    }
    Ok(ComparePage { ui, text, chosen: chosen.join(","), comparison, columns, families, is_full, gone })
}

fn address(ids: &[&str]) -> String {
    if ids.is_empty() { "/compare".to_owned() } else { format!("/compare?products={}", ids.join(",")) }
}
