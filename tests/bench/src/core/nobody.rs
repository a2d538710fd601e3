//! Everything outside the process, for passes that need nothing from there: it shows who is invited, takes what is written,
//! and refuses the rest.

use futures::FutureExt;
use futures::future::BoxFuture;
use invitation_operator::api::{
    CaBundleRef, InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationStatus, Reason,
};
use invitation_operator::cloud::connector::Connect;
use invitation_operator::cloud::room::Room;
use invitation_operator::cloud::{self, Cancelled, Created, InvitesApi};
use invitation_operator::controller::census::Census;
use invitation_operator::controller::chance::Chance;
use invitation_operator::controller::clock::{Clock, SystemClock};
use invitation_operator::controller::cluster::{Cluster, ClusterError, Notice};
use invitation_operator::controller::inviter_spec::InviterSettings;
use invitation_operator::controller::observer::{ElectionNews, MailResult, Observer, PassOutcome};
use invitation_operator::controller::secrets::{Content, Secrets};
use invitation_operator::domain::attempt::AcknowledgedAttempt;
use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::finding::Finding;
use invitation_operator::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Everything outside.
pub(super) struct Nobody {
    invitations: HashMap<ObjectId, Vec<Invitation>>,
}

impl Nobody {
    /// These people are invited.
    pub(super) fn with(all: Vec<Invitation>) -> Self {
        let mut invitations: HashMap<_, Vec<_>> = HashMap::new();
        for invitation in all {
            if let Some(project) = invitation.group_id.clone() {
                invitations.entry(project).or_default().push(invitation);
            }
        }
        Self { invitations }
    }
}

fn refused() -> ClusterError {
    ClusterError::Refused("a pass with nothing to do asks for this".to_owned())
}

fn failed() -> Failure {
    Failure { kind: FailureKind::Fenced, message: "a pass with nothing to do calls this".to_owned() }
}

fn next_version(metadata: &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) {
    let version = metadata.resource_version.as_deref().and_then(|version| version.parse::<u64>().ok());
    metadata.resource_version = Some((version.unwrap_or_default() + 1).to_string());
}

impl Cluster for Nobody {
    fn invitation<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<ProjectInvitation>, ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn claim<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<InvitationClaim>, ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn claims_of<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<InvitationClaim>, ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn create_claim<'a>(
        &'a self,
        _: &'a str,
        _: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        let mut written = seen.clone();
        written.spec = spec.clone();
        next_version(&mut written.metadata);
        async { Ok(written) }.boxed()
    }

    fn delete_claim<'a>(&'a self, _: &'a InvitationClaim) -> BoxFuture<'a, Result<(), ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn add_finalizer<'a>(&'a self, _: &'a ProjectInvitation) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn remove_finalizer<'a>(&'a self, _: &'a ProjectInvitation) -> BoxFuture<'a, Result<(), ClusterError>> {
        async { Err(refused()) }.boxed()
    }

    fn write_status<'a>(
        &'a self,
        object: &'a ProjectInvitation,
        status: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        let mut written = object.clone();
        written.status = Some(status.clone());
        next_version(&mut written.metadata);
        async { Ok(written) }.boxed()
    }

    fn publish<'a>(&'a self, _: &'a ProjectInvitation, _: &'a Notice) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

impl InvitesApi for Nobody {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        async { Ok(()) }.boxed()
    }

    fn list<'a>(
        &'a self,
        project: &'a ObjectId,
        _: Option<&'a Username>,
    ) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        async { Ok(self.invitations.get(project).cloned().unwrap_or_default()) }.boxed()
    }

    fn get<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        async { Err(failed()) }.boxed()
    }

    fn may_create(&self, _: Timestamp) -> bool {
        false
    }

    fn room<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        async { Err(failed()) }.boxed()
    }

    fn create<'a>(
        &'a self,
        _: AcknowledgedAttempt,
        _: Room,
        _: &'a ObjectId,
        _: &'a Username,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        async { Err(failed()) }.boxed()
    }

    fn update_roles<'a>(
        &'a self,
        _: &'a ObjectId,
        _: &'a ObjectId,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>> {
        async { Err(failed()) }.boxed()
    }

    fn cancel<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>> {
        async { Err(failed()) }.boxed()
    }

    fn members<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

impl Secrets for Nobody {
    fn credentials<'a>(&'a self, _: &'a InviterSettings) -> BoxFuture<'a, Result<Content, Finding>> {
        async { Err(Finding::new(Reason::SecretNotFound, "there is none")) }.boxed()
    }

    fn ca_bundle<'a>(&'a self, _: &'a str, _: &'a CaBundleRef) -> BoxFuture<'a, Result<(Vec<u8>, String), Finding>> {
        async { Err(Finding::new(Reason::CaBundleInvalid, "there is none")) }.boxed()
    }
}

impl Connect for Nobody {
    fn connect(&self, _: cloud::Connection) -> Result<Arc<dyn InvitesApi>, Failure> {
        Err(failed())
    }
}

impl Clock for Nobody {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

impl Chance for Nobody {
    fn fraction(&self) -> f64 {
        0.5
    }

    fn unique(&self) -> u128 {
        1
    }
}

impl Observer for Nobody {
    fn pass_finished(&self, _: PassOutcome, _: Duration) {}
    fn mailed(&self, _: MailResult) {}
    fn compensated(&self) {}
    fn watch_failed(&self, _: &'static str) {}
    fn unreadable(&self, _: &'static str) {}
    fn election(&self, _: &ElectionNews) {}
    fn cancellations_paused(&self, _: bool) {}
    fn heartbeat(&self) {}
    fn census(&self, _: &Census) {}
}
