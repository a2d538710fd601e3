//! An operator's passes over people who are invited already, with an API server and a MongoDB that say so at once.
//!
//! Must never be asked for anything that a pass with nothing to do does not ask for: such calls fail.

use super::nobody::Nobody;
use anyhow::{Context, Result, ensure};
use invitation_operator::api::{InvitationClaim, InvitationClaimSpec, Inviter, ProjectInvitation};
use invitation_operator::controller::cache::Cache;
use invitation_operator::controller::cluster::claim_object;
use invitation_operator::controller::connection::{Connection, Connections};
use invitation_operator::controller::inviter_pass::InviterPasses;
use invitation_operator::controller::inviter_spec::{Access, InviterSettings};
use invitation_operator::controller::memory::Memory;
use invitation_operator::controller::namespaces::NamespaceView;
use invitation_operator::controller::observer::PassOutcome;
use invitation_operator::controller::pass::{PassPorts, PassReport, Passes};
use invitation_operator::controller::roster::{Ask, Freshness, Roster, Rosters};
use invitation_operator::controller::settings::{ControllerSettings, Namespaces};
use invitation_operator::controller::wakes::Wakes;
use invitation_operator::domain::desired::{Life, validate};
use invitation_operator::domain::facts::{Facts, InviterFacts, LastPass, Ownership};
use invitation_operator::domain::key::{claim_key, claim_name};
use invitation_operator::domain::pacer::Rate;
use invitation_operator::domain::remote::{Invitation, ObjectId, Username};
use invitation_operator::domain::timings::Timings;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const NAMESPACE: &str = "team";
const OPERATOR_NAMESPACE: &str = "invitation-operator";
const HOST: &str = "cloud.mongodb.com";
const IDENTITY: &str = "publickey";
const PEOPLE_PER_PROJECT: usize = super::PEOPLE;

/// Passes with everything synced.
pub(super) struct Synced {
    passes: Passes,
    objects: Arc<Cache<ProjectInvitation>>,
    claims: Arc<Cache<InvitationClaim>>,
    rosters: Rosters,
    connection: Connection,
}

impl Synced {
    /// So many people, 500 in each project.
    pub(super) fn people(count: usize) -> Result<Self> {
        let now = Timestamp::now();
        let inviter: Inviter = serde_json::from_value(json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "Inviter",
            "metadata": { "name": "atlas", "namespace": NAMESPACE, "uid": "uid-of-the-inviter", "generation": 1 },
            "spec": { "product": "Atlas", "credentialsSecretRef": { "name": "atlas" } },
        }))?;
        let settings = InviterSettings::of_inviter(&inviter);
        let invitations: Vec<_> = (0..count).map(|number| invitation(number, now)).collect::<Result<_>>()?;
        let nobody = Arc::new(Nobody::with(invitations.clone()));
        let connection =
            Connection { facts: facts_of(&settings), access: Access::Own, api: Arc::<Nobody>::clone(&nobody) };

        let (objects, claims) = (Arc::new(Cache::default()), Arc::new(Cache::default()));
        objects.follow(Event::Init);
        claims.follow(Event::Init);
        for (number, invitation) in invitations.iter().enumerate() {
            let object = object(number)?;
            let spec = claim(&object, invitation, &connection.facts, now)?;
            let mut claim = claim_object(&claim_name(&spec.key), &spec);
            claim.metadata.namespace = Some(OPERATOR_NAMESPACE.to_owned());
            claim.metadata.resource_version = Some("1".to_owned());
            objects.follow(Event::InitApply(object));
            claims.follow(Event::InitApply(claim));
        }
        objects.follow(Event::InitDone);
        claims.follow(Event::InitDone);

        let connections = Arc::new(Connections::default());
        connections.ready(&settings, connection.clone());
        let memory = Arc::new(Memory::default());
        let (wakes, _streams) = Wakes::new(Arc::clone(&objects), Arc::clone(&memory));
        let wakes = Arc::new(wakes);
        let controller = controller_settings();
        let inviters = Arc::new(InviterPasses::new(
            Arc::<Nobody>::clone(&nobody),
            controller.clone(),
            Arc::<Nobody>::clone(&nobody),
            Arc::clone(&connections),
            Arc::clone(&wakes),
            Arc::<Nobody>::clone(&nobody),
        ));
        let ports = PassPorts {
            cluster: Arc::<Nobody>::clone(&nobody),
            objects: Arc::clone(&objects),
            claims: Arc::clone(&claims),
            namespaces: NamespaceView::new(Namespaces::All, None),
            connections,
            inviters,
            wakes: Arc::clone(&wakes),
            memory,
            clock: Arc::<Nobody>::clone(&nobody),
            chance: Arc::<Nobody>::clone(&nobody),
            observer: Arc::<Nobody>::clone(&nobody),
        };
        let passes = Passes::new(ports, controller);
        let rosters = Rosters::new(Arc::<Nobody>::clone(&nobody), nobody, wakes, Timings::default());
        let synced = Self { passes, objects, claims, rosters, connection };
        synced.settle(count)?;
        Ok(synced)
    }

    /// The first passes write each status; then there is nothing to do.
    fn settle(&self, count: usize) -> Result<()> {
        for _ in 0..3 {
            for number in 0..count {
                super::at_once(self.pass(number));
            }
        }
        let report = super::at_once(self.pass(0));
        ensure!(report.outcome == PassOutcome::Unchanged, "a pass still does something: {:?}", report.outcome);
        Ok(())
    }

    /// A pass over the object of this number.
    pub(super) async fn pass(&self, number: usize) -> PassReport {
        self.passes.pass(&ObjectRef::new(&name(number)).within(NAMESPACE)).await
    }

    /// The objects as they are stored.
    pub(super) fn objects(&self) -> Vec<Arc<ProjectInvitation>> {
        self.objects.names_where(|_| true).iter().filter_map(|object| self.objects.get(object)).collect()
    }

    /// The person of this number.
    pub(super) fn person(number: usize) -> Username {
        Username::new(&address(number))
    }

    /// A roster of the first project that is read once.
    pub(super) async fn roster(&self) -> Result<Arc<Roster>> {
        self.look(Freshness::Within(Duration::from_secs(3600))).await
    }

    /// The invitations of the first project read anew, and compared with those before.
    pub(super) async fn renewed_roster(&self) -> Result<Arc<Roster>> {
        self.look(Freshness::Within(Duration::from_nanos(1))).await
    }

    async fn look(&self, freshness: Freshness) -> Result<Arc<Roster>> {
        let roster = self.rosters.look(&self.connection, &project(0)?, freshness, Ask::Usual).await;
        roster.map_err(|trouble| anyhow::anyhow!("no roster: {}", trouble.failure.message))
    }

    /// What a pass over the first object knows.
    pub(super) async fn facts(&self) -> Result<Facts> {
        let object = self.objects.get(&ObjectRef::new(&name(0)).within(NAMESPACE)).context("no object")?;
        let desired = validate(&object).map_err(anyhow::Error::msg)?;
        let key = claim_key(self.connection.facts.product, HOST, &desired.project, &desired.username);
        let claim =
            self.claims.get(&ObjectRef::new(&claim_name(&key)).within(OPERATOR_NAMESPACE)).context("no claim")?;
        let sight = self.roster().await?.find(&desired.username, false, false);
        let status = object.status.as_ref();
        Ok(Facts {
            desired,
            life: Life::Live,
            claim: Some(claim.spec.clone()),
            ownership: Ownership::Mine,
            successor: None,
            owns_another_claim: false,
            status_tells_of_invitation: true,
            status_resend: None,
            status_phase: status.and_then(|status| status.phase),
            asked: false,
            last_pass: LastPass::Rested,
            inviter: self.connection.facts.clone(),
            sight: Some(sight),
            quarantine: None,
            nonce: "nonce".to_owned(),
            mail_cap: 3,
            timings: Timings::default(),
            now: Timestamp::now(),
        })
    }
}

fn name(number: usize) -> String {
    format!("person-{number}")
}

fn address(number: usize) -> String {
    format!("person-{number}@example.com")
}

fn id(prefix: &str, number: usize) -> Result<ObjectId> {
    ObjectId::parse(&format!("{prefix}{number:016x}")).context("no id")
}

fn project(number: usize) -> Result<ObjectId> {
    id("5f1d7c8e", number / PEOPLE_PER_PROJECT)
}

fn invitation(number: usize, now: Timestamp) -> Result<Invitation> {
    Ok(Invitation {
        id: id("64a00000", number)?,
        username: Username::new(&address(number)),
        roles: BTreeSet::from(["GROUP_READ_ONLY".to_owned()]),
        created_at: Some(now),
        expires_at: Some(now + SignedDuration::from_hours(30 * 24)),
        inviter_username: Some(IDENTITY.to_owned()),
        group_id: Some(project(number)?),
        group_name: Some("payments".to_owned()),
    })
}

fn object(number: usize) -> Result<ProjectInvitation> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "invitation-operator.io/v1alpha1", "kind": "ProjectInvitation",
        "metadata": {
            "name": name(number), "namespace": NAMESPACE, "uid": format!("2b6ad6de-8f1a-4d6f-9a3e-{number:012x}"),
            "generation": 1, "resourceVersion": "1", "creationTimestamp": "2026-11-22T01:20:28Z",
            "finalizers": ["invitation-operator.io/invitation"],
        },
        "spec": {
            "projectId": project(number)?.as_str(), "username": address(number), "roles": ["GROUP_READ_ONLY"],
            "inviterRef": { "name": "atlas" },
        },
    }))?)
}

fn claim(
    object: &ProjectInvitation,
    invitation: &Invitation,
    inviter: &InviterFacts,
    now: Timestamp,
) -> Result<InvitationClaimSpec> {
    let project = ObjectId::parse(&object.spec.project_id).context("no project")?;
    let key = claim_key(inviter.product, HOST, &project, &invitation.username);
    Ok(serde_json::from_value(json!({
        "key": key,
        "inviterRef": inviter.recorded,
        "owner": { "namespace": NAMESPACE, "name": object.name_any(), "uid": object.uid() },
        "invitation": {
            "id": invitation.id.as_str(),
            "createdAt": invitation.created_at,
            "expiresAt": invitation.expires_at,
            "inviterUsername": invitation.inviter_username,
            "groupName": invitation.group_name,
            "roles": invitation.roles,
            "origin": "Created",
        },
        "mails": [now],
    }))?)
}

fn facts_of(settings: &InviterSettings) -> InviterFacts {
    InviterFacts {
        recorded: settings.recorded(),
        product: settings.product,
        host: HOST.to_owned(),
        identity: IDENTITY.to_owned(),
        mode: settings.mode,
        adoption: settings.adoption,
        on_unknown: settings.on_unknown,
        allow: settings.allow.clone(),
        // No roster gets too old while it is measured.
        check_interval: Duration::from_secs(24 * 3600),
        revision: "1".to_owned(),
    }
}

fn controller_settings() -> ControllerSettings {
    ControllerSettings {
        operator_namespace: OPERATOR_NAMESPACE.to_owned(),
        namespaces: Namespaces::All,
        allowed_hosts: BTreeSet::from([HOST.to_owned()]),
        max_mails_per_person: 3,
        rate: Rate::Unlimited,
        timings: Timings::default(),
        call_deadline: Duration::from_secs(30),
        watch_renewal: Duration::from_secs(50),
        concurrency: 16,
    }
}
