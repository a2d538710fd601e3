//! The mails people would have got.
//!
//! Owns the record every test of "exactly one e-mail" rests on: whatever would mail a person writes
//! here, in the same critical section as its effect.

use serde::{Deserialize, Serialize};

use super::World;

/// One e-mail to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Why it was sent.
    pub kind: MailKind,
    /// Address, as the service stores it.
    pub to: String,
    /// Id of the project, empty for a pure organisation invitation.
    pub project: String,
    /// Simulated time, RFC 3339.
    pub at: String,
    /// Invitation it is about.
    pub invitation_id: Option<String>,
    /// Number of the request that caused it, as in the request log; 0 for none.
    pub request: u64,
}

/// Why a mail was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailKind {
    /// A legacy project invitation, first or repeated.
    ProjectInvitation,
    /// An organisation invitation, with or without project roles (the users API sends these).
    OrganizationInvitation,
    /// Access was granted at once to somebody who belongs to the organisation.
    AccessGranted,
}

impl World {
    /// Records a mail.
    pub(crate) fn mail(&mut self, kind: MailKind, project: &str, to: &str, invitation: Option<&str>, request: u64) {
        let mail = Mail {
            kind,
            to: to.to_owned(),
            project: project.to_owned(),
            at: self.clock.now().to_string(),
            invitation_id: invitation.map(str::to_owned),
            request,
        };
        self.outbox.push(mail);
    }
}
