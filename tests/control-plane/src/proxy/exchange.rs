//! One request through a proxy, and its answer back.
//!
//! Must never: hand on a part of an answer that a rule stops.

use std::fmt;
use std::sync::Arc;

use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, TRANSFER_ENCODING};

use super::Upstream;
use super::rules::Trouble;
use super::traffic::{Passage, Traffic};

type Answer = hyper::Response<UnsyncBoxBody<Bytes, Broken>>;

/// The connection is to break here.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is broken off")
    }
}

impl std::error::Error for Broken {}

/// Hands a request on and its answer back, as far as the rules allow. An
/// error breaks the connection.
pub(super) async fn exchange(
    request: hyper::Request<Incoming>,
    traffic: Arc<Traffic>,
    upstream: Arc<Upstream>,
) -> Result<Answer, Broken> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let (passage, trouble) = traffic.arrived(request.method().as_str(), &target);
    let cut = passage.cut();
    tokio::select! {
        () = cut.cancelled() => Err(Broken),
        answer = answer(request, &target, passage, trouble, &upstream) => answer,
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    target: &str,
    passage: Passage,
    trouble: Option<Trouble>,
    upstream: &Upstream,
) -> Result<Answer, Broken> {
    match trouble {
        None | Some(Trouble::HoldAnswer) => {}
        Some(Trouble::Delay(time)) => tokio::time::sleep(time).await,
        Some(Trouble::Hold) => passage.lifted().await,
        Some(Trouble::CutBefore) => return Err(Broken),
        Some(Trouble::CutAfter) => {
            let answer = hand_on(request, target, upstream).await?;
            passage.answered(answer.status().as_u16());
            let _ = answer.bytes().await;
            return Err(Broken);
        }
        Some(Trouble::Answer { status, body }) => {
            let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
            let answer = hyper::Response::builder().status(status).header(CONTENT_TYPE, "application/json");
            return answer.body(body).map_err(|_| Broken);
        }
    }
    let answer = hand_on(request, target, upstream).await?;
    passage.answered(answer.status().as_u16());
    passage.free().await;
    Ok(handed_back(answer, passage))
}

async fn hand_on(
    request: hyper::Request<Incoming>,
    target: &str,
    upstream: &Upstream,
) -> Result<reqwest::Response, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let mut headers = parts.headers;
    for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let url = format!("{}{target}", upstream.server);
    let request = upstream.client.request(parts.method, url).headers(headers).body(body);
    request.send().await.map_err(|_| Broken)
}

/// The answer, piece by piece as it comes: each waits until no rule stops it.
fn handed_back(answer: reqwest::Response, passage: Passage) -> Answer {
    let (mut parts, body) = hyper::Response::<reqwest::Body>::from(answer).into_parts();
    for name in [CONNECTION, TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    let pieces = stream::unfold(Some((body, passage)), |under_way| async {
        let (mut body, passage) = under_way?;
        let cut = passage.cut();
        let piece = async {
            let piece = body.frame().await;
            passage.free().await;
            piece
        };
        let piece = tokio::select! {
            () = cut.cancelled() => Some(Err(Broken)),
            piece = piece => piece.map(|frame| frame.map_err(|_| Broken)),
        };
        let piece = piece?;
        let next = piece.is_ok().then_some((body, passage));
        Some((piece, next))
    });
    hyper::Response::from_parts(parts, BodyExt::boxed_unsync(StreamBody::new(pieces.boxed())))
}
