//! Products and their comparison.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::parameters::FilterParams;
use crate::api::reply::Json;
use crate::api::search::check_length;
use crate::app::snapshot::Snapshot;
use crate::content::catalog::{AttributeType, Catalog, Lang, Product};
use crate::content::eligibility;
use crate::content::front_matter::Status;
use crate::content::library::Library;
use crate::content::validity::Validity;
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, given, list as parted};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::language::{morphology, words};
use crate::search::filter::Filter;

/// The most products compared at one time.
const MAX_COMPARED: usize = 12;

/// A value of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValueView {
    /// The attribute's id.
    pub attribute: String,
    /// What it is called.
    pub label: String,
    /// What sort of value it is.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// As readers see it.
    pub text: String,
    /// Where and when it is in force.
    pub validity: Validity,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView {
    /// Its id.
    pub id: String,
    /// Its family.
    pub family: String,
    /// What its family is called.
    pub family_title: String,
    /// What it is called.
    pub title: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Whether it is in force or archived.
    pub status: Status,
    /// Where and when it is offered.
    pub validity: Validity,
    /// The article about it.
    pub article: Option<String>,
    /// What replaced it.
    pub replaced_by: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Products it cannot stand beside.
    pub not_with: Vec<String>,
    /// Who can have it, in sentences: what it cannot stand beside, what it needs, which tariffs admit it.
    pub rules: Vec<String>,
    /// Its values in force, in the family's order.
    pub values: Vec<ValueView>,
    /// The file it is written in.
    pub source_path: String,
}

/// Products that a filter admits.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductList {
    /// The products, by id.
    pub products: Vec<ProductView>,
    /// How many there are.
    pub total: usize,
}

/// A product as a filter shows it.
pub fn view(product: &Product, library: &Library, lang: Lang, filter: &Filter) -> ProductView {
    let at = filter.standpoint();
    let values = product.values.iter().filter_map(|(attribute, _)| {
        let (attribute, variant) = product.variant(&attribute.id, at)?;
        Some(ValueView {
            attribute: attribute.id.clone(),
            label: attribute.label.get(lang).to_owned(),
            kind: attribute.kind,
            text: variant.show(attribute, lang),
            validity: variant.validity.clone(),
        })
    });
    let names_known = |ids: &[String]| {
        let known = ids.iter().filter(|id| library.catalog.may_know(id, at.clearance));
        known.cloned().collect()
    };
    ProductView {
        id: product.id.clone(),
        family: product.family.clone(),
        family_title: library
            .catalog
            .family(&product.family)
            .map_or_else(|| product.family.clone(), |family| family.title.get(lang).to_owned()),
        title: product.title.get(lang).to_owned(),
        aliases: product.aliases.clone(),
        status: product.status,
        validity: product.validity.clone(),
        article: product.article.clone().filter(|id| library.find_in_force(id, at).is_some()),
        replaced_by: product
            .replaced_by
            .clone()
            .filter(|id| library.catalog.product(id).is_some_and(|p| p.is_offered(at))),
        tags: product.tags.clone(),
        not_with: names_known(&product.not_with),
        rules: eligibility::rules(product, &library.catalog, lang, at),
        values: values.collect(),
        source_path: product.file.clone(),
    }
}

fn is_admitted(product: &Product, filter: &Filter) -> bool {
    product.is_offered(filter.standpoint())
        && filter.status.is_none_or(|status| status == product.status)
        && filter.tags.iter().all(|tag| product.tags.contains(tag))
}

/// Which products.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProductParams {
    /// Words that stand in its names or its family's; the last one may still be being typed.
    q: Option<String>,
    /// Those of this family.
    family: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterParams,
}

/// Lists the products of the catalogue.
#[utoipa::path(get, operation_id = "list_products", path = "/api/v1/products", tag = "products", params(ProductParams, FilterParams), responses(
    (status = 200, description = "Products", body = ProductList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<ProductParams>,
) -> Result<Json<ProductList>, Problem> {
    let filter = params.filter.filter(&asker, state.app.clock.today())?;
    let (text, family) = (params.q.unwrap_or_default(), params.family);
    check_length(&text)?;
    let reply = state.run(move |snapshot| {
        let library = &snapshot.engine.library;
        let lang = filter.lang.unwrap_or_default();
        let found = listed(snapshot, &text, given(family.as_deref()), &filter);
        let products: Vec<_> = found.map(|product| view(product, library, lang, &filter)).collect();
        Ok(ProductList { total: products.len(), products })
    });
    Ok(Json(reply.await?))
}

/// The products a filter admits that have all words of a query in their names, perhaps of one family; the page uses it as well.
pub fn listed<'s>(
    snapshot: &'s Snapshot,
    text: &str,
    family: Option<&'s str>,
    filter: &'s Filter,
) -> impl Iterator<Item = &'s Product> + use<'s> {
    let library = &snapshot.engine.library;
    let asked: Vec<(String, String)> = words::words(text)
        .into_iter()
        .map(|word| (morphology::lemma(&word.form).to_string(), word.form))
        .collect();
    let has_words = move |product: &Product| {
        let family = library.catalog.family(&product.family);
        let family = family.map(|family| family.title.all()).unwrap_or_default();
        let names =
            product.title.all().into_iter().chain(product.aliases.iter().map(String::as_str)).chain(family);
        let names: Vec<String> = names.flat_map(words::words).map(|word| word.form).collect();
        asked.iter().all(|(lemma, form)| {
            names.iter().any(|name| name.starts_with(form) || *morphology::lemma(name) == **lemma)
        })
    };
    library.catalog.products().map(AsRef::as_ref).filter(move |product| {
        is_admitted(product, filter)
            && family.is_none_or(|family| family == product.family)
            && has_words(product)
    })
}

/// A product with its values in force.
#[utoipa::path(get, operation_id = "get_product", path = "/api/v1/products/{id}", tag = "products",
    params(("id" = String, Path, description = "The product's id"), FilterParams), responses(
    (status = 200, description = "The product", body = ProductView),
    (status = 404, description = "No such product, or not offered", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Query(params): Query<FilterParams>,
) -> Result<Json<ProductView>, Problem> {
    let filter = params.filter(&asker, state.app.clock.today())?;
    let reply = state.run(move |snapshot| {
        let library = &snapshot.engine.library;
        let product = find(&library.catalog, &id, &filter)?;
        Ok(view(product, library, filter.lang.unwrap_or_default(), &filter))
    });
    Ok(Json(reply.await?))
}

/// A product that a filter admits.
///
/// # Errors
/// There is none with this id.
pub fn find<'a>(catalog: &'a Catalog, id: &str, filter: &Filter) -> Result<&'a Product, Problem> {
    let product = catalog.product(id).filter(|p| is_admitted(p, filter));
    product.map(AsRef::as_ref).ok_or_else(|| Problem::not_found("product", id))
}

/// What to compare.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareParams {
    /// Ids of the products, parted by commas.
    products: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterParams,
}

/// One attribute of the products compared.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedRow {
    /// The attribute's id.
    pub attribute: String,
    /// What it is called.
    pub label: String,
    /// Values by product; a product without one is absent.
    pub values: BTreeMap<String, String>,
    /// Whether the products differ in it.
    pub differs: bool,
    /// Whether its values are codes or phone numbers, to be dialled as they stand.
    pub is_code: bool,
}

/// Products side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Comparison {
    /// The day it holds for.
    #[schema(value_type = String, format = Date)]
    pub as_of: jiff::civil::Date,
    /// The products, in the order asked for.
    pub products: Vec<ProductView>,
    /// Their attributes.
    pub rows: Vec<ComparedRow>,
    /// Pairs that cannot stand beside each other.
    pub conflicts: Vec<(String, String)>,
    /// The same in sentences.
    pub conflict_texts: Vec<String>,
}

/// Compares products on a day.
#[utoipa::path(get, operation_id = "compare_products", path = "/api/v1/compare", tag = "products", params(CompareParams, FilterParams), responses(
    (status = 200, description = "The comparison", body = Comparison),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 404, description = "No such product", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn compare(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<CompareParams>,
) -> Result<Json<Comparison>, Problem> {
    let filter = params.filter.filter(&asker, state.app.clock.today())?;
    let mut ids = parted(params.products.as_deref());
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    if ids.is_empty() || ids.len() > MAX_COMPARED {
        let message = format!("name 1 to {MAX_COMPARED} products, parted by commas");
        return Err(Problem::invalid(
            Code::InvalidParameter,
            vec![FieldError { name: "products".to_owned(), message }],
        ));
    }
    Ok(Json(state.run(move |snapshot| comparison(snapshot, &ids, &filter)).await?))
}

/// Products side by side; the page uses it as well.
///
/// # Errors
/// One of them is not offered.
pub fn comparison(snapshot: &Snapshot, ids: &[String], filter: &Filter) -> Result<Comparison, Problem> {
    let library = &snapshot.engine.library;
    let lang = filter.lang.unwrap_or_default();
    let found: Vec<&Product> =
        ids.iter().map(|id| find(&library.catalog, id, filter)).collect::<Result<_, _>>()?;
    let products: Vec<ProductView> = found.iter().map(|p| view(p, library, lang, filter)).collect();
    let mut conflicts = Vec::new();
    let mut conflict_texts = Vec::new();
    for (at, product) in found.iter().enumerate() {
        for other in &found[at + 1..] {
            if product.not_with.contains(&other.id) || other.not_with.contains(&product.id) {
                conflicts.push((product.id.clone(), other.id.clone()));
                conflict_texts.push(eligibility::conflict(product, other, lang));
            }
        }
    }
    Ok(Comparison { as_of: filter.day, rows: rows(&products), products, conflicts, conflict_texts })
}

fn rows(products: &[ProductView]) -> Vec<ComparedRow> {
    let mut rows: Vec<ComparedRow> = Vec::new();
    for product in products {
        for value in &product.values {
            let at = rows.iter().position(|row| row.attribute == value.attribute).unwrap_or_else(|| {
                let (attribute, label) = (value.attribute.clone(), value.label.clone());
                let is_code = value.kind == AttributeType::Code;
                rows.push(ComparedRow { attribute, label, values: BTreeMap::new(), differs: false, is_code });
                rows.len() - 1
            });
            rows[at].values.insert(product.id.clone(), value.text.clone());
        }
    }
    for row in &mut rows {
        let mut texts = row.values.values();
        let first = texts.next();
        row.differs = row.values.len() < products.len() || texts.any(|text| Some(text) != first);
    }
    rows
}
