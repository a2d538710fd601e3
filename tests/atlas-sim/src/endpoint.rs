//! Paths and the operations behind them.
//!
//! Owns routing for every API family (contract §1). Must never read a body or state.

use http::Method;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// An operation, whatever product serves it. Names follow the official `operationId`s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the names are the documentation
pub enum Endpoint {
    GetSystemStatus,
    GetGroup,
    CreateGroupInvite,
    ListGroupInvites,
    GetGroupInvite,
    UpdateGroupInviteById,
    UpdateGroupInvites,
    DeleteGroupInvite,
    AddGroupAccessUser,
    ListGroupUsers,
    GetGroupUser,
    AddGroupUsers,
    AddGroupUserRole,
    RemoveGroupUserRole,
    RemoveGroupUser,
    UpdateGroupUserRoles,
    CreateOrgInvite,
    ListOrgInvites,
    GetOrgInvite,
    UpdateOrgInviteById,
    UpdateOrgInvites,
    DeleteOrgInvite,
    CreateOrgUser,
    ListOrgUsers,
    GetOrgUser,
    UpdateOrgUser,
    RemoveOrgUser,
    AddOrgUserRole,
    RemoveOrgUserRole,
    GetUser,
    GetUserByName,
    ListRateLimits,
    GetRateLimit,
    /// `POST /api/oauth/token`.
    CreateToken,
    /// `POST /api/oauth/revoke`.
    RevokeToken,
    /// A path nobody serves.
    Unknown,
    /// A path somebody serves, with another method.
    WrongMethod,
}

/// The API generation a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `/api/atlas/v2`, versioned by media type.
    AtlasV2,
    /// `/api/atlas/v1.0`, the unversioned Atlas API older clients use.
    AtlasV1,
    /// `/api/public/v1.0` of Cloud Manager and Ops Manager.
    Classic,
    /// `/api/oauth`.
    Oauth,
    /// None of them.
    Other,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) family: Family,
    pub(crate) endpoint: Endpoint,
    /// Project id of `/groups/{id}/…`.
    pub(crate) group: Option<String>,
    /// Organisation id of `/orgs/{id}/…`.
    pub(crate) org: Option<String>,
    /// The last id or name of the path: invitation, user, user name, endpoint set.
    pub(crate) item: String,
}

impl Route {
    /// Finds the operation of a request.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let decoded: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let (family, rest) = match segments.as_slice() {
            ["api", "atlas", "v2", rest @ ..] => (Family::AtlasV2, rest),
            ["api", "atlas", "v1.0", rest @ ..] => (Family::AtlasV1, rest),
            ["api", "public", "v1.0", rest @ ..] => (Family::Classic, rest),
            ["api", "oauth", rest @ ..] => (Family::Oauth, rest),
            _ => (Family::Other, [].as_slice()),
        };
        let mut route = Self { family, endpoint: Endpoint::Unknown, group: None, org: None, item: String::new() };
        match (family, rest) {
            (Family::Oauth, ["token"]) => route.post(method, Endpoint::CreateToken),
            (Family::Oauth, ["revoke"]) => route.post(method, Endpoint::RevokeToken),
            (Family::Other | Family::Oauth, _) => {}
            (_, []) => route.get(method, Endpoint::GetSystemStatus),
            (_, ["groups", group, rest @ ..]) => {
                route.group = Some((*group).to_owned());
                route.group_path(method, rest);
            }
            (_, ["orgs", org, rest @ ..]) => {
                route.org = Some((*org).to_owned());
                route.org_path(method, rest);
            }
            (_, ["users", "byName", name]) => {
                (*name).clone_into(&mut route.item);
                route.get(method, Endpoint::GetUserByName);
            }
            (_, ["users", id]) => {
                (*id).clone_into(&mut route.item);
                route.get(method, Endpoint::GetUser);
            }
            (Family::AtlasV2, ["rateLimits"]) => route.get(method, Endpoint::ListRateLimits),
            (Family::AtlasV2, ["rateLimits", id]) => {
                (*id).clone_into(&mut route.item);
                route.get(method, Endpoint::GetRateLimit);
            }
            _ => {}
        }
        route
    }

    fn group_path(&mut self, method: &Method, rest: &[&str]) {
        match rest {
            [] => self.get(method, Endpoint::GetGroup),
            ["invites"] => self.pick(&[
                (method, Method::POST, Endpoint::CreateGroupInvite),
                (method, Method::GET, Endpoint::ListGroupInvites),
                (method, Method::PATCH, Endpoint::UpdateGroupInvites),
            ]),
            ["invites", id] => {
                (*id).clone_into(&mut self.item);
                self.pick(&[
                    (method, Method::GET, Endpoint::GetGroupInvite),
                    (method, Method::PATCH, Endpoint::UpdateGroupInviteById),
                    (method, Method::DELETE, Endpoint::DeleteGroupInvite),
                ]);
            }
            ["access"] => self.post(method, Endpoint::AddGroupAccessUser),
            ["users"] => self.pick(&[
                (method, Method::GET, Endpoint::ListGroupUsers),
                (method, Method::POST, Endpoint::AddGroupUsers),
            ]),
            ["users", id] => match id.split_once(':') {
                Some((id, "addRole")) => self.act(method, id, Endpoint::AddGroupUserRole),
                Some((id, "removeRole")) => self.act(method, id, Endpoint::RemoveGroupUserRole),
                Some(_) => {}
                None => {
                    (*id).clone_into(&mut self.item);
                    self.pick(&[
                        (method, Method::GET, Endpoint::GetGroupUser),
                        (method, Method::DELETE, Endpoint::RemoveGroupUser),
                    ]);
                }
            },
            ["users", id, "roles"] => {
                (*id).clone_into(&mut self.item);
                self.pick(&[(method, Method::PUT, Endpoint::UpdateGroupUserRoles)]);
            }
            _ => {}
        }
    }

    fn org_path(&mut self, method: &Method, rest: &[&str]) {
        match rest {
            ["invites"] => self.pick(&[
                (method, Method::POST, Endpoint::CreateOrgInvite),
                (method, Method::GET, Endpoint::ListOrgInvites),
                (method, Method::PATCH, Endpoint::UpdateOrgInvites),
            ]),
            ["invites", id] => {
                (*id).clone_into(&mut self.item);
                self.pick(&[
                    (method, Method::GET, Endpoint::GetOrgInvite),
                    (method, Method::PATCH, Endpoint::UpdateOrgInviteById),
                    (method, Method::DELETE, Endpoint::DeleteOrgInvite),
                ]);
            }
            ["users"] => self.pick(&[
                (method, Method::GET, Endpoint::ListOrgUsers),
                (method, Method::POST, Endpoint::CreateOrgUser),
            ]),
            ["users", id] => match id.split_once(':') {
                Some((id, "addRole")) => self.act(method, id, Endpoint::AddOrgUserRole),
                Some((id, "removeRole")) => self.act(method, id, Endpoint::RemoveOrgUserRole),
                Some(_) => {}
                None => {
                    (*id).clone_into(&mut self.item);
                    self.pick(&[
                        (method, Method::GET, Endpoint::GetOrgUser),
                        (method, Method::PATCH, Endpoint::UpdateOrgUser),
                        (method, Method::DELETE, Endpoint::RemoveOrgUser),
                    ]);
                }
            },
            _ => {}
        }
    }

    fn get(&mut self, method: &Method, endpoint: Endpoint) {
        self.pick(&[(method, Method::GET, endpoint)]);
    }

    fn post(&mut self, method: &Method, endpoint: Endpoint) {
        self.pick(&[(method, Method::POST, endpoint)]);
    }

    fn act(&mut self, method: &Method, item: &str, endpoint: Endpoint) {
        item.clone_into(&mut self.item);
        self.post(method, endpoint);
    }

    fn pick(&mut self, choices: &[(&Method, Method, Endpoint)]) {
        self.endpoint = choices
            .iter()
            .find(|(asked, served, _)| *asked == served)
            .map_or(Endpoint::WrongMethod, |(_, _, endpoint)| *endpoint);
    }
}
