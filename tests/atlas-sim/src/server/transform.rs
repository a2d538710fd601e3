//! Answers that faults make up or change.
//!
//! Owns error pages, redirects and tampered bodies. Must never touch state.

use http::StatusCode;
use serde_json::{Value, json};

use super::reply::{Content, Reply};
use crate::{api_error::ApiError, fault::Fault, server::pieces::Flow};

/// The answer a fault gives in place of the real one, and whether the call acts all the same.
pub(crate) fn instead(fault: &Fault) -> Option<(Reply, bool)> {
    match fault {
        Fault::Status { status, code, detail, parameters, retry_after, after_effect } => {
            let status = code_of(*status);
            let error = ApiError {
                status,
                code: code.clone(),
                detail: detail.clone().unwrap_or_else(|| text_of(status)),
                parameters: parameters.clone(),
                retry_after: *retry_after,
            };
            Some((error.reply(), *after_effect))
        }
        Fault::Html { status, after_effect } => {
            let status = code_of(*status);
            let title = text_of(status);
            let page = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1>\r\n\
                 </body>\r\n</html>\r\n"
            );
            let reply = Reply::status(status).raw("text/html", page);
            Some((reply, *after_effect))
        }
        Fault::Json { status, body, after_effect } => {
            let reply = Reply::status(code_of(*status)).json("application/json", body.clone());
            Some((reply, *after_effect))
        }
        Fault::Redirect { status, location } => {
            let reply = Reply::status(code_of(*status)).header("location", location);
            Some((reply, false))
        }
        Fault::Latency { .. }
        | Fault::ResetBefore
        | Fault::ResetAfter
        | Fault::HangBefore
        | Fault::HangAfter
        | Fault::LateEffect { .. }
        | Fault::Trickle { .. }
        | Fault::Truncate { .. }
        | Fault::HugeBody { .. }
        | Fault::EmptyList
        | Fault::ListLag { .. }
        | Fault::ExtraFields
        | Fault::MissingFields { .. }
        | Fault::NoBody => None,
    }
}

/// Changes an answer's content.
pub(crate) fn tamper(mut reply: Reply, fault: &Fault) -> Reply {
    if *fault == Fault::NoBody {
        reply.content = Content::Nothing;
        return reply;
    }
    if let Content::Json(body) = &mut reply.content
        && reply.status.is_success()
    {
        if *fault == Fault::EmptyList {
            empty(body);
        } else if *fault == Fault::ExtraFields {
            extend(body);
        } else if let Fault::MissingFields { fields } = fault {
            strip(body, fields);
        }
    }
    reply
}

/// How the bytes of an answer leave under these faults.
pub(crate) fn flow(faults: &[Fault]) -> Flow {
    let mut flow = Flow::default();
    for fault in faults {
        if let Fault::Trickle { chunk, every } = fault {
            flow.trickle = Some((*chunk, every.duration()));
        } else if let Fault::Truncate { keep } = fault {
            flow.truncate = Some(*keep);
        } else if let Fault::HugeBody { bytes } = fault {
            flow.padding = *bytes;
        }
    }
    flow
}

fn empty(body: &mut Value) {
    match body {
        Value::Array(items) => items.clear(),
        Value::Object(object) => {
            if let Some(Value::Array(results)) = object.get_mut("results") {
                results.clear();
                object.insert("totalCount".to_owned(), json!(0));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn extend(body: &mut Value) {
    match body {
        Value::Array(items) => items.iter_mut().for_each(extend),
        Value::Object(object) => {
            object.values_mut().for_each(extend);
            object.insert("simUnknownFlag".to_owned(), json!(true));
            object.insert("simUnknownObject".to_owned(), json!({"depth": [1, null]}));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn strip(body: &mut Value, fields: &[String]) {
    match body {
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, fields)),
        Value::Object(object) => {
            object.retain(|name, _| !fields.contains(name));
            object.values_mut().for_each(|value| strip(value, fields));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn code_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn text_of(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"))
}
