//! How a person is found in a roster, and who is shown otherwise by the next one.

use crate::domain::remote::{Invitation, Member, ObjectId, Username};
use crate::domain::roster::Roster;
use crate::domain::testing::{invitation, member};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

fn person(number: u8) -> Username {
    Username::new(&format!("Person-{number}@example.com"))
}

fn invited(number: u8, id: u8, role: u8) -> Invitation {
    Invitation {
        id: ObjectId::parse(&format!("{id:024x}")).unwrap(),
        username: person(number),
        roles: [format!("GROUP_{role}")].into(),
        ..invitation()
    }
}

/// A member with an address beside the user name, if it is another person's number.
fn joined(number: u8, address: u8, role: u8) -> Member {
    Member {
        username: person(number),
        email_address: (address != number).then(|| person(address)),
        roles: [format!("GROUP_{role}")].into(),
        ..member().member.unwrap()
    }
}

fn roster(invitations: Vec<Invitation>, members: Vec<Member>) -> Roster {
    Roster::new(Duration::ZERO, Duration::ZERO, invitations, Arc::new(members.into()))
}

/// Invitations with ids of their own, members with names of their own.
fn lists() -> impl Strategy<Value = (Vec<Invitation>, Vec<Member>)> {
    let invitations = prop::collection::btree_map(0..12_u8, (0..6_u8, 0..2_u8), 0..8);
    let members = prop::collection::btree_map(0..6_u8, (6..12_u8, 0..2_u8, any::<bool>()), 0..5);
    (invitations, members).prop_map(|(invitations, members)| {
        let invitations: BTreeMap<_, _> = invitations;
        let invitations = invitations.into_iter().map(|(id, (number, role))| invited(number, id, role)).collect();
        let members: BTreeMap<u8, _> = members;
        let mut addresses = BTreeSet::new();
        let members = members.into_iter().map(|(number, (address, role, named))| {
            let address = if named && addresses.insert(address) { address } else { number };
            joined(number, address, role)
        });
        (invitations, members.collect())
    })
}

fn shown(roster: &Roster, number: u8) -> (Option<Member>, Vec<Invitation>) {
    let sight = roster.find(&person(number), false, false);
    (sight.member, sight.pending)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_person_is_found_as_by_a_search((invitations, members) in lists()) {
        let roster = roster(invitations.clone(), members.clone());
        for number in 0..12 {
            let mut pending: Vec<_> =
                invitations.iter().filter(|seen| seen.username == person(number)).cloned().collect();
            pending.sort_by_key(|seen| seen.id.clone());
            let member = members.iter().find(|member| member.is(&person(number))).cloned();
            prop_assert_eq!(shown(&roster, number), (member.clone(), pending.clone()));
            prop_assert_eq!(roster.shows(&person(number)), member.is_some() || !pending.is_empty());
        }
    }

    #[test]
    fn just_those_changed_of_whom_something_else_is_shown(before in lists(), after in lists()) {
        let (before, after) = (roster(before.0, before.1), roster(after.0, after.1));
        let changed = before.changed(&after);
        for number in 0..12 {
            let differs = shown(&before, number) != shown(&after, number);
            // Whose row it is hears of it, by either name.
            let told = changed.contains(&person(number));
            prop_assert!(told || !differs, "{}: {:?}", number, changed);
        }
        prop_assert_eq!(before.changed(&before), HashSet::new());
    }

    #[test]
    fn own_writes_leave_what_a_look_would_find((invitations, members) in lists(), number in 0..6_u8, id in 0..12_u8) {
        let before = roster(invitations.clone(), members.clone());
        let made = invited(number, id, 1);
        // An id is one person's.
        let others: Vec<_> =
            invitations.into_iter().filter(|seen| seen.id != made.id || seen.username == made.username).collect();
        let gone: Vec<_> = others.iter().filter(|seen| seen.id != made.id).cloned().collect();
        let there: Vec<_> = gone.iter().cloned().chain([made.clone()]).collect();
        for (now_is, expected) in [(Some(&made), there), (None, gone)] {
            let mut noted = roster(others.clone(), members.clone());
            noted.note(&made.username, &made.id, now_is);
            let expected = Roster::new(Duration::ZERO, Duration::ZERO, expected, noted.members());
            prop_assert_eq!(noted.changed(&expected), HashSet::new());
        }
        prop_assert!(before.all_in(&before.invitations().collect::<Vec<_>>().into()));
    }
}

#[test]
fn a_change_of_roles_and_a_member_who_left_are_changes_and_nothing_else_is() {
    let before = roster(vec![invited(1, 1, 1), invited(2, 2, 1)], vec![joined(3, 7, 1), joined(4, 4, 1)]);
    let with = |people: &[u8]| people.iter().map(|number| person(*number)).collect::<HashSet<_>>();
    let after = roster(vec![invited(2, 2, 1), invited(1, 1, 2)], vec![joined(4, 4, 1), joined(3, 7, 1)]);
    assert_eq!(before.changed(&after), with(&[1]));
    let after = roster(vec![invited(2, 2, 1), invited(1, 1, 1)], vec![joined(4, 4, 1)]);
    assert_eq!(before.changed(&after), with(&[3, 7]), "under both names");
    let after = roster(vec![invited(2, 2, 1)], vec![joined(1, 1, 1), joined(3, 7, 1), joined(4, 4, 1)]);
    assert_eq!(before.changed(&after), with(&[1]), "accepted");
}
