//! Paths of the control API.
//!
//! Owns their dispatch. Every path mirrors one method of the library's `Simulator`.

use bytes::Bytes;
use http::{Method, Request};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Answer, Control, Refusal};
use crate::{behaviour::Behaviour, span::Span, world::World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Person {
    project_id: String,
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Member {
    project_id: String,
    username: String,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrgMember {
    org_id: String,
    username: String,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Domain {
    org_id: String,
    domain: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Forget {
    tokens: bool,
    nonces: bool,
    limits: bool,
}

/// Answers a control call.
pub(super) fn answer(control: &Control, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path().trim_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    let Some((&"sim", rest)) = segments.split_first() else {
        return Err(Refusal::missing("the control API lives under /sim/"));
    };
    let mut world = control.shared.world();
    let world = &mut *world;
    match (request.method(), rest) {
        (&Method::GET, ["status"]) => Ok(json!({
            "baseUrl": &*control.base_url,
            "now": world.clock.now().to_string(),
            "projects": world.projects.keys().collect::<Vec<_>>(),
        })),
        (&Method::POST, ["seed"]) => out(&world.plant(read(request)?)),
        (&Method::POST, ["organizations"]) => Ok(json!({"id": world.plant_organization(read(request)?)})),
        (&Method::POST, ["projects"]) => Ok(json!({"id": world.plant_project(read(request)?)})),
        (&Method::POST, ["credentials"]) => out(&world.plant_credential(read(request)?)),
        (&Method::DELETE, ["credentials", id]) => found(world.credentials.remove(id), "no such credential"),
        (&Method::POST, ["accounts"]) => {
            let account: crate::seed::AccountSeed = read(request)?;
            Ok(json!({"id": world.account(&account.username).id}))
        }
        (&Method::POST, ["members"]) => {
            let member: Member = read(request)?;
            world.join_project(&member.project_id, &member.username, &member.roles);
            known_project(world, &member.project_id)
        }
        (&Method::POST, ["org-members"]) => {
            let member: OrgMember = read(request)?;
            world.join_org(&member.org_id, &member.username, &member.roles);
            found(world.orgs.contains_key(&member.org_id), "no such organisation")
        }
        (&Method::POST, ["federated-domains"]) => {
            let domain: Domain = read(request)?;
            let org = world.orgs.get_mut(&domain.org_id);
            let org = org.ok_or_else(|| Refusal::missing("no such organisation"))?;
            org.federated_domains.push(domain.domain);
            Ok(json!({}))
        }
        (&Method::GET, ["invitations"]) => out(&world.invitation_views(&project(request)?)),
        (&Method::GET, ["members"]) => out(&world.member_views(&project(request)?)),
        (&Method::POST, [what @ ("accept" | "decline" | "expire" | "remove")]) => {
            let person: Person = read(request)?;
            let (project, username) = (&person.project_id, &person.username);
            let done = match *what {
                "accept" => world.accept(project, username),
                "decline" => world.decline(project, username),
                "expire" => world.expire(project, username),
                _ => world.leave_project(project, username),
            };
            found(done, "nothing of this person there")
        }
        (&Method::GET, ["clock"]) => Ok(json!({"now": world.clock.now().to_string()})),
        (&Method::POST, ["clock"]) => {
            let by: Advance = read(request)?;
            world.clock.advance(by.advance.duration());
            Ok(json!({"now": world.clock.now().to_string()}))
        }
        (&Method::GET, ["behaviour"]) => out(&world.behaviour),
        (&Method::PATCH, ["behaviour"]) => patch_behaviour(world, request),
        (&Method::POST, ["forget"]) => {
            let what: Forget = read(request)?;
            forget(world, &what);
            Ok(json!({}))
        }
        (&Method::POST, ["drain", project]) => {
            crate::atlas::drain(world, project);
            known_project(world, project)
        }
        _ => records(world, request, rest),
    }
}

/// Outbox, request log and faults.
fn records(world: &mut World, request: &Request<Bytes>, rest: &[&str]) -> Answer {
    match (request.method(), rest) {
        (&Method::GET, ["outbox"]) => {
            let to = param(request, "to").map(|to| to.to_lowercase());
            let mails: Vec<_> =
                world.outbox.iter().filter(|mail| to.as_ref().is_none_or(|to| mail.to.to_lowercase() == *to)).collect();
            out(&mails)
        }
        (&Method::DELETE, ["outbox"]) => {
            world.outbox.clear();
            Ok(json!({}))
        }
        (&Method::GET, ["requests"]) => out(&world.log.records),
        (&Method::DELETE, ["requests"]) => {
            world.log.records.clear();
            Ok(json!({}))
        }
        (&Method::GET, ["faults"]) => out(&world.faults.active),
        (&Method::POST, ["faults"]) => Ok(json!({"id": world.faults.add(read(request)?)})),
        (&Method::DELETE, ["faults"]) => {
            world.faults.active.clear();
            Ok(json!({}))
        }
        (&Method::DELETE, ["faults", id]) => {
            let id = id.parse().map_err(|_| Refusal::bad("not a number"))?;
            found(world.faults.remove(id), "no such fault")
        }
        _ => Err(Refusal::missing("no such control path")),
    }
}

fn patch_behaviour(world: &mut World, request: &Request<Bytes>) -> Answer {
    let patch: Value = read(request)?;
    let Value::Object(patch) = patch else {
        return Err(Refusal::bad("an object is wanted"));
    };
    let mut current = out(&world.behaviour)?;
    if let Some(object) = current.as_object_mut() {
        object.extend(patch);
    }
    let changed: Behaviour = serde_json::from_value(current).map_err(|error| Refusal::bad(error.to_string()))?;
    let bypass = changed.ops_manager_bypass;
    let before = world.behaviour.ops_manager_bypass;
    world.behaviour = changed;
    world.behaviour.ops_manager_bypass = before;
    world.set_bypass(bypass);
    out(&world.behaviour)
}

fn forget(world: &mut World, what: &Forget) {
    if what.tokens {
        world.credentials.tokens.clear();
    }
    if what.nonces {
        world.credentials.nonces.clear();
    }
    if what.limits {
        world.limits.clear();
    }
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refusal> {
    serde_json::from_slice(request.body()).map_err(|error| Refusal::bad(error.to_string()))
}

fn out<T: Serialize + ?Sized>(value: &T) -> Answer {
    serde_json::to_value(value).map_err(|error| Refusal::bad(error.to_string()))
}

fn found(found: bool, otherwise: &str) -> Answer {
    if found { Ok(json!({})) } else { Err(Refusal::missing(otherwise)) }
}

fn known_project(world: &World, id: &str) -> Answer {
    found(world.projects.contains_key(id), "no such project")
}

fn project(request: &Request<Bytes>) -> Result<String, Refusal> {
    param(request, "projectId").ok_or_else(|| Refusal::bad("projectId is wanted"))
}

fn param(request: &Request<Bytes>, name: &str) -> Option<String> {
    form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
