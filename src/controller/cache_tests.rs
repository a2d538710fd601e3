//! A cache finds what a search through all of it would, says what has gone, and never forgets an own write.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::api::InvitationClaim;
use crate::controller::kept::{Tie, Wish};
use crate::controller::staging::jane;
use crate::domain::desired::InviterName;
use crate::domain::ledger;
use crate::domain::remote::Username;
use crate::domain::testing;
use k8s_openapi::api::core::v1::ConfigMap;
use proptest::prelude::*;
use std::collections::BTreeMap;

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

/// What a watch has shown: names, and the version and the owner of each.
#[derive(Default)]
struct Shown {
    claims: BTreeMap<usize, (usize, usize)>,
    /// What the list in progress has not shown.
    unlisted: BTreeMap<usize, (usize, usize)>,
}

impl Shown {
    fn puts(&mut self, name: usize, version: usize, owner: usize) {
        self.unlisted.remove(&name);
        self.claims.insert(name, (version, owner));
    }

    fn ends_a_list(&mut self) {
        for name in std::mem::take(&mut self.unlisted).keys() {
            self.claims.remove(name);
        }
    }

    fn of(&self, owner: usize) -> Vec<(String, Option<String>)> {
        let found = self.claims.iter().filter(|(_, (_, by))| *by == owner && owner > 0);
        found.map(|(name, (version, _))| (format!("claim-{name}"), Some(version.to_string()))).collect()
    }
}

proptest! {
    #[test]
    fn a_cache_finds_what_a_search_finds(story in prop::collection::vec(happens(), 0..60)) {
        let (cache, mut shown) = (Cache::default(), Shown::default());
        for (version, event) in story.into_iter().enumerate() {
            let key = |name: usize| ObjectRef::<InvitationClaim>::new(&format!("claim-{name}")).within("operator");
            match event {
                Happens::Applied(name, owner) => {
                    shown.puts(name, version, owner);
                    cache.follow(Event::Apply(claim(name, owner, version)));
                }
                // The event may show another owner than the shelf.
                Happens::Deleted(name) => {
                    shown.claims.remove(&name);
                    shown.unlisted.remove(&name);
                    cache.follow(Event::Delete(claim(name, 0, version)));
                }
                Happens::ListBegins => {
                    shown.unlisted = shown.claims.clone();
                    cache.follow(Event::Init);
                }
                Happens::Listed(name, owner) => {
                    shown.puts(name, version, owner);
                    cache.follow(Event::InitApply(claim(name, owner, version)));
                }
                Happens::ListEnds => {
                    shown.ends_a_list();
                    cache.follow(Event::InitDone);
                }
                Happens::Remembered(name, owner) => cache.remember(key(name), claim(name, owner, version)),
                Happens::Forgotten(name) => cache.forget(&key(name)),
            }
            let names = |claims: Vec<InvitationClaim>| {
                let mut names: Vec<_> = claims.iter().map(|claim| (claim.name_any(), claim.resource_version())).collect();
                names.sort();
                names
            };
            for owner in 1..OWNERS {
                let tie = Tie::Owner(uid(owner));
                let expected = shown.of(owner);
                prop_assert_eq!(cache.any(&tie, |_| true), !expected.is_empty());
                prop_assert_eq!(cache.names_with(&tie).len(), expected.len());
                prop_assert_eq!(names(cache.with(&tie)), expected);
            }
            prop_assert_eq!(cache.len(), shown.claims.len());
            prop_assert_eq!(names(cache.all().collect()).len(), shown.claims.len());
            prop_assert_eq!(cache.names_where(|brief| brief.owner.is_none()).len(), shown.claims.values().filter(|(_, owner)| *owner == 0).count());
            for name in 0..5 {
                prop_assert_eq!(cache.holds(&key(name)), shown.claims.contains_key(&name));
            }
        }
    }
}

#[test]
fn an_invitation_is_found_by_its_inviter_and_by_its_person_in_any_case() {
    let facts = testing::facts();
    let cache = Cache::default();
    cache.follow(Event::Apply(jane()));
    let person = Username::new(&facts.desired.username.as_written().to_uppercase());
    let project = facts.desired.project.as_str().to_owned();
    let inviter = facts.desired.inviter;
    assert_eq!(cache.with(&Wish::For { project: project.clone(), person }).len(), 1);
    assert_eq!(cache.with(&Wish::Through(inviter.clone())).len(), 1);
    let elsewhere = InviterName { namespace: Some("elsewhere".to_owned()), ..inviter.clone() };
    assert_eq!(cache.with(&Wish::Through(elsewhere)).len(), 0);
    assert_eq!(
        cache.names_with(&Wish::In { inviter: inviter.clone(), project }),
        [ObjectRef::new("jane").within("team-a")]
    );
    assert_eq!(cache.with(&Wish::In { inviter, project: "another".to_owned() }).len(), 0);
}

/// A cache of objects in one namespace.
#[derive(Default)]
struct Followed(Cache<ConfigMap>);

impl Followed {
    /// What is told of these events.
    fn watches(&self, events: impl IntoIterator<Item = Event<ConfigMap>>) -> Vec<String> {
        let told = events.into_iter().flat_map(|event| self.0.follow(event));
        let uid = |object: &ConfigMap| object.uid().unwrap_or_default();
        told.map(|told| match &told.event {
            Event::Init => "init".to_owned(),
            Event::InitDone => "done".to_owned(),
            Event::Delete(object) => format!("gone {}", uid(object)),
            Event::InitApply(object) | Event::Apply(object) if told.is_news => format!("news of {}", uid(object)),
            Event::InitApply(object) | Event::Apply(object) => format!("shows {}", uid(object)),
        })
        .collect()
    }

    fn writes(&self, name: &str, version: u64) {
        self.0.remember(key(name), object(name, version));
    }

    fn holds(&self, name: &str) -> Option<u64> {
        self.0.get(&key(name)).map(|object| version(object.as_ref()))
    }
}

impl Kept for ConfigMap {
    type Key = ();
    type Brief = ();

    fn keys(&self) -> Vec<()> {
        Vec::new()
    }

    fn brief(&self) {}
}

fn made(name: &str, uid: &str) -> ConfigMap {
    let mut object = object(name, 1);
    object.metadata.uid = Some(uid.to_owned());
    object
}

fn object(name: &str, version: u64) -> ConfigMap {
    let mut object = ConfigMap::default();
    object.metadata.name = Some(name.to_owned());
    object.metadata.namespace = Some("a".to_owned());
    object.metadata.resource_version = Some(version.to_string());
    object
}

fn key(name: &str) -> ObjectRef<ConfigMap> {
    ObjectRef::new(name).within("a")
}

fn list(objects: impl IntoIterator<Item = ConfigMap>) -> Vec<Event<ConfigMap>> {
    let shown = objects.into_iter().map(Event::InitApply);
    [Event::Init].into_iter().chain(shown).chain([Event::InitDone]).collect()
}

#[test]
fn an_own_write_is_served_until_the_watch_has_got_past_it() {
    let followed = Followed::default();
    followed.watches(list([object("one", 1)]));
    followed.writes("one", 5);
    assert_eq!(followed.holds("one"), Some(5));
    followed.watches([Event::Apply(object("one", 4))]);
    assert_eq!(followed.holds("one"), Some(5), "an older change came late");
    followed.watches([Event::Apply(object("one", 6))]);
    assert_eq!(followed.holds("one"), Some(6));
}

#[test]
fn an_own_write_of_what_was_made_anew_outlives_the_news_of_the_old_ones_end() {
    let followed = Followed::default();
    followed.watches(list([object("one", 1)]));
    followed.writes("one", 8);
    followed.watches([Event::Delete(object("one", 7))]);
    assert_eq!(followed.holds("one"), Some(8));
}

#[test]
fn a_write_whose_answer_comes_after_the_news_of_the_objects_end_brings_nothing_back() {
    let followed = Followed::default();
    followed.watches(list([object("one", 1)]));
    followed.watches([Event::Delete(object("one", 6))]);
    followed.writes("one", 5);
    assert_eq!(followed.holds("one"), None);
}

#[test]
fn what_the_watch_has_shown_before_the_answer_came_is_not_kept_twice() {
    let followed = Followed::default();
    let kept = |followed: &Followed| followed.0.ahead().written.len();
    followed.watches(list([object("one", 1)]));
    followed.watches([Event::Apply(object("one", 5))]);
    followed.writes("one", 5);
    assert_eq!((kept(&followed), followed.holds("one")), (0, Some(5)));
    followed.watches([Event::Apply(object("two", 7)), Event::Delete(object("two", 8))]);
    followed.writes("two", 7);
    assert_eq!((kept(&followed), followed.holds("two")), (0, None));
    followed.writes("one", 9);
    assert_eq!((kept(&followed), followed.holds("one")), (1, Some(9)));
}

#[test]
fn a_list_ends_what_was_written_before_it_and_nothing_else() {
    let followed = Followed::default();
    followed.watches(list([object("one", 1)]));
    followed.writes("one", 5);
    followed.watches([Event::Init]);
    followed.writes("two", 9);
    followed.watches([Event::InitDone]);
    assert_eq!(followed.holds("one"), None, "deleted while nobody watched");
    assert_eq!(followed.holds("two"), Some(9), "the list may be older");
}

#[test]
fn what_a_relist_no_longer_shows_is_said_to_be_gone_after_it() {
    let followed = Followed::default();
    followed.watches(list([made("one", "1"), made("two", "2")]));
    assert_eq!(followed.watches(list([made("two", "2")])), ["init", "shows 2", "done", "gone 1"]);
    assert_eq!((followed.holds("one"), followed.holds("two")), (None, Some(1)));
}

#[test]
fn what_another_uid_has_replaced_is_said_to_be_gone_before_it() {
    let followed = Followed::default();
    followed.watches(list([made("one", "1")]));
    let anew = list([made("one", "2")]).into_iter().chain([Event::Apply(made("one", "3"))]);
    assert_eq!(followed.watches(anew), ["init", "gone 1", "news of 2", "done", "gone 2", "news of 3"]);
}

#[test]
fn a_list_that_breaks_off_makes_nothing_gone() {
    let followed = Followed::default();
    let both = || [made("one", "1"), made("two", "2")];
    followed.watches(list(both()));
    let broken = [Event::Init, Event::InitApply(made("two", "2"))];
    let told = followed.watches(broken.into_iter().chain(list(both())));
    assert!(told.iter().all(|told| !told.starts_with("gone")), "{told:?}");
    assert_eq!(followed.0.len(), 2);
}

#[test]
fn what_nobody_asked_for_is_no_news() {
    let followed = Followed::default();
    let shown = |generation: i64, version: u64| {
        let mut object = object("one", version);
        object.metadata.generation = Some(generation);
        object.metadata.uid = Some("1".to_owned());
        object
    };
    assert_eq!(followed.watches([Event::Apply(shown(1, 1))]), ["news of 1"]);
    assert_eq!(followed.watches([Event::Apply(shown(1, 2))]), ["shows 1"], "a status was written");
    assert_eq!(followed.watches([Event::Apply(shown(2, 3))]), ["news of 1"]);
    assert_eq!(followed.watches(list([shown(2, 3)])), ["init", "shows 1", "done"]);
    assert_eq!(followed.watches(list([shown(3, 4)])), ["init", "news of 1", "done"], "what the watch has missed");
}

#[test]
fn a_list_is_told_of_when_it_is_complete() {
    let followed = Followed::default();
    followed.watches([Event::Init, Event::InitApply(object("one", 1))]);
    assert!(!followed.0.listed().is_cancelled());
    followed.watches([Event::InitDone]);
    assert!(followed.0.listed().is_cancelled());
}
