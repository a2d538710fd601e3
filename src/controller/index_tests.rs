//! What an index finds is what a search through the store finds, whatever happened before.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::controller::cache::Cache;
use crate::controller::staging::jane;
use crate::domain::ledger;
use crate::domain::testing;
use kube::ResourceExt;
use kube::runtime::reflector::{ObjectRef, store};
use kube::runtime::watcher::Event;
use proptest::prelude::*;

/// What may happen to a cache: to the object of this name, with this owner.
#[derive(Clone, Debug)]
enum Happens {
    Applied(usize, usize),
    Deleted(usize),
    ListBegins,
    Listed(usize, usize),
    ListEnds,
    Remembered(usize, usize),
    Forgotten(usize),
}

const OWNERS: usize = 4;

fn happens() -> impl Strategy<Value = Happens> {
    let (name, owner) = (0..5_usize, 0..OWNERS);
    prop_oneof![
        4 => (name.clone(), owner.clone()).prop_map(|(name, owner)| Happens::Applied(name, owner)),
        2 => name.clone().prop_map(Happens::Deleted),
        1 => Just(Happens::ListBegins),
        2 => (name.clone(), owner.clone()).prop_map(|(name, owner)| Happens::Listed(name, owner)),
        1 => Just(Happens::ListEnds),
        1 => (name.clone(), owner).prop_map(|(name, owner)| Happens::Remembered(name, owner)),
        1 => name.prop_map(Happens::Forgotten),
    ]
}

fn uid(owner: usize) -> String {
    format!("uid-{owner}")
}

/// A claim of one of several owners; the first of them is nobody.
fn claim(name: usize, owner: usize, version: usize) -> InvitationClaim {
    let mut spec = ledger::owned(&testing::facts());
    if let Some(owned) = &mut spec.owner {
        owned.uid = uid(owner);
    }
    spec.owner = spec.owner.filter(|_| owner > 0);
    let mut claim = InvitationClaim::new(&format!("claim-{name}"), spec);
    claim.metadata.namespace = Some("operator".to_owned());
    claim.metadata.resource_version = Some(version.to_string());
    claim
}

proptest! {
    #[test]
    fn an_index_finds_what_a_search_finds(story in prop::collection::vec(happens(), 0..60)) {
        let (reader, mut writer) = store();
        let cache = Cache::over(reader);
        for (version, event) in story.into_iter().enumerate() {
            let key = |name: usize| ObjectRef::<InvitationClaim>::new(&format!("claim-{name}")).within("operator");
            match event {
                Happens::Applied(name, owner) => {
                    cache.follow(&mut writer, &Event::Apply(claim(name, owner, version)));
                }
                // The event may show another owner than the store.
                Happens::Deleted(name) => cache.follow(&mut writer, &Event::Delete(claim(name, 0, version))),
                Happens::ListBegins => cache.follow(&mut writer, &Event::Init),
                Happens::Listed(name, owner) => {
                    cache.follow(&mut writer, &Event::InitApply(claim(name, owner, version)));
                }
                Happens::ListEnds => cache.follow(&mut writer, &Event::InitDone),
                Happens::Remembered(name, owner) => cache.remember(key(name), claim(name, owner, version)),
                Happens::Forgotten(name) => cache.forget(&key(name)),
            }
            for owner in 0..OWNERS {
                let names = |claims: Vec<Arc<InvitationClaim>>| {
                    let mut names: Vec<_> = claims.iter().map(|claim| (claim.name_any(), claim.resource_version())).collect();
                    names.sort();
                    names
                };
                let owned = |claim: &InvitationClaim| claim.spec.owner.as_ref().is_some_and(|by| by.uid == uid(owner));
                prop_assert_eq!(names(cache.with(&OwnedBy(uid(owner)))), names(cache.store().state_filter(owned)));
                prop_assert_eq!(cache.any(&OwnedBy(uid(owner)), |_| true), cache.store().find(owned).is_some());
            }
        }
    }
}

#[test]
fn an_invitation_is_found_by_its_inviter_and_by_its_person_in_any_case() {
    let facts = testing::facts();
    let (reader, mut writer) = store();
    let cache = Cache::over(reader);
    cache.follow(&mut writer, &Event::Apply(jane()));
    let person = Username::new(&facts.desired.username.as_written().to_uppercase());
    let wish = Wish::For { project: facts.desired.project.as_str().to_owned(), person };
    assert_eq!(cache.with(&wish).len(), 1);
    assert_eq!(cache.with(&Wish::Through(facts.desired.inviter.clone())).len(), 1);
    let elsewhere = InviterName { namespace: Some("elsewhere".to_owned()), ..facts.desired.inviter };
    assert_eq!(cache.with(&Wish::Through(elsewhere)).len(), 0);
}
