//! Objects as they are kept: their JSON, packed against what others before them have said.
//!
//! Most of an object's JSON is field names, and values that it shares with others: what packs badly is learned, so that the
//! next object that says it packs well; and whatever says more than all before it, since objects grow as they get their
//! status. Must never lose anything of an object.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;

/// So many bytes are learned, at most: others need some, too, and going through them costs time.
const VOCABULARY: usize = 8 * 1024;

/// Packs objects of one kind.
pub(super) struct Press {
    learned: Arc<Box<[u8]>>,
    /// The most that one object has said of that.
    longest: usize,
}

/// An object that is packed.
pub(super) struct Packed<K> {
    text: Box<[u8]>,
    /// What was learned by then.
    learned: Arc<Box<[u8]>>,
    kind: PhantomData<fn() -> K>,
}

/// Why an object cannot be packed or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Spoiled {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Packing(#[from] lz4_flex::block::DecompressError),
}

impl Press {
    pub(super) fn new() -> Self {
        Self { learned: Arc::new(Box::default()), longest: 0 }
    }

    pub(super) fn pack<K: Serialize>(&mut self, object: &K) -> Result<Packed<K>, Spoiled> {
        let plain = serde_json::to_vec(object)?;
        let mut text = self.packed(&plain);
        let says_more = plain.len() > self.longest && text.len() > plain.len() / 3;
        let is_news = text.len() > plain.len() / 2 || says_more;
        if is_news && self.learned.len() + plain.len() <= VOCABULARY {
            self.longest = self.longest.max(plain.len());
            self.learned = Arc::new([self.learned.as_ref(), plain.as_slice()].concat().into());
            text = self.packed(&plain);
        }
        Ok(Packed { text, learned: Arc::clone(&self.learned), kind: PhantomData })
    }

    /// In just as many bytes as it takes.
    fn packed(&self, plain: &[u8]) -> Box<[u8]> {
        Box::from(compress_prepend_size_with_dict(plain, &self.learned).as_slice())
    }
}

impl<K: DeserializeOwned> Packed<K> {
    /// The object as it was.
    pub(super) fn read(&self) -> Result<K, Spoiled> {
        let plain = decompress_size_prepended_with_dict(&self.text, &self.learned)?;
        Ok(serde_json::from_slice(&plain)?)
    }

    /// The object, unless it is spoiled, which nobody should ever see.
    pub(super) fn open(&self) -> Option<K> {
        self.read().inspect_err(|error| tracing::error!(%error, "an object that was kept cannot be read")).ok()
    }
}

impl<K> Clone for Packed<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), learned: Arc::clone(&self.learned), kind: PhantomData }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::ProjectInvitation;
    use crate::controller::staging::jane;
    use serde_json::json;

    fn another(number: usize) -> ProjectInvitation {
        let mut object = jane();
        object.metadata.name = Some(format!("person-{number}"));
        object.metadata.uid = Some(format!("2b6ad6de-8f1a-4d6f-9a3e-{number:012}"));
        object.spec.username = format!("person-{number}@example.com");
        object
    }

    #[test]
    fn what_is_packed_is_read_as_it_was_whatever_was_learned_since() {
        let mut press = Press::new();
        let packed: Vec<_> = (0..50).map(|number| press.pack(&another(number)).unwrap()).collect();
        for (number, packed) in packed.iter().enumerate() {
            assert_eq!(packed.read().unwrap(), another(number));
        }
    }

    #[test]
    fn what_objects_have_in_common_is_kept_once() {
        let mut press = Press::new();
        let plain = serde_json::to_vec(&another(1)).unwrap().len();
        press.pack(&another(0)).unwrap();
        let packed = press.pack(&another(1)).unwrap();
        assert!(packed.text.len() * 3 < plain, "{} of {plain} bytes", packed.text.len());
    }

    #[test]
    fn what_objects_say_later_is_learned_too() {
        let told = |number: usize| {
            let mut object = another(number);
            let condition = |kind: &str, reason: &str, message: &str| {
                json!({
                    "type": kind, "status": "True", "reason": reason, "message": message, "observedGeneration": 1,
                    "lastTransitionTime": "2026-11-22T01:20:28Z",
                })
            };
            let conditions = [
                condition("Ready", "Invited", "the invitation was sent and waits for the person"),
                condition("RolesInSync", "InSync", "MongoDB reports the roles that the spec asks for"),
            ];
            let status = json!({
                "phase": "Invited", "id": format!("64a00000{number:016x}"), "createdAt": "2026-11-22T01:20:28Z",
                "expiresAt": "2026-12-22T01:20:28Z", "groupName": "payments", "mailsSent": 1, "conditions": conditions,
            });
            object.status = serde_json::from_value(status).unwrap();
            object
        };
        let mut press = Press::new();
        for number in 0..100 {
            press.pack(&another(number)).unwrap();
        }
        press.pack(&told(100)).unwrap();
        let plain = serde_json::to_vec(&told(101)).unwrap().len();
        let packed = press.pack(&told(101)).unwrap();
        assert!(packed.text.len() * 4 < plain, "{} of {plain} bytes", packed.text.len());
    }

    #[test]
    fn what_is_learned_is_bounded() {
        let mut press = Press::new();
        for number in 0..100_u64 {
            let mut object = jane();
            let noise = (0..100).map(|turn| (number * 7919 + turn).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            object.spec.roles = noise.map(|noise| format!("{noise:x}")).collect();
            assert_eq!(press.pack(&object).unwrap().read().unwrap(), object);
        }
        assert!(press.learned.len() <= VOCABULARY);
    }
}
