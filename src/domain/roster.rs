//! A roster: one view of a project, as one inviter's credentials saw it, and what differs between two.
//!
//! Owns how a person is found in it: by the username in any case, members also by the address that the API reports beside
//! it. Finding costs by the people of that name and not by the people of the project. Must never be made of lists that may be
//! short.

use super::facts::Sight;
use super::remote::{Invitation, Member, ObjectId, Roles, Username};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// One view of a project.
#[derive(Clone, Debug)]
pub struct Roster {
    /// When it was begun, in this process's monotonic time.
    pub started: Duration,
    /// When the last one was begun that read the members as well: what it shows of nobody counts as seen then.
    pub complete: Duration,
    invitations: Invitations,
    members: Arc<Members>,
}

/// The invitations to a project.
#[derive(Clone, Debug)]
pub struct Invitations {
    /// By the person, and the id.
    rows: Vec<Arc<Row>>,
}

/// An invitation: thousands are kept, and most say the same but for the person.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    id: ObjectId,
    username: Username,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    rest: Arc<Rest>,
}

/// What invitations have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rest {
    roles: Roles,
    inviter_username: Option<String>,
    group_id: Option<ObjectId>,
    group_name: Option<String>,
}

impl Row {
    /// What it has in common with others is kept once: `share` finds it there.
    fn of(invitation: Invitation, share: impl FnOnce(Rest) -> Arc<Rest>) -> Self {
        let Invitation { id, username, roles, created_at, expires_at, inviter_username, group_id, group_name } =
            invitation;
        let rest = share(Rest { roles, inviter_username, group_id, group_name });
        Self { id, username, created_at, expires_at, rest }
    }

    fn place(&self) -> (&str, &ObjectId) {
        (self.username.folded(), &self.id)
    }

    fn read(&self) -> Invitation {
        let Rest { roles, inviter_username, group_id, group_name } = self.rest.as_ref();
        Invitation {
            id: self.id.clone(),
            username: self.username.clone(),
            roles: roles.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            inviter_username: inviter_username.clone(),
            group_id: group_id.clone(),
            group_name: group_name.clone(),
        }
    }
}

/// The members of a project.
#[derive(Debug)]
pub struct Members {
    /// By the username.
    rows: Vec<Member>,
    /// Those with an address beside the username: the address, and where in `rows`.
    addresses: Vec<(Username, usize)>,
}

/// The part of a sorted list that has the key.
fn same<'a, T>(sorted: &'a [T], key: &str, key_of: impl Fn(&T) -> &str) -> &'a [T] {
    let begin = sorted.partition_point(|one| key_of(one) < key);
    let rest = sorted.get(begin..).unwrap_or_default();
    let length = rest.partition_point(|one| key_of(one) <= key);
    rest.get(..length).unwrap_or_default()
}

impl From<Vec<Member>> for Members {
    fn from(mut rows: Vec<Member>) -> Self {
        rows.shrink_to_fit();
        rows.sort_by(|one, other| one.username.folded().cmp(other.username.folded()));
        let places = rows.iter().enumerate();
        let mut addresses: Vec<_> =
            places.filter_map(|(place, member)| Some((member.email_address.clone()?, place))).collect();
        addresses.sort_by(|(one, _), (other, _)| one.folded().cmp(other.folded()));
        Self { rows, addresses }
    }
}

impl From<Vec<Invitation>> for Invitations {
    fn from(invitations: Vec<Invitation>) -> Self {
        let mut known: HashSet<Arc<Rest>> = HashSet::new();
        let mut share = |rest: Rest| {
            if let Some(known) = known.get(&rest) {
                return Arc::clone(known);
            }
            let rest = Arc::new(rest);
            known.insert(Arc::clone(&rest));
            rest
        };
        let mut rows: Vec<_> = invitations.into_iter().map(|seen| Arc::new(Row::of(seen, &mut share))).collect();
        rows.sort_by(|one, other| one.place().cmp(&other.place()));
        // They came to lie in the room that the answer had taken.
        rows.shrink_to_fit();
        Self { rows }
    }
}

impl Members {
    fn find(&self, person: &Username) -> Option<&Member> {
        let named = same(&self.rows, person.folded(), |member| member.username.folded()).first();
        named.or_else(|| {
            let (_, place) = same(&self.addresses, person.folded(), |(address, _)| address.folded()).first()?;
            self.rows.get(*place)
        })
    }
}

impl Roster {
    /// Of the lists that were read: `members` may be those of an earlier one, begun at `complete`.
    #[must_use]
    pub fn new(
        started: Duration,
        complete: Duration,
        invitations: impl Into<Invitations>,
        members: Arc<Members>,
    ) -> Self {
        Self { started, complete, invitations: invitations.into(), members }
    }

    /// What it shows of one person.
    #[must_use]
    pub fn find(&self, person: &Username, absence_settled: bool, fresh: bool) -> Sight {
        Sight {
            member: self.members.find(person).cloned(),
            pending: self.pending(person).iter().map(|seen| seen.read()).collect(),
            absence_settled,
            fresh,
        }
    }

    /// How many invitations and members it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.invitations.rows.len() + self.members.rows.len()
    }

    /// Whether it shows the person at all.
    #[must_use]
    pub fn shows(&self, person: &Username) -> bool {
        self.members.find(person).is_some() || !self.pending(person).is_empty()
    }

    fn pending(&self, person: &Username) -> &[Arc<Row>] {
        same(&self.invitations.rows, person.folded(), |seen| seen.username.folded())
    }

    /// Everybody who is invited.
    pub fn invitations(&self) -> impl Iterator<Item = Invitation> {
        self.invitations.rows.iter().map(|seen| seen.read())
    }

    /// The members, for the next roster.
    #[must_use]
    pub fn members(&self) -> Arc<Members> {
        Arc::clone(&self.members)
    }

    /// Whether everybody whom it shows as invited still is.
    #[must_use]
    pub fn all_in(&self, invitations: &Invitations) -> bool {
        let ids: HashSet<_> = invitations.rows.iter().map(|seen| &seen.id).collect();
        self.invitations.rows.iter().all(|seen| ids.contains(&seen.id))
    }

    /// When the last of the invitations was sent.
    #[must_use]
    pub fn youngest(&self) -> Option<Timestamp> {
        self.invitations.rows.iter().filter_map(|seen| seen.created_at).max()
    }

    /// Enters an own write: the person's invitation as it now is, or that it is gone.
    pub fn note(&mut self, person: &Username, id: &ObjectId, now_is: Option<&Invitation>) {
        let begin = self.invitations.rows.partition_point(|seen| seen.username.folded() < person.folded());
        let end = begin + self.pending(person).len();
        let known = (begin..end).find(|place| self.invitations.rows.get(*place).is_some_and(|seen| seen.id == *id));
        if let Some(place) = known {
            self.invitations.rows.remove(place);
        }
        if let Some(now) = now_is {
            let known =
                |rest: &Rest| self.invitations.rows.iter().map(|seen| &seen.rest).find(|known| ***known == *rest);
            let row = Row::of(now.clone(), |rest| known(&rest).cloned().unwrap_or_else(|| Arc::new(rest)));
            let place = self.invitations.rows.partition_point(|seen| seen.place() < row.place());
            self.invitations.rows.insert(place, Arc::new(row));
        }
    }

    /// Everybody of whom the next roster shows something else: by the usernames, and by the addresses beside them.
    #[must_use]
    pub fn changed(&self, next: &Self) -> HashSet<Username> {
        let mut changed = HashSet::new();
        differing(
            &self.invitations.rows,
            &next.invitations.rows,
            |seen| seen.username.folded(),
            |rows| changed.extend(rows.first().map(|seen| seen.username.clone())),
        );
        if !Arc::ptr_eq(&self.members, &next.members) {
            let names = |member: &Member| [Some(member.username.clone()), member.email_address.clone()];
            differing(
                &self.members.rows,
                &next.members.rows,
                |member| member.username.folded(),
                |rows| changed.extend(rows.iter().flat_map(names).flatten()),
            );
        }
        changed
    }
}

/// Tells the rows, before and after, of each key whose rows differ.
fn differing<'a, T: PartialEq>(
    before: &'a [T],
    after: &'a [T],
    key_of: impl Fn(&T) -> &str,
    mut tell: impl FnMut(&'a [T]),
) {
    fn key<'a, T>(rows: &'a [T], key_of: &impl Fn(&T) -> &str) -> &'a str {
        rows.first().map_or("", key_of)
    }
    let same_key = |one: &T, other: &T| key_of(one) == key_of(other);
    let mut known: HashMap<&str, &[T]> = before.chunk_by(same_key).map(|rows| (key(rows, &key_of), rows)).collect();
    for rows in after.chunk_by(same_key) {
        match known.remove(key(rows, &key_of)) {
            Some(before) if before == rows => {}
            Some(before) => {
                tell(before);
                tell(rows);
            }
            None => tell(rows),
        }
    }
    known.into_values().for_each(tell);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::testing;

    #[test]
    fn what_invitations_have_in_common_is_kept_once_that_of_own_writes_too() {
        let invited = |number: u8, roles: &str| Invitation {
            id: ObjectId::parse(&format!("64a00000000000000000{number:04x}")).unwrap(),
            username: Username::new(&format!("person-{number}@example.com")),
            roles: [roles.to_owned()].into(),
            ..testing::invitation()
        };
        let read = vec![invited(1, "GROUP_OWNER"), invited(2, "GROUP_READ_ONLY"), invited(3, "GROUP_READ_ONLY")];
        let mut roster = Roster::new(Duration::ZERO, Duration::ZERO, read, Arc::new(Vec::new().into()));
        let sent = [invited(4, "GROUP_READ_ONLY"), invited(5, "GROUP_DATA_ACCESS_ADMIN")];
        for sent in &sent {
            roster.note(&sent.username, &sent.id, Some(sent));
        }
        let kept: HashSet<_> = roster.invitations.rows.iter().map(|row| Arc::as_ptr(&row.rest)).collect();
        assert_eq!((roster.invitations.rows.len(), kept.len()), (5, 3));
    }
}
