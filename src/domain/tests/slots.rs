//! What needs a slot.

use crate::api::Mode;
use crate::domain::decide::decide;
use crate::domain::facts::{Facts, Sight};
use crate::domain::testing::{absent, facts, invitation, member, pending};

#[test]
fn only_the_way_to_a_mail_needs_a_slot() {
    let needs = |facts: &Facts| decide(facts).needs_slot(facts);
    let stale = |sight: Sight| Facts { sight: Some(Sight { fresh: false, ..sight }), ..facts() };
    assert!(needs(&facts()), "the invitation itself");
    assert!(needs(&stale(absent())), "the fresh look before it");
    assert!(!needs(&stale(member())) && !needs(&stale(pending(invitation()))), "who is there already waits for none");
    let observed = |sight| {
        let mut facts = Facts { sight: Some(sight), ..facts() };
        facts.inviter.mode = Mode::Observe;
        facts
    };
    assert!(!needs(&observed(absent())) && !needs(&observed(Sight { fresh: false, ..absent() })), "nothing is sent");
}
