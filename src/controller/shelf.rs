//! Packed objects by their names and keys.
//!
//! Costs a few words per object beside the packed text: a slot, and a hash for its name and for each key. Who is found by a
//! hash is read to be sure, unless no more than a name is wanted. Must never serve what was taken.

use super::kept::Kept;
use super::packed::{Packed, Press};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// The objects of one kind.
pub(super) struct Shelf<K: Kept> {
    press: Press,
    hasher: RandomState,
    slots: Vec<Option<Slot<K>>>,
    free: Vec<usize>,
    /// By the hash of a name or a key: where. Half a hash is enough to find few, and there are seven for each person.
    places: BTreeSet<(u32, u32)>,
    /// Lists begun so far.
    lists: u32,
}

struct Slot<K: Kept> {
    name: Name,
    packed: Packed<K>,
    brief: K::Brief,
    /// The list that showed it last, or during which it was shown.
    list: u32,
}

/// Namespace and name, in one piece.
#[derive(PartialEq)]
struct Name(Box<str>);

impl Name {
    fn of(namespace: Option<&str>, name: &str) -> Self {
        Self(format!("{}/{name}", namespace.unwrap_or_default()).into())
    }

    fn reference<K: Kept>(&self) -> ObjectRef<K> {
        match self.0.split_once('/') {
            Some(("", name)) => ObjectRef::new(name),
            Some((namespace, name)) => ObjectRef::new(name).within(namespace),
            None => ObjectRef::new(&self.0),
        }
    }
}

/// What a place in the index is for.
#[derive(Hash)]
enum Entry<'a, Key> {
    Name(&'a str),
    Key(&'a Key),
}

impl<K: Kept> Shelf<K> {
    pub(super) fn new() -> Self {
        Self {
            press: Press::new(),
            hasher: RandomState::new(),
            slots: Vec::new(),
            free: Vec::new(),
            places: BTreeSet::new(),
            lists: 0,
        }
    }

    fn hash(&self, entry: &Entry<'_, K::Key>) -> u32 {
        u32::try_from(self.hasher.hash_one(entry) >> 32).unwrap_or_default()
    }

    fn at(&self, hash: u32) -> impl Iterator<Item = usize> {
        self.places.range((hash, u32::MIN)..=(hash, u32::MAX)).filter_map(|(_, place)| usize::try_from(*place).ok())
    }

    fn slot(&self, place: usize) -> Option<&Slot<K>> {
        self.slots.get(place).and_then(Option::as_ref)
    }

    fn place(&self, name: &Name) -> Option<usize> {
        self.at(self.hash(&Entry::Name(&name.0))).find(|place| self.slot(*place).is_some_and(|slot| slot.name == *name))
    }

    fn entries(&self, name: &Name, object: &K, place: usize) -> Vec<(u32, u32)> {
        let keys = object.keys();
        let hashes = [self.hash(&Entry::Name(&name.0))].into_iter();
        let hashes = hashes.chain(keys.iter().map(|key| self.hash(&Entry::Key(key))));
        // There is no room for more objects than that.
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        hashes.map(|hash| (hash, place)).collect()
    }

    /// What is kept under a name.
    pub(super) fn get(&self, reference: &ObjectRef<K>) -> Option<&Packed<K>> {
        let place = self.place(&Name::of(reference.namespace.as_deref(), &reference.name))?;
        self.slot(place).map(|slot| &slot.packed)
    }

    /// Puts an object in the place of the one before it under its name, which is returned.
    pub(super) fn put(&mut self, object: &K) -> Option<K> {
        let name = Name::of(object.namespace().as_deref(), &object.name_any());
        let place = self.place(&name);
        let before = place.and_then(|place| self.slot(place)).and_then(|slot| slot.packed.open());
        if let (Some(place), Some(known)) = (place, &before)
            && known.uid() == object.uid()
            && known.resource_version().is_some_and(|version| object.resource_version() == Some(version))
        {
            if let Some(Some(slot)) = self.slots.get_mut(place) {
                slot.list = self.lists;
            }
            return before;
        }
        if let Some(place) = place {
            self.clear(place, before.as_ref());
        }
        let packed = match self.press.pack(object) {
            Ok(packed) => packed,
            Err(error) => {
                tracing::error!(name = object.name_any(), %error, "an object cannot be kept");
                return before;
            }
        };
        let place = self.free.pop().unwrap_or(self.slots.len());
        let entries = self.entries(&name, object, place);
        self.places.extend(entries);
        let slot = Some(Slot { name, packed, brief: object.brief(), list: self.lists });
        if let Some(free) = self.slots.get_mut(place) {
            *free = slot;
        } else {
            if self.slots.len() == self.slots.capacity() {
                // Not to twice as many.
                self.slots.reserve_exact(self.slots.len() / 8 + 16);
            }
            self.slots.push(slot);
        }
        before
    }

    /// Takes what is kept under the object's name.
    pub(super) fn take(&mut self, object: &K) {
        let name = Name::of(object.namespace().as_deref(), &object.name_any());
        if let Some(place) = self.place(&name) {
            let known = self.slot(place).and_then(|slot| slot.packed.open());
            self.clear(place, known.as_ref());
        }
    }

    /// `known` is what is kept there, if it can be read.
    fn clear(&mut self, place: usize, known: Option<&K>) {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::take) else { return };
        self.free.push(place);
        match known {
            Some(known) => {
                for entry in self.entries(&slot.name, known, place) {
                    self.places.remove(&entry);
                }
            }
            None => self.places.retain(|(_, kept)| usize::try_from(*kept).is_ok_and(|kept| kept != place)),
        }
    }

    /// A list begins: what it does not show is gone when it ends.
    pub(super) fn begin_list(&mut self) {
        self.lists = self.lists.wrapping_add(1);
    }

    /// The list is complete: takes what it did not show.
    pub(super) fn end_list(&mut self) -> Vec<K> {
        let gone = |slot: &&Slot<K>| slot.list != self.lists;
        let gone: Vec<K> = self.slots.iter().flatten().filter(gone).filter_map(|slot| slot.packed.open()).collect();
        for object in &gone {
            self.take(object);
        }
        gone
    }

    /// Where to find what may have the key.
    pub(super) fn places_with(&self, key: &K::Key) -> Vec<usize> {
        self.at(self.hash(&Entry::Key(key))).collect()
    }

    /// How many places there are, free ones included.
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }

    /// What is kept in a place.
    pub(super) fn packed(&self, place: usize) -> Option<&Packed<K>> {
        self.slot(place).map(|slot| &slot.packed)
    }

    /// The name of what is kept in a place.
    pub(super) fn name(&self, place: usize) -> Option<ObjectRef<K>> {
        self.slot(place).map(|slot| slot.name.reference())
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The few fields of all, with their names.
    pub(super) fn briefs(&self) -> impl Iterator<Item = (usize, &K::Brief)> {
        self.slots.iter().enumerate().filter_map(|(place, slot)| Some((place, &slot.as_ref()?.brief)))
    }
}
