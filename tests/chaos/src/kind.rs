//! Kinds of requests: the positions at which a replica can be hit.
//!
//! Owns how a request is told by method, path and body. Must never look at an answer.

use crate::relay::Call;
use http::Method;
use invitation_operator::api::names::FINALIZER;

/// What a request of the operator is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Reads an object live.
    ReadObject,
    /// Adds the finalizer.
    AddFinalizer,
    /// Removes the finalizer.
    RemoveFinalizer,
    /// Writes the status of an object.
    WriteStatus,
    /// Reads a claim live.
    ReadClaim,
    /// Creates a claim.
    CreateClaim,
    /// Replaces a claim: an attempt, a result, an owner.
    ReplaceClaim,
    /// Deletes a claim.
    DeleteClaim,
    /// Creates or renews the Lease.
    WriteLease,
    /// Reads a Secret.
    ReadSecret,
    /// Publishes an event.
    PublishEvent,
    /// Lists or watches.
    ListOrWatch,
    /// Something else at the API server.
    OtherCluster,
    /// Asks for an access token.
    Token,
    /// Asks for a digest challenge.
    Challenge,
    /// Lists pending invitations.
    ListInvitations,
    /// Lists members.
    ListMembers,
    /// Sends an invitation: the call that e-mails.
    Invite,
    /// Reads an invitation.
    ReadInvitation,
    /// Changes the roles of an invitation.
    UpdateRoles,
    /// Cancels an invitation.
    Cancel,
    /// Something else at MongoDB.
    OtherRemote,
}

impl Kind {
    /// All that a replica can be waited for at: each comes again and again while it leads.
    pub const POSITIONS: [Self; 18] = [
        Self::ReadObject,
        Self::AddFinalizer,
        Self::RemoveFinalizer,
        Self::WriteStatus,
        Self::ReadClaim,
        Self::CreateClaim,
        Self::ReplaceClaim,
        Self::WriteLease,
        Self::ReadSecret,
        Self::PublishEvent,
        Self::ListOrWatch,
        Self::Token,
        Self::Challenge,
        Self::ListInvitations,
        Self::ListMembers,
        Self::Invite,
        Self::ReadInvitation,
        Self::Cancel,
    ];

    /// Whether it comes of what people do to their objects, and not of time alone.
    #[must_use]
    pub fn needs_people(self) -> bool {
        match self {
            Self::AddFinalizer
            | Self::RemoveFinalizer
            | Self::CreateClaim
            | Self::ReplaceClaim
            | Self::DeleteClaim
            | Self::Invite
            | Self::ReadInvitation
            | Self::UpdateRoles
            | Self::Cancel => true,
            Self::ReadObject
            | Self::WriteStatus
            | Self::ReadClaim
            | Self::WriteLease
            | Self::ReadSecret
            | Self::PublishEvent
            | Self::ListOrWatch
            | Self::OtherCluster
            | Self::Token
            | Self::Challenge
            | Self::ListInvitations
            | Self::ListMembers
            | Self::OtherRemote => false,
        }
    }

    /// The kind of a request to the API server.
    #[must_use]
    pub fn of_cluster(call: &Call) -> Self {
        let segments: Vec<&str> = call.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let resource = segments.iter().position(|segment| *segment == "namespaces").map_or(3, |at| at + 2);
        let kind = segments.get(resource).copied().unwrap_or_default();
        let name = segments.get(resource + 1).copied();
        let part = segments.get(resource + 2).copied();
        match (call.method.as_str(), kind, name, part) {
            ("GET", "projectinvitations", Some(_), None) => Self::ReadObject,
            ("PATCH", "projectinvitations", Some(_), None) => {
                let text = String::from_utf8_lossy(&call.body);
                if text.contains(FINALIZER) && !text.contains("\"remove\"") {
                    Self::AddFinalizer
                } else {
                    Self::RemoveFinalizer
                }
            }
            (_, "projectinvitations", Some(_), Some("status")) => Self::WriteStatus,
            ("GET", "invitationclaims", Some(_), None) => Self::ReadClaim,
            ("POST", "invitationclaims", None, None) => Self::CreateClaim,
            ("PUT" | "PATCH", "invitationclaims", Some(_), _) => Self::ReplaceClaim,
            ("DELETE", "invitationclaims", Some(_), None) => Self::DeleteClaim,
            ("POST" | "PUT" | "PATCH", "leases", _, _) => Self::WriteLease,
            ("GET", "secrets", Some(_), None) => Self::ReadSecret,
            ("POST" | "PATCH", "events", _, _) => Self::PublishEvent,
            ("GET", _, None, None) => Self::ListOrWatch,
            _ => Self::OtherCluster,
        }
    }

    /// The kind of a request to MongoDB.
    #[must_use]
    pub fn of_remote(call: &Call) -> Self {
        if !call.authorized {
            return Self::Challenge;
        }
        let segments: Vec<&str> = call.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let last = segments.last().copied().unwrap_or_default();
        let before = segments.iter().rev().nth(1).copied().unwrap_or_default();
        match (&call.method, before, last) {
            (&Method::POST, "oauth", "token") => Self::Token,
            (&Method::GET, _, "invites") => Self::ListInvitations,
            (&Method::GET, _, "users") => Self::ListMembers,
            (&Method::POST, _, "invites") => Self::Invite,
            (&Method::GET, "invites", _) => Self::ReadInvitation,
            (&Method::PATCH, "invites", _) => Self::UpdateRoles,
            (&Method::DELETE, "invites", _) => Self::Cancel,
            _ => Self::OtherRemote,
        }
    }
}
