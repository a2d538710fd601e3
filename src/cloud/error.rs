//! The one table: HTTP status and `errorCode` of an answer that is no success → what it means.
//!
//! The status is read first, the code second: `UNEXPECTED_ERROR` comes with 401, 404 and 500. For a create only what the
//! API itself said no to is a definite no; a 4xx that the API did not write may come from something behind which the
//! invitation was sent. "Gone" rests on `INVALID_INVITATION_ID` alone, on a path that names an invitation. Must never
//! read a success, and never log a detail: it may quote an address.

use super::codes::{Family, family};
use super::endpoint::Endpoint;
use super::limits;
use super::message::compose;
use super::transport::Answer;
use super::wire::problem::Problem;
use crate::api::Product;
use crate::domain::failure::{Failure, FailureKind};
use std::net::IpAddr;
use std::time::Duration;

/// Which call an answer is to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) product: Product,
    pub(super) endpoint: Endpoint,
}

/// What to do about it, for the user; empty where there is nothing to do but wait.
type Advice = &'static str;

const CHECK_PROJECT: Advice = "check spec.projectId, and that the inviter's credentials may see the project";
const CHECK_BASE_URL: Advice = "the answer does not name the project: is baseUrl right?";
const GRANT_ROLE: Advice = "give the inviter's credentials the project role that inviting needs \
                            (Atlas: Project Owner; Cloud Manager and Ops Manager: Project User Admin)";
const NOT_THE_API: Advice = "this answer is not the API's: is baseUrl right, is there a proxy or firewall between?";

const SHUT_DOWN: Advice = "this version of the API has been shut down: is there a newer operator?";
const TOO_MANY: Advice = "too many calls";

/// What an answer that is no success means.
pub(super) fn classify(context: Context, answer: &Answer) -> Failure {
    let problem = Problem::read(answer);
    let status = answer.status.as_u16();
    let retry_after = limits::retry_after(&answer.headers).or_else(|| problem.wait());
    let (kind, advice) = verdict(context, status, &problem, retry_after);
    if family(problem.code()) == Family::Form && kind == FailureKind::Refused {
        let (endpoint, code) = (context.endpoint.label(), problem.code().unwrap_or_default());
        tracing::error!(endpoint, code, status, "the API refuses the form of a request: this is a bug of the operator");
    }
    let detail = if says_the_same_each_time(kind) { problem.detail() } else { None };
    let code = problem.code();
    let message = match (kind, problem.address()) {
        (FailureKind::NotOnAccessList, Some(address)) => compose(status, code, detail, &add_to_access_list(address)),
        _ => compose(status, code, detail, advice),
    };
    Failure { kind, message }
}

/// Whether a 401 is about what the credentials may do, not about the credentials.
pub(super) fn is_about_permission(answer: &Answer) -> bool {
    family(Problem::read(answer).code()) == Family::Permission
}

fn verdict(context: Context, status: u16, problem: &Problem, retry_after: Option<Duration>) -> (FailureKind, Advice) {
    let family = family(problem.code());
    if (400..500).contains(&status) && !problem.is_the_apis() {
        return not_the_apis(context, status, retry_after);
    }
    match status {
        400 => bad_request(context, family),
        401 => unauthorized(family),
        402 => (FailureKind::Refused, "the organization's account is suspended: see its billing"),
        403 => forbidden(family),
        404 => not_found(context, family),
        405 if family == Family::Maintenance => (FailureKind::Maintenance, "writes are closed during an upgrade"),
        409 => (FailureKind::AlreadyThere, ""),
        410 => (FailureKind::Sunset, SHUT_DOWN),
        422 if family == Family::AlreadyThere => (FailureKind::AlreadyThere, ""),
        422 => (FailureKind::Refused, ""),
        429 => (FailureKind::RateLimited { retry_after }, TOO_MANY),
        300..=399 => (FailureKind::Doubtful, "redirects are never followed: is baseUrl right?"),
        408 | 500..=599 => (FailureKind::Unavailable { retry_after }, ""),
        _ if (400..500).contains(&status) => (FailureKind::Doubtful, ""),
        _ => (FailureKind::Unavailable { retry_after }, NOT_THE_API),
    }
}

/// A 4xx without anything of an `ApiError`. Of a create it is no definite no, except a 401: authentication comes before
/// anything is done, whoever asks for it.
fn not_the_apis(context: Context, status: u16, retry_after: Option<Duration>) -> (FailureKind, Advice) {
    let creating = context.endpoint == Endpoint::CreateInvitation;
    match status {
        401 => unauthorized(Family::Unknown),
        408 => (FailureKind::Unavailable { retry_after }, ""),
        409 => (FailureKind::AlreadyThere, ""),
        404 if !creating => (FailureKind::EndpointMissing, CHECK_BASE_URL),
        410 if !creating => (FailureKind::Sunset, SHUT_DOWN),
        429 if !creating => (FailureKind::RateLimited { retry_after }, TOO_MANY),
        _ => (FailureKind::Doubtful, NOT_THE_API),
    }
}

fn bad_request(context: Context, family: Family) -> (FailureKind, Advice) {
    match family {
        Family::InvitationGone => gone(context),
        Family::Throttled => (FailureKind::InvitationThrottled, "too many invitations from this address in a minute"),
        Family::Role => (FailureKind::Refused, "change spec.roles to roles that this project has"),
        Family::Username => (FailureKind::Refused, "this address cannot be invited"),
        Family::Federated => (FailureKind::Refused, "an identity provider owns this person's access"),
        Family::Form => (FailureKind::Refused, "this is a bug of the operator, please report it"),
        Family::Limit => (FailureKind::Refused, "a limit of the project, organization or person is reached"),
        Family::State => (FailureKind::Refused, ""),
        Family::DeleteRefused => (FailureKind::Refused, "the invitation may have been accepted meanwhile"),
        Family::ProjectMissing => (FailureKind::ProjectNotFound, CHECK_PROJECT),
        Family::UseAtlas | Family::UseCloudManager | Family::UseOther => other_product(context, family),
        Family::AlreadyThere => (FailureKind::AlreadyThere, ""),
        Family::SendFailed
        | Family::UserLookup
        | Family::Permission
        | Family::AccessList
        | Family::Suspended
        | Family::Forbidden
        | Family::OtherMissing
        | Family::Maintenance
        | Family::Unknown => (FailureKind::Doubtful, ""),
    }
}

fn unauthorized(family: Family) -> (FailureKind, Advice) {
    if family == Family::Permission {
        return (FailureKind::PermissionMissing, GRANT_ROLE);
    }
    (FailureKind::CredentialsRejected, "check the keys in the inviter's Secret")
}

fn forbidden(family: Family) -> (FailureKind, Advice) {
    match family {
        Family::AccessList => {
            (FailureKind::NotOnAccessList, "add the operator's address to the access list of the inviter's credentials")
        }
        Family::Permission => (FailureKind::PermissionMissing, GRANT_ROLE),
        Family::AlreadyThere => (FailureKind::AlreadyThere, ""),
        Family::SendFailed => (FailureKind::Doubtful, ""),
        Family::InvitationGone
        | Family::Throttled
        | Family::Role
        | Family::Username
        | Family::Federated
        | Family::Form
        | Family::Limit
        | Family::State
        | Family::DeleteRefused
        | Family::Suspended
        | Family::Forbidden
        | Family::ProjectMissing
        | Family::UseAtlas
        | Family::UseCloudManager
        | Family::UseOther
        | Family::UserLookup
        | Family::OtherMissing
        | Family::Maintenance
        | Family::Unknown => (FailureKind::Refused, ""),
    }
}

fn not_found(context: Context, family: Family) -> (FailureKind, Advice) {
    match family {
        Family::InvitationGone => gone(context),
        Family::ProjectMissing => (FailureKind::ProjectNotFound, project_advice(context)),
        Family::UseAtlas | Family::UseCloudManager | Family::UseOther => other_product(context, family),
        Family::UserLookup | Family::SendFailed => (FailureKind::Doubtful, ""),
        Family::OtherMissing => (FailureKind::Refused, ""),
        Family::AlreadyThere => (FailureKind::AlreadyThere, ""),
        Family::Throttled
        | Family::Role
        | Family::Username
        | Family::Federated
        | Family::Form
        | Family::Limit
        | Family::State
        | Family::DeleteRefused
        | Family::Permission
        | Family::AccessList
        | Family::Suspended
        | Family::Forbidden
        | Family::Maintenance
        | Family::Unknown => (FailureKind::EndpointMissing, CHECK_BASE_URL),
    }
}

/// A list, a create or a probe that speaks of an invitation id says nothing that can be relied on.
fn gone(context: Context) -> (FailureKind, Advice) {
    if context.endpoint.names_an_invitation() { (FailureKind::InvitationGone, "") } else { (FailureKind::Doubtful, "") }
}

fn project_advice(context: Context) -> Advice {
    match context.product {
        Product::OpsManager if context.endpoint.is_of_invitations() => {
            "check spec.projectId; invitations need Ops Manager 5.0 or later"
        }
        Product::Atlas | Product::CloudManager | Product::OpsManager => CHECK_PROJECT,
    }
}

fn other_product(context: Context, family: Family) -> (FailureKind, Advice) {
    let to_atlas = "the project belongs to Atlas: use an inviter with product: Atlas";
    let from_atlas = "the project does not belong to Atlas: use an inviter with product: CloudManager or OpsManager";
    let advice = match (family, context.product) {
        (Family::UseAtlas, _) => to_atlas,
        (Family::UseCloudManager, _) | (_, Product::Atlas) => from_atlas,
        (_, Product::CloudManager | Product::OpsManager) => to_atlas,
    };
    (FailureKind::WrongProduct, advice)
}

fn add_to_access_list(address: IpAddr) -> String {
    format!("add {address} to the access list of the inviter's credentials")
}

/// Details of answers that time cures count down or name the request; a message must not change while its cause stays.
fn says_the_same_each_time(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Unavailable { .. }
        | FailureKind::RateLimited { .. }
        | FailureKind::InvitationThrottled
        | FailureKind::NotSent { .. }
        | FailureKind::HeldBack { .. } => false,
        FailureKind::Fenced
        | FailureKind::Unreachable
        | FailureKind::TlsFailed
        | FailureKind::Maintenance
        | FailureKind::CredentialsRejected
        | FailureKind::NotOnAccessList
        | FailureKind::PermissionMissing
        | FailureKind::ProjectNotFound
        | FailureKind::EndpointMissing
        | FailureKind::WrongProduct
        | FailureKind::InvitationGone
        | FailureKind::AlreadyThere
        | FailureKind::Doubtful
        | FailureKind::Refused
        | FailureKind::Sunset => true,
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
