//! The end of a call: bytes and the completed record.
//!
//! Owns headers every answer has and how its bytes leave. Must never change what an answer says.

use std::time::Duration;

use http::Response;

use super::{
    Outcome, Shared,
    call::Call,
    pieces::Pieces,
    reply::{Content, Reply},
    transform,
};
use crate::fault::Fault;

/// Turns an answer into bytes.
pub(super) fn answer(call: &Call, faults: &[Fault], reply: &Reply) -> Outcome {
    let reply = reply.clone().default_header("server", "mdbws").default_header(
        "x-mongodb-service-version",
        "gitHash=0000000000000000000000000000000000000000; versionString=v20260810",
    );
    let body = reply.bytes(call);
    let flow = transform::flow(faults);
    let length = body.len() + flow.padding;
    let mut response = Response::new(Pieces::new(body, &flow));
    *response.status_mut() = reply.status;
    *response.headers_mut() = (*reply.headers).clone();
    let bodyless = reply.status == http::StatusCode::NO_CONTENT;
    if !(bodyless && matches!(reply.content, Content::Nothing)) {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    Outcome::Answer(response)
}

/// Completes the record of a call.
pub(super) fn record(shared: &Shared, number: u64, elapsed: Duration, outcome: &Outcome) {
    let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    shared.world().log.update(number, |record| {
        record.finished = true;
        record.elapsed_ms = Some(elapsed);
        if let Outcome::Answer(response) = outcome {
            record.status = Some(response.status().as_u16());
            record.error_code =
                response.headers().get("x-error-code").and_then(|code| code.to_str().ok()).map(str::to_owned);
        }
    });
    shared.ring();
}
