//! From a request of the simulated service to its end.
//!
//! Owns the order: log, authenticate, faults, effect, faults again, answer. The effect is one
//! critical section and runs apart from the connection.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Handler, Outcome, Shared, call::Call, detached, ending, log::RequestRecord, reply::Reply, transform};
use crate::{
    api_error::ApiError,
    atlas::{self, Context},
    auth::{self, Caller, Verdict, oauth},
    classic,
    endpoint::{Endpoint, Family, Route},
    fault::{Afterwards, Fault, Subject},
    options::Deployment,
    span::Span,
    world::World,
};

/// Handles calls to the simulated service.
#[derive(Clone, Debug)]
pub(crate) struct Service(pub(crate) Arc<Shared>);

impl Handler for Service {
    fn handle(&self, request: Request<Bytes>, peer: SocketAddr) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let Ok(outcome) = detached(serve(shared, request, peer)).await;
            outcome
        })
    }
}

/// A call with everything found out before its effect.
#[derive(Clone)]
struct Prepared {
    call: Call,
    route: Route,
    caller: Option<Box<Caller>>,
    refused: Option<Box<Reply>>,
    faults: Vec<Fault>,
    started: Instant,
}

async fn serve(shared: Arc<Shared>, request: Request<Bytes>, peer: SocketAddr) -> Outcome {
    let prepared = prepare(&mut shared.world(), request, peer);
    shared.ring();
    let latency = shared.world().behaviour.latency.duration();
    let outcome = proceed(&shared, &prepared, latency).await;
    let outcome = match outcome {
        Step::Answer(reply) => ending::answer(&prepared.call, &prepared.faults, &reply),
        Step::End(Afterwards::Reset) => Outcome::Reset,
        Step::End(Afterwards::Hang) => Outcome::Silence,
    };
    ending::record(&shared, prepared.call.number, prepared.started.elapsed(), &outcome);
    outcome
}

/// Reads, logs, authenticates and draws the faults of a call.
fn prepare(world: &mut World, request: Request<Bytes>, peer: SocketAddr) -> Prepared {
    let (parts, body) = request.into_parts();
    let mut call = Call {
        number: world.log.number(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        method: parts.method,
        headers: parts.headers,
        body,
        peer: peer.ip(),
    };
    if call.peer.is_ipv4() {
        call.peer = peer.ip().to_canonical();
    }
    let mut route = Route::of(&call.method, &call.path);
    if world.deployment == Deployment::OpsManager && route.family != Family::Classic {
        route.family = Family::Other;
        route.endpoint = Endpoint::Unknown;
    }
    let (caller, refused) = match auth::authenticate(world, &call, &route) {
        Verdict::Proven(caller) => (Some(caller), None),
        Verdict::NotNeeded => (None, None),
        Verdict::Refused(reply) => (None, Some(reply)),
    };
    let username = username_of(&call);
    let credential = caller.as_ref().map(|caller| caller.name().to_owned());
    let faults = world.faults.strike(
        &Subject {
            method: call.method.as_str(),
            path: &call.path,
            endpoint: route.endpoint,
            username: username.as_deref(),
            project: route.group.as_deref(),
            credential: credential.as_deref(),
            challenged: refused.is_some(),
        },
        &mut world.mint,
    );
    let record = RequestRecord {
        number: call.number,
        at: world.clock.now().to_string(),
        method: call.method.to_string(),
        path: call.path.clone(),
        query: call.query.clone(),
        endpoint: route.endpoint,
        project: route.group.clone(),
        username,
        auth: auth::kind(&call),
        credential,
        challenged: refused.is_some(),
        status: None,
        error_code: None,
        finished: false,
        elapsed_ms: None,
        faults: faults.iter().map(|f| f.name().to_owned()).collect(),
        user_agent: call.header("user-agent").map(str::to_owned),
    };
    world.log.push(record);
    Prepared { call, route, caller, refused, faults, started: Instant::now() }
}

enum Step {
    Answer(Reply),
    End(Afterwards),
}

/// Everything between the request and its answer.
async fn proceed(shared: &Arc<Shared>, prepared: &Prepared, latency: Duration) -> Step {
    let (mut before, mut behind) = (latency, Duration::ZERO);
    for fault in &prepared.faults {
        if let Fault::Latency { before: b, after } = fault {
            before += b.duration();
            behind += after.duration();
        }
    }
    pause(before).await;
    for fault in &prepared.faults {
        if *fault == Fault::ResetBefore {
            return Step::End(Afterwards::Reset);
        }
        if *fault == Fault::HangBefore {
            return Step::End(Afterwards::Hang);
        }
        if let Fault::LateEffect { after, hang } = fault {
            act_later(shared, prepared, *after);
            return Step::End(if *hang { Afterwards::Hang } else { Afterwards::Reset });
        }
        if let Some((reply, acts)) = transform::instead(fault) {
            if acts {
                act(shared, prepared);
                pause(behind).await;
            }
            return Step::Answer(reply);
        }
    }
    let reply = act(shared, prepared);
    pause(behind).await;
    if prepared.faults.contains(&Fault::ResetAfter) {
        return Step::End(Afterwards::Reset);
    }
    if prepared.faults.contains(&Fault::HangAfter) {
        return Step::End(Afterwards::Hang);
    }
    Step::Answer(prepared.faults.iter().fold(reply, transform::tamper))
}

fn act_later(shared: &Arc<Shared>, prepared: &Prepared, after: Span) {
    let (shared, prepared) = (Arc::clone(shared), prepared.clone());
    tokio::spawn(async move {
        pause(after.duration()).await;
        act(&shared, &prepared);
    });
}

/// The effect, in one critical section.
fn act(shared: &Shared, prepared: &Prepared) -> Reply {
    let reply = {
        let mut world = shared.world();
        let usual = world.behaviour.list_lag;
        for fault in &prepared.faults {
            if let Fault::ListLag { lag } = fault {
                world.behaviour.list_lag = *lag;
            }
        }
        let reply = effect(&mut world, prepared);
        world.behaviour.list_lag = usual;
        reply
    };
    shared.ring();
    reply
}

fn effect(world: &mut World, prepared: &Prepared) -> Reply {
    if let Some(refused) = &prepared.refused {
        return (**refused).clone();
    }
    let (call, route) = (&prepared.call, &prepared.route);
    match (route.family, route.endpoint) {
        (Family::Oauth, Endpoint::CreateToken) => return oauth::token(world, call),
        (Family::Oauth, Endpoint::RevokeToken) => return oauth::revoke(world, call),
        _ => {}
    }
    let Some(caller) = &prepared.caller else {
        return ApiError::no_resource(&call.path).reply();
    };
    if let Err(error) = auth::check_address(caller, call) {
        return error.reply();
    }
    let mut context = Context { world, call, route, caller };
    match route.family {
        Family::Classic => classic::answer(&mut context),
        Family::AtlasV2 | Family::AtlasV1 | Family::Oauth | Family::Other => atlas::answer(&mut context),
    }
}

async fn pause(length: Duration) {
    if !length.is_zero() {
        sleep(length).await;
    }
}

/// The address a call is about: in its query or at the top of its body.
fn username_of(call: &Call) -> Option<String> {
    call.param("username").or_else(|| {
        let body: Value = serde_json::from_slice(&call.body).ok()?;
        Some(body.get("username")?.as_str()?.to_owned())
    })
}
