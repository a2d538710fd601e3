//! Paged lists.
//!
//! Owns `pageNum`, `itemsPerPage`, `includeCount` and the `{links, results, totalCount}` shape
//! (contract §1.5). Links point to a host nobody should follow, as recorded.

use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    server::{call::Call, reply::Reply},
};

/// Where the recorded answers' links pointed (contract §1.1).
const LINK_BASE: &str = "http://localhost:8080";

/// Cuts one page out of a list.
pub(crate) fn page(call: &Call, items: Vec<Value>) -> Result<Reply, ApiError> {
    let number = call.integer("pageNum", 1, 1, usize::MAX)?;
    let size = call.integer("itemsPerPage", 100, 1, 500)?;
    let counted = call.flag("includeCount", true)?;
    let total = items.len();
    let start = size.saturating_mul(number - 1);
    let results: Vec<Value> = items.into_iter().skip(start).take(size).collect();

    let mut links = vec![link(call, number, "self")];
    if number > 1 {
        links.push(link(call, number - 1, "previous"));
    }
    if start.saturating_add(size) < total {
        links.push(link(call, number + 1, "next"));
    }
    let mut body = json!({"links": links, "results": results});
    if counted && let Some(object) = body.as_object_mut() {
        object.insert("totalCount".to_owned(), json!(total));
    }
    Ok(Reply::value(http::StatusCode::OK, body))
}

/// A link of one resource.
pub(crate) fn self_link(path: &str) -> Value {
    json!([{"href": format!("{LINK_BASE}{path}"), "rel": "self"}])
}

fn link(call: &Call, number: usize, rel: &str) -> Value {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let pairs = call.query.clone().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(pairs.as_bytes()) {
        if name != "pageNum" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("pageNum", &number.to_string());
    json!({"href": format!("{LINK_BASE}{}?{}", call.path, query.finish()), "rel": rel})
}
