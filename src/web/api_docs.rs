//! The API reference as a page, made from the OpenAPI document.

use askama::Template;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use utoipa::OpenApi;

use crate::api::openapi::ApiDoc;
use crate::http::problem::Code;
use crate::web::html;
use crate::web::words::Ui;

struct Parameter {
    name: String,
    place: String,
    kind: String,
    description: String,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    parameters: Vec<Parameter>,
    body: Option<String>,
    responses: Vec<(String, String, Option<String>)>,
}

struct Field {
    name: String,
    kind: String,
    description: String,
}

struct Schema {
    name: String,
    description: String,
    fields: Vec<Field>,
    choices: String,
}

struct ErrorCode {
    name: &'static str,
    status: u16,
    title: &'static str,
}

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    ui: Ui,
    description: String,
    operations: Vec<Operation>,
    schemas: Vec<Schema>,
    codes: Vec<ErrorCode>,
}

/// The reference.
pub async fn page(headers: HeaderMap) -> Response {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap_or_default();
    let codes = Code::ALL.iter().map(|code| {
        let (name, status, title) = code.parts();
        ErrorCode { name, status: status.as_u16(), title }
    });
    let page = ApiPage {
        ui: Ui::of(&headers),
        description: text(&document["info"]["description"]),
        operations: operations(&document),
        schemas: schemas(&document),
        codes: codes.collect(),
    };
    html(page.render())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in entries(&document["paths"]) {
        for (method, operation) in entries(methods) {
            let parameters = items(&operation["parameters"]).map(|p| Parameter {
                name: text(&p["name"]),
                place: text(&p["in"]),
                kind: kind_of(&p["schema"]),
                description: text(&p["description"]),
            });
            let body_of =
                |content: &Value| entries(content).next().map(|(_, media)| kind_of(&media["schema"]));
            let responses = entries(&operation["responses"]).map(|(status, response)| {
                (
                    status.clone(),
                    text(&response["description"]),
                    body_of(&response["content"]).filter(|k| !k.is_empty()),
                )
            });
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                summary: text(&operation["summary"]),
                parameters: parameters.collect(),
                body: body_of(&operation["requestBody"]["content"]),
                responses: responses.collect(),
            });
        }
    }
    found
}

fn schemas(document: &Value) -> Vec<Schema> {
    entries(&document["components"]["schemas"])
        .map(|(name, schema)| {
            let fields = entries(&schema["properties"]).map(|(name, field)| Field {
                name: name.clone(),
                kind: kind_of(field),
                description: text(&field["description"]),
            });
            let choices: Vec<String> = items(&schema["enum"])
                .map(text)
                .chain(
                    items(&schema["oneOf"]).flat_map(|one| items(&one["enum"]).map(text).collect::<Vec<_>>()),
                )
                .collect();
            Schema {
                name: name.clone(),
                description: text(&schema["description"]),
                fields: fields.collect(),
                choices: choices.join(", "),
            }
        })
        .collect()
}

/// A schema in a few words: `string`, `[Hit]`, `Answer or null`.
fn kind_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    let of_many = |list: &Value| items(list).map(kind_of).collect::<Vec<_>>().join(" or ");
    if schema["oneOf"].is_array() {
        return of_many(&schema["oneOf"]);
    }
    let named = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    match named.as_str() {
        "array" => format!("[{}]", kind_of(&schema["items"])),
        _ => named,
    }
}
