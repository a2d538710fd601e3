//! What people and machines do to the world: users of the cluster, people at MongoDB, administrators, failing hardware.
//!
//! Must never know how the operator answers.

use crate::world::{IDENTITY, State, wall};
use invitation_operator::api::names::annotation;
use invitation_operator::api::{Deletion, DeletionPolicy, InviterRef, ProjectInvitationSpec};
use invitation_operator::domain::remote::{ObjectId, Roles, Username};
use kube::ResourceExt;
use std::collections::BTreeMap;
use std::time::Duration;

/// One role.
pub const READER: &str = "GROUP_READ_ONLY";
/// Another one.
pub const WRITER: &str = "GROUP_DATA_ACCESS_READ_WRITE";
/// The inviter of every namespace.
pub const INVITER: &str = "inviter";

/// An object by namespace and name.
pub type Place = (&'static str, &'static str);

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A user applies an object for a person (by number), with so many roles.
    Apply {
        /// Where.
        at: Place,
        /// For whom.
        person: u8,
        /// With how many roles.
        roles: u8,
        /// What deleting it does.
        deletion: DeletionPolicy,
    },
    /// A user applies one for person 0 with a `resend` token in it from the start.
    ApplyWithToken(Place),
    /// A user deletes it.
    Delete(Place),
    /// A user deletes it, and the API server decides on that before it carries it out.
    DeleteSlowly(Place),
    /// A user forces the finalizers away and deletes it.
    ForceAway(Place),
    /// A user asks for another invitation.
    Resend(Place, u8),
    /// A user asks for a fresh look.
    Request(Place, u8),
    /// A user suspends or resumes it.
    Suspend(Place, bool),
    /// A user releases an object that is being deleted.
    Release(Place),
    /// The person accepts.
    Accept(u8),
    /// The person declines, or somebody at MongoDB cancels.
    Decline(u8),
    /// The member leaves.
    Leave(u8),
    /// Somebody else invites the person at MongoDB.
    InviteByHand(u8),
    /// The Secret is deleted.
    LoseSecret,
    /// The Secret is back.
    RestoreSecret,
    /// MongoDB refuses the credentials from now on, or takes them again.
    RevokeKey(bool),
    /// The process dies and starts again after so long.
    Crash(usize, Duration),
    /// The process stands still for so long.
    Freeze(usize, Duration),
    /// The process does not reach Kubernetes for so long.
    CutOff(usize, Duration),
    /// The watches of the process stand still for so long.
    GoStale(usize, Duration),
    /// The wall clock of the process jumps by so many seconds.
    StepClock(usize, i64),
    /// Nothing goes wrong any more: the network is whole, credentials are good.
    Calm,
}

/// The one project.
#[must_use]
pub fn project() -> ObjectId {
    ObjectId::parse("5f0000000000000000000001").expect("24 digits")
}

/// A person by number.
#[must_use]
pub fn person(number: u8) -> Username {
    Username::new(&format!("person-{number}@example.com"))
}

/// So many roles.
#[must_use]
pub fn roles(number: u8) -> Roles {
    [READER, WRITER].into_iter().take(usize::from(number.clamp(1, 2))).map(str::to_owned).collect()
}

impl State {
    /// Does what changes Kubernetes and MongoDB; what happens to processes is the stage's part.
    pub fn act(&mut self, action: &Action, at: Duration) {
        let now = wall(at);
        self.changed(at, || format!("{action:?}"));
        match action {
            Action::Apply { at: (namespace, name), person: number, roles: count, deletion } => {
                self.apply((namespace, name), *number, *count, *deletion, BTreeMap::new(), at);
            }
            Action::ApplyWithToken(place) => {
                let token = (annotation::RESEND.to_owned(), "from the start".to_owned());
                self.apply(*place, 0, 1, DeletionPolicy::Cancel, BTreeMap::from([token]), at);
            }
            Action::Delete((namespace, name)) => {
                self.kubernetes.delete_object(namespace, name, now);
            }
            Action::DeleteSlowly((namespace, name)) => {
                let bare = self.kubernetes.object(namespace, name).filter(|object| object.finalizers().is_empty());
                match bare.and_then(ResourceExt::uid) {
                    Some(uid) => {
                        let (namespace, name) = ((*namespace).to_owned(), (*name).to_owned());
                        let finish: Box<dyn FnOnce(&mut Self) + Send> =
                            Box::new(move |state| state.kubernetes.finish_deletion(&namespace, &name, &uid));
                        self.late.push((at + Duration::from_millis(4), crate::world::Late::Other(finish)));
                    }
                    None => {
                        self.kubernetes.delete_object(namespace, name, now);
                    }
                }
            }
            Action::ForceAway((namespace, name)) => {
                self.kubernetes.edit_object(namespace, name, |object| object.finalizers_mut().clear());
                self.kubernetes.delete_object(namespace, name, now);
            }
            Action::Resend(place, token) => {
                if self.annotate(*place, annotation::RESEND, &format!("token-{token}")) {
                    self.cause_of(*place);
                }
            }
            Action::Request(place, token) => {
                self.annotate(*place, annotation::REQUESTED_AT, &format!("now-{token}"));
            }
            Action::Suspend((namespace, name), suspend) => {
                self.kubernetes.edit_object(namespace, name, |object| object.spec.suspend = *suspend);
            }
            Action::Release(place) => {
                self.annotate(*place, annotation::RELEASE, "true");
            }
            Action::Accept(number) => {
                let person = person(*number);
                self.unrecorded(&person, at);
                self.cloud.accept(&project(), &person, now);
            }
            Action::Decline(number) => {
                let person = person(*number);
                self.unrecorded(&person, at);
                self.cloud.withdraw(&project(), &person);
            }
            Action::Leave(number) => {
                let person = person(*number);
                if self.cloud.leave(&project(), &person) {
                    self.causes.push((project(), person));
                }
            }
            Action::InviteByHand(number) => {
                let person = person(*number);
                if self.cloud.member(&project(), &person).is_none() {
                    self.cloud.plant("somebody@example.com", &project(), &person, &roles(1), at, now);
                }
            }
            Action::LoseSecret => self.secret = None,
            Action::RestoreSecret => {
                let version = u64::try_from(at.as_millis()).unwrap_or(0) + 2;
                self.secret.get_or_insert(version);
            }
            Action::RevokeKey(revoked) => self.cloud.accepts_credentials = !revoked,
            Action::StepClock(process, seconds) => {
                let standing = &mut self.processes[*process];
                standing.skew += jiff::SignedDuration::from_secs(*seconds);
            }
            Action::Freeze(process, length) => {
                let until = self.processes[*process].frozen_until.unwrap_or_default().max(at + *length);
                self.processes[*process].frozen_until = Some(until);
            }
            Action::CutOff(process, length) => self.processes[*process].cut_off_until = Some(at + *length),
            Action::GoStale(process, length) => self.processes[*process].stale_until = Some(at + *length),
            Action::Crash(process, _) => self.processes[*process].doomed = true,
            Action::Calm => {
                self.plan.calm();
                self.cloud.accepts_credentials = true;
                self.secret.get_or_insert(1);
                for standing in &mut self.processes {
                    standing.cut_off_until = None;
                    standing.stale_until = None;
                    standing.frozen_until = standing.frozen_until.map(|until| until.min(at + Duration::from_millis(1)));
                }
            }
        }
    }

    fn apply(
        &mut self,
        place: Place,
        number: u8,
        count: u8,
        deletion: DeletionPolicy,
        annotations: BTreeMap<String, String>,
        at: Duration,
    ) {
        let (namespace, name) = place;
        let wanted: Vec<String> = roles(count).into_iter().collect();
        if self.kubernetes.object(namespace, name).is_some() {
            self.kubernetes.edit_object(namespace, name, |object| {
                object.spec.roles = wanted;
                object.spec.deletion.invitation = deletion;
            });
            return;
        }
        let spec = ProjectInvitationSpec {
            project_id: project().as_str().to_owned(),
            // People are written in any case.
            username: if place.1.len().is_multiple_of(2) {
                person(number).as_written().to_owned()
            } else {
                format!("Person-{number}@Example.com")
            },
            roles: wanted,
            inviter_ref: InviterRef { kind: invitation_operator::api::InviterKind::Inviter, name: INVITER.to_owned() },
            suspend: false,
            ready_when: invitation_operator::api::ReadyWhen::Invited,
            deletion: Deletion { invitation: deletion },
        };
        self.kubernetes.create_object(namespace, name, spec, annotations, wall(at));
        self.causes.push((project(), person(number)));
    }

    /// Returns whether the annotation is new on an object that lives.
    fn annotate(&mut self, (namespace, name): Place, key: &str, value: &str) -> bool {
        let mut new = false;
        self.kubernetes.edit_object(namespace, name, |object| {
            let before = object.annotations_mut().insert(key.to_owned(), value.to_owned());
            new = before.as_deref() != Some(value) && object.metadata.deletion_timestamp.is_none();
        });
        new
    }

    fn cause_of(&mut self, (namespace, name): Place) {
        if let Some(object) = self.kubernetes.object(namespace, name) {
            self.causes.push((project(), Username::new(&object.spec.username)));
        }
    }

    /// What a person does to an invitation that no claim has recorded cannot be known: another e-mail may follow.
    fn unrecorded(&mut self, person: &Username, at: Duration) {
        let ours = self.cloud.pending_of(&project(), person, wall(at)).any(|pending| {
            let id = pending.invitation.id.as_str();
            let recorded = self
                .kubernetes
                .claims()
                .any(|claim| claim.spec.invitation.as_ref().is_some_and(|invitation| invitation.id == id));
            pending.invitation.inviter_username.as_deref() == Some(IDENTITY) && !recorded
        });
        if ours {
            self.causes.push((project(), person.clone()));
        }
    }
}
