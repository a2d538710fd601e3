//! `ObjectId`-shaped identifiers and random secrets.
//!
//! Owns minting; must never hand out an id twice. The first four bytes of every id are its creation
//! time (contract §1.1: recorded ids decode to exactly `createdAt`).

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};

/// Mints ids and secrets from one random source.
#[derive(Debug)]
pub(crate) struct Mint {
    random: StdRng,
    process: u64,
    counter: u32,
}

impl Mint {
    /// A mint whose secrets nobody else can guess, unless a seed asks for repeatable ones.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        let mut random = seed.map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64);
        let process = random.next_u64() & 0xff_ffff_ffff;
        let counter = random.next_u32() & 0xff_ffff;
        Self { random, process, counter }
    }

    /// A fresh 24-hex id created at the given moment.
    pub(crate) fn object_id(&mut self, at: Timestamp) -> String {
        self.counter = (self.counter + 1) & 0xff_ffff;
        let seconds = at.as_second() & 0xffff_ffff;
        format!("{seconds:08x}{:010x}{:06x}", self.process, self.counter)
    }

    /// So many random bytes in base64, as the server's nonces are (24 bytes → 32 characters).
    pub(crate) fn base64(&mut self, bytes: usize) -> String {
        let mut raw = vec![0; bytes];
        self.random.fill_bytes(&mut raw);
        STANDARD.encode(raw)
    }

    /// So many random bytes in lower-case hex.
    pub(crate) fn hex(&mut self, bytes: usize) -> String {
        let mut raw = vec![0; bytes];
        self.random.fill_bytes(&mut raw);
        raw.iter().fold(String::new(), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
    }

    /// So many random lower-case letters, the shape of an API key's public half.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'a' + u8::try_from(self.random.next_u32() % 26).unwrap_or(0))).collect()
    }

    /// Whether an event of this probability happens now.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        let sample = f64::from(self.random.next_u32()) / f64::from(u32::MAX);
        sample < probability || probability >= 1.0
    }
}

/// Whether the text is 24 lower-case hex digits, the pattern of every id in the contract (§1.1).
pub(crate) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
