//! Answer templates: listed, shown, filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answers::sms::SmsLength;
use crate::answers::template::{Channel, Template, Variable};
use crate::answers::templates::{FillError, Filling};
use crate::api::parameters::asked_region;
use crate::api::reply::Json;
use crate::content::catalog::Lang;
use crate::content::front_matter::Located;
use crate::content::library::Library;
use crate::content::validity::{Standpoint, Validity};
use crate::content::values;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id, Query, Reader, given};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::search::filter::Filter;

/// The most templates in one reply.
const MAX_LISTED: usize = 200;

/// Which templates.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateParams {
    /// Those that belong to this article.
    article: Option<String>,
    /// Those about this product.
    product: Option<String>,
    /// Those with a body for this channel: chat, sms, email, voice.
    channel: Option<String>,
    /// Those that hold all these words.
    q: Option<String>,
    /// Those in this language: ru or en.
    lang: Option<String>,
    /// Those in force in this region.
    region: Option<String>,
    /// Those in force on this day; today by default.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
}

/// A template.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its language.
    pub lang: Lang,
    /// Channels it has bodies for.
    pub channels: Vec<Channel>,
    /// What the operator fills in.
    pub variables: Vec<Variable>,
    /// Products it is about.
    pub products: Vec<String>,
    /// Articles it belongs to.
    pub articles: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where and when it may be used.
    pub validity: Validity,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The bodies as written, by channel.
    pub bodies: BTreeMap<&'static str, String>,
}

/// Templates found.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// The templates.
    pub templates: Vec<TemplateView>,
    /// How many there are in all.
    pub total: usize,
}

/// A template for who asks; of articles and products one may not know of, none is named.
pub fn view(template: &Template, library: &Library, at: Standpoint<'_>) -> TemplateView {
    let may_know = |id: &&Located| library.catalog.may_know(&id.text, at.clearance);
    let readable = |source: &str| {
        values::expand(source, |reference| match library.catalog.may_name(reference.name, at.clearance) {
            true => source[reference.range.clone()].to_owned(),
            false => "{{ … }}".to_owned(),
        })
    };
    let may_read = |id: &&Located| library.may_know(&id.text, at.clearance);
    TemplateView {
        id: template.id.clone(),
        title: template.title.clone(),
        lang: template.lang,
        channels: template.bodies.iter().map(|b| b.channel).collect(),
        variables: template.variables.clone(),
        products: template.products.iter().filter(may_know).map(|p| p.text.to_string()).collect(),
        articles: template.articles.iter().filter(may_read).map(|a| a.text.to_string()).collect(),
        tags: template.tags.clone(),
        validity: template.validity.clone(),
        owner: template.owner.clone(),
        bodies: template.bodies.iter().map(|b| (b.channel.name(), readable(&b.source))).collect(),
    }
}

/// Lists answer templates: those of an article come in the order they fit it.
#[utoipa::path(get, operation_id = "list_templates", path = "/api/v1/templates", tag = "templates", params(TemplateParams), responses(
    (status = 200, description = "Templates", body = TemplateList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<TemplateParams>,
) -> Result<Json<TemplateList>, Problem> {
    let mut reader = Reader::default();
    let day = reader.date("as_of", params.as_of.as_deref(), state.app.clock.today());
    let channel = reader.choice("channel", params.channel.as_deref(), Channel::NAMES);
    let lang = reader.choice("lang", params.lang.as_deref(), Lang::NAMES);
    reader.finish(Code::InvalidParameter)?;
    let own = asker.filter(day);
    let filter = Filter { region: asked_region(params.region.as_deref(), own.region.clone()), ..own };
    let reply = state.run(move |snapshot| {
        let engine = &snapshot.engine;
        let at = filter.standpoint();
        let found: Vec<&Arc<Template>> = match given(params.article.as_deref()) {
            Some(id) => {
                // Of an article one may not read, nothing belongs to it.
                let article = engine.library.find_in_force(id, at);
                article.map_or_else(Vec::new, |article| {
                    let products: Vec<&str> = article.products().collect();
                    engine.templates.for_article(id, &products, article.lang, at)
                })
            }
            None => engine.templates.all().filter(|t| t.in_force(at)).collect(),
        };
        let product = given(params.product.as_deref());
        // What one may not know of is about nothing.
        let is_hidden = product.is_some_and(|id| !engine.library.catalog.may_know(id, at.clearance));
        let query = given(params.q.as_deref());
        let fits = |t: &Template| {
            !is_hidden
                && channel.is_none_or(|channel| t.body(channel).is_some())
                && lang.is_none_or(|lang| t.lang == lang)
                && product.is_none_or(|product| t.products.iter().any(|p| &*p.text == product))
                && query.is_none_or(|query| t.matches(query))
        };
        let fitting: Vec<&Arc<Template>> = found.into_iter().filter(|t| fits(t)).collect();
        let templates = fitting.iter().take(MAX_LISTED).map(|t| view(t, &engine.library, at)).collect();
        Ok(TemplateList { templates, total: fitting.len() })
    });
    Ok(Json(reply.await?))
}

/// A template with its variables and bodies.
#[utoipa::path(get, operation_id = "get_template", path = "/api/v1/templates/{id}", tag = "templates",
    params(("id" = String, Path, description = "The template's id; it may hold slashes")), responses(
    (status = 200, description = "The template", body = TemplateView),
    (status = 404, description = "No such template, or not in force", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<TemplateView>, Problem> {
    let snapshot = state.snapshot()?;
    let engine = &snapshot.engine;
    let filter = asker.filter(state.app.clock.today());
    let at = filter.standpoint().anywhere();
    let found = engine.templates.find(&id).filter(|t| t.in_force(at));
    found.map(|t| Json(view(t, &engine.library, at))).ok_or_else(|| Problem::not_found("template", &id))
}

/// What to fill in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderRequest {
    /// The template's id.
    template: String,
    /// chat, sms, email or voice.
    channel: String,
    /// Values by variable: texts, numbers, true or false.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    values: BTreeMap<String, serde_json::Value>,
    /// The day catalogue values are asked for; today by default.
    #[schema(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// The region they are asked for.
    region: Option<String>,
}

/// A filled-in answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenderReply {
    /// Plain text, ready to be sent.
    pub text: String,
    /// The same as clean HTML.
    pub html: String,
    /// Required variables without a value, and catalogue values that are not in force: while there are any, the text must not go out.
    pub missing: Vec<String>,
    /// How long it is as SMS.
    pub sms: SmsLength,
}

/// Fills in a template for a channel.
#[utoipa::path(post, operation_id = "render_template", path = "/api/v1/render", tag = "templates", request_body = RenderRequest, responses(
    (status = 200, description = "The answer", body = RenderReply),
    (status = 400, description = "The body is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 404, description = "No such template", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 422, description = "A value does not fit its variable", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn render(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<RenderRequest>,
) -> Result<Json<RenderReply>, Problem> {
    let mut reader = Reader::default();
    let day = reader.date("as_of", request.as_of.as_deref(), state.app.clock.today());
    let channel = reader.choice("channel", Some(&request.channel), Channel::NAMES);
    reader.finish(Code::InvalidBody)?;
    let Some(channel) = channel else {
        let error = FieldError { name: "channel".to_owned(), message: "must be named".to_owned() };
        return Err(Problem::invalid(Code::InvalidBody, vec![error]));
    };
    let values = read_values(request.values)?;
    let own = asker.filter(day);
    let region = asked_region(request.region.as_deref(), own.region);
    let reply = state.run(move |snapshot| {
        let engine = &snapshot.engine;
        let catalog = Arc::clone(&engine.library.catalog);
        let filling = Filling { catalog, day, region, clearance: own.clearance };
        let filled =
            engine.templates.fill(&request.template, channel, &values, &filling).map_err(fill_problem)?;
        Ok(RenderReply { text: filled.text, html: filled.html, missing: filled.missing, sms: filled.sms })
    });
    Ok(Json(reply.await?))
}

fn read_values(values: BTreeMap<String, serde_json::Value>) -> Result<BTreeMap<String, String>, Problem> {
    let mut texts = BTreeMap::new();
    for (name, value) in values {
        let text = match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Bool(yes) => if yes { "yes" } else { "no" }.to_owned(),
            serde_json::Value::Null => continue,
            _ => {
                let message = "must be a text, a number, true or false".to_owned();
                return Err(Problem::invalid(Code::InvalidBody, vec![FieldError { name, message }]));
            }
        };
        texts.insert(name, text);
    }
    Ok(texts)
}

fn fill_problem(error: FillError) -> Problem {
    match error {
        FillError::NotFound(id) => Problem::not_found("template", &id),
        FillError::NoChannel { .. } => Problem::new(Code::InvalidValue, error.to_string()),
        FillError::Value { name, why } => {
            Problem::invalid(Code::InvalidValue, vec![FieldError { name, message: why }])
        }
        FillError::Template(why) => Problem::new(Code::InvalidValue, why),
    }
}
