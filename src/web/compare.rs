//! The comparison of products, and the catalogue to choose them from.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use crate::api::parameters::FilterParams;
use crate::api::products::{self, Comparison, ProductView};
use crate::api::search::check_length;
use crate::app::snapshot::Snapshot;
use crate::content::front_matter::Status;
use crate::content::markdown::encode_path;
use crate::http::asker::Asker;
use crate::http::extract::{Query, list};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::filter::{ALL_REGIONS, Filter};
use crate::web::words::Ui;
use crate::web::{filters, html};

/// Products side by side at most; more cannot be compared by eye.
pub const MAX_COMPARED: usize = 4;

/// Products offered for choice at most; words in the field find the others.
const MAX_OFFERED: usize = 120;

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
    id: String,
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
    /// The region and the day asked for; none is every region, today.
    region: String,
    as_of: Option<Date>,
    /// What asks for every region.
    all_regions: &'static str,
    regions: Vec<String>,
    link: String,
    comparison: Option<Comparison>,
    columns: Vec<Column>,
    families: Vec<Family>,
    is_full: bool,
    /// How many products fit but are not shown.
    unshown: usize,
    /// Products asked for that are not offered.
    gone: Vec<String>,
}

/// The page.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<CompareParams>,
) -> Result<Response, Problem> {
    let ui = Ui::of(&headers).with(&asker);
    let mut filter = params.filter.filter(&asker, state.app.clock.today())?;
    filter.lang = Some(filter.lang.unwrap_or(ui.lang));
    let asked = list(params.products.as_deref());
    let text = params.q.unwrap_or_default();
    check_length(&text)?;
    let today = state.app.clock.today();
    let page = state.run(move |snapshot| compare(snapshot, ui, &asked, text, &filter, today)).await?;
    Ok(html(page.render()))
}

fn compare(
    snapshot: &Snapshot,
    ui: Ui,
    asked: &[String],
    text: String,
    filter: &Filter,
    today: Date,
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
    let as_of = Some(filter.day).filter(|day| *day != today);
    let region = filter.region.clone().unwrap_or_default();
    let in_address = filter.region_in_address();
    let address = |ids: &[&str]| address(ids, in_address, as_of);
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
    let catalog = &snapshot.engine.library.catalog;
    let offered: Vec<_> = products::listed(snapshot, &text, None, filter).collect();
    let unshown = offered.len().saturating_sub(MAX_OFFERED);
    for product in offered.into_iter().take(MAX_OFFERED) {
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
        let choice = Choice { is_archived, is_chosen, href, title: product.title.get(ui.lang).to_owned() };
        match families.iter_mut().find(|family| family.id == product.family) {
            Some(family) => family.choices.push(choice),
            None => {
                let title =
                    catalog.family(&product.family).map_or(&*product.family, |f| f.title.get(ui.lang));
                let (id, title) = (product.family.clone(), title.to_owned());
                families.push(Family { id, title, choices: vec![choice] });
            }
        }
    }
    let all: Vec<&str> = chosen.iter().map(String::as_str).collect();
    Ok(ComparePage {
        ui,
        text,
        link: address(&all),
        chosen: chosen.join(","),
        as_of,
        all_regions: if filter.home.is_some() { ALL_REGIONS } else { "" },
        regions: snapshot.regions(&filter.clearance),
        comparison,
        columns,
        families,
        is_full,
        unshown,
        gone,
        region,
    })
}

/// The page with these products, in the same region on the same day.
fn address(ids: &[&str], region: &str, as_of: Option<Date>) -> String {
    let day = as_of.map(|day| day.to_string()).unwrap_or_default();
    let parts = [("products", ids.join(",")), ("region", encode_path(region)), ("as_of", day)];
    // No products is said as well: it is not the same as a comparison that is come back to.
    let given = parts.iter().filter(|(name, value)| *name == "products" || !value.is_empty());
    let given: Vec<String> = given.map(|(name, value)| format!("{name}={value}")).collect();
    format!("/compare?{}", given.join("&"))
}
