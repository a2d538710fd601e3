//! MongoDB's invitations in process: projects, people, and the outbox that is the oracle.
//!
//! Answers as the simulator of MongoDB's APIs does through the operator's port; the contract suite holds it to that. Must
//! never know a rule of the operator, and never count what the operator believes.

use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// An invitation as the cloud has it.
#[derive(Clone, Debug)]
pub struct Pending {
    /// As it is told.
    pub invitation: Invitation,
    /// Its project.
    pub project: ObjectId,
    /// Lists show it from here on.
    pub listed_from: Duration,
}

/// One e-mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// To whom, in lower case.
    pub to: String,
    /// About which project.
    pub project: ObjectId,
    /// When, in the world's time.
    pub at: Duration,
    /// By whom.
    pub from: String,
}

/// What becomes of the next calls that send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// They make an invitation.
    Ordinary,
    /// People belong to the organisation: they become members at once, and the answer has no id.
    Granted,
}

/// Everything at MongoDB, for one key that is accepted or not.
pub struct Cloud {
    ids: u64,
    pending: Vec<Pending>,
    members: Vec<(ObjectId, Member)>,
    outbox: Vec<Mail>,
    joined: Vec<Username>,
    /// Whether the credentials are accepted.
    pub accepts_credentials: bool,
    /// How long a new invitation is missing from lists.
    pub list_lag: Duration,
    /// How long an invitation lives.
    pub life: Duration,
    /// What becomes of calls that send.
    pub reception: Reception,
}

/// What sending came to.
#[derive(Clone, Debug)]
pub enum Sent {
    /// An invitation.
    Invitation(Box<Invitation>),
    /// A member, without an id.
    Member,
}

fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure { kind, message: message.to_owned() }
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            ids: 0,
            pending: Vec::new(),
            members: Vec::new(),
            outbox: Vec::new(),
            joined: Vec::new(),
            accepts_credentials: true,
            list_lag: Duration::ZERO,
            life: Duration::from_secs(30 * 24 * 3600),
            reception: Reception::Ordinary,
        }
    }
}

impl Cloud {
    /// Every e-mail so far.
    #[must_use]
    pub fn outbox(&self) -> &[Mail] {
        &self.outbox
    }

    /// All invitations that are there at `now`, listed or not.
    pub fn pending(&self, now: Timestamp) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(move |pending| pending.lives(now))
    }

    /// All invitations that have expired by `now`.
    pub fn ended(&self, now: Timestamp) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(move |pending| !pending.lives(now))
    }

    /// Whether an invitation expired a short while ago.
    #[must_use]
    pub fn expired_within(&self, a_while: Duration, at: Duration) -> bool {
        let (now, then) = (crate::world::wall(at), crate::world::wall(at.saturating_sub(a_while)));
        self.pending.iter().any(|pending| pending.lives(then) && !pending.lives(now))
    }

    /// The invitations of a person.
    pub fn pending_of(&self, project: &ObjectId, person: &Username, now: Timestamp) -> impl Iterator<Item = &Pending> {
        self.pending(now).filter(move |pending| pending.project == *project && pending.invitation.username == *person)
    }

    /// Whether the person is a member.
    #[must_use]
    pub fn member(&self, project: &ObjectId, person: &Username) -> Option<&Member> {
        self.members.iter().find(|(at, member)| at == project && member.is(person)).map(|(_, member)| member)
    }

    /// Whether the person ever was a member.
    #[must_use]
    pub fn ever_joined(&self, person: &Username) -> bool {
        self.joined.contains(person)
    }

    fn authorized(&self) -> Result<(), Failure> {
        if self.accepts_credentials {
            Ok(())
        } else {
            Err(failure(FailureKind::CredentialsRejected, "the API refuses the credentials"))
        }
    }

    /// Tries the credentials.
    ///
    /// # Errors
    /// They are refused.
    pub fn probe(&self) -> Result<(), Failure> {
        self.authorized()
    }

    /// The pending invitations that lists show.
    ///
    /// # Errors
    /// The credentials are refused.
    pub fn list(
        &self,
        project: &ObjectId,
        username: Option<&Username>,
        at: Duration,
        now: Timestamp,
    ) -> Result<Vec<Invitation>, Failure> {
        self.authorized()?;
        let shown = self.pending(now).filter(|pending| {
            pending.project == *project
                && pending.listed_from <= at
                && username.is_none_or(|username| pending.invitation.username == *username)
        });
        Ok(shown.map(|pending| pending.invitation.clone()).collect())
    }

    /// The members.
    ///
    /// # Errors
    /// The credentials are refused.
    pub fn members(&self, project: &ObjectId) -> Result<Vec<Member>, Failure> {
        self.authorized()?;
        Ok(self.members.iter().filter(|(at, _)| at == project).map(|(_, member)| member.clone()).collect())
    }

    /// One invitation; nothing when there is none of this id.
    ///
    /// # Errors
    /// The credentials are refused.
    pub fn get(
        &self,
        project: &ObjectId,
        id: &ObjectId,
        at: Duration,
        now: Timestamp,
    ) -> Result<Option<Invitation>, Failure> {
        self.authorized()?;
        let found = self.find(project, id, now).filter(|pending| pending.listed_from <= at);
        Ok(found.map(|pending| pending.invitation.clone()))
    }

    fn find(&self, project: &ObjectId, id: &ObjectId, now: Timestamp) -> Option<&Pending> {
        self.pending(now).find(|pending| pending.project == *project && pending.invitation.id == *id)
    }

    /// Sends an invitation: every success is an e-mail.
    ///
    /// # Errors
    /// The credentials are refused, or the person is a member.
    pub fn send(
        &mut self,
        from: &str,
        project: &ObjectId,
        username: &Username,
        roles: &Roles,
        at: Duration,
        now: Timestamp,
    ) -> Result<Sent, Failure> {
        self.authorized()?;
        if self.member(project, username).is_some() {
            return Err(failure(FailureKind::AlreadyThere, "USER_ALREADY_IN_GROUP"));
        }
        self.outbox.push(Mail {
            to: username.folded().to_owned(),
            project: project.clone(),
            at,
            from: from.to_owned(),
        });
        match self.reception {
            Reception::Ordinary => {
                Ok(Sent::Invitation(Box::new(self.plant(from, project, username, roles, at, now).clone())))
            }
            Reception::Granted => {
                self.join(project, username, roles.clone());
                Ok(Sent::Member)
            }
        }
    }

    /// An invitation comes to be, without an e-mail.
    pub fn plant(
        &mut self,
        from: &str,
        project: &ObjectId,
        username: &Username,
        roles: &Roles,
        at: Duration,
        now: Timestamp,
    ) -> &Invitation {
        self.ids += 1;
        let created = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let life = SignedDuration::try_from(self.life).unwrap_or(SignedDuration::ZERO);
        let id = ObjectId::parse(&format!("{:024x}", self.ids)).expect("24 digits");
        let invitation = Invitation {
            id,
            username: Username::new(username.folded()),
            roles: roles.clone(),
            created_at: Some(created),
            expires_at: Some(created + life),
            inviter_username: Some(from.to_owned()),
            group_id: Some(project.clone()),
            group_name: Some("project".to_owned()),
        };
        let listed_from = at + self.list_lag;
        self.pending.push(Pending { invitation, project: project.clone(), listed_from });
        &self.pending.last().expect("just pushed").invitation
    }

    /// Replaces the roles of a pending invitation.
    ///
    /// # Errors
    /// There is none of this id, or the credentials are refused.
    pub fn update_roles(
        &mut self,
        project: &ObjectId,
        id: &ObjectId,
        roles: &Roles,
        now: Timestamp,
    ) -> Result<Invitation, Failure> {
        self.authorized()?;
        let found = self
            .pending
            .iter_mut()
            .find(|pending| pending.lives(now) && pending.project == *project && pending.invitation.id == *id);
        let pending = found.ok_or_else(|| failure(FailureKind::InvitationGone, "INVALID_INVITATION_ID"))?;
        pending.invitation.roles.clone_from(roles);
        Ok(pending.invitation.clone())
    }

    /// Cancels a pending invitation; `None` when there is none of this id.
    ///
    /// # Errors
    /// The credentials are refused.
    pub fn cancel(&mut self, project: &ObjectId, id: &ObjectId, now: Timestamp) -> Result<Option<Invitation>, Failure> {
        self.authorized()?;
        let found = self
            .pending
            .iter()
            .position(|pending| pending.lives(now) && pending.project == *project && pending.invitation.id == *id);
        Ok(found.map(|index| self.pending.remove(index).invitation))
    }

    fn join(&mut self, project: &ObjectId, person: &Username, roles: Roles) {
        let username = Username::new(person.folded());
        self.joined.push(username.clone());
        let user_id = Some(format!("user-{}", person.folded()));
        self.members.push((project.clone(), Member { user_id, username, email_address: None, roles }));
    }

    /// The person accepts what is pending; `false` when nothing is.
    pub fn accept(&mut self, project: &ObjectId, person: &Username, now: Timestamp) -> bool {
        let Some(roles) = self.pending_of(project, person, now).next().map(|pending| pending.invitation.roles.clone())
        else {
            return false;
        };
        self.withdraw(project, person);
        self.join(project, person, roles);
        true
    }

    /// The person declines, or somebody at MongoDB cancels, everything that is pending.
    pub fn withdraw(&mut self, project: &ObjectId, person: &Username) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| pending.project != *project || pending.invitation.username != *person);
        self.pending.len() < before
    }

    /// A member leaves, or is removed.
    pub fn leave(&mut self, project: &ObjectId, person: &Username) -> bool {
        let before = self.members.len();
        self.members.retain(|(at, member)| at != project || !member.is(person));
        self.members.len() < before
    }
}

impl Pending {
    fn lives(&self, now: Timestamp) -> bool {
        self.invitation.expires_at.is_none_or(|at| now < at)
    }
}
