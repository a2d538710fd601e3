//! HTTP digest as the real servers do it (contract §5.1).
//!
//! Owns nonces: 24 random bytes, 60 seconds, 1024 uses, each `nc` once. MD5 only, and `qop=auth`
//! unless the behaviour leaves it out.
//! Must never accept a digest over anything but the request target exactly as sent.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use md5::{Digest as _, Md5};

use crate::{
    api_error::ApiError,
    behaviour::ChallengeStyle,
    clock::between,
    seed::CredentialKind,
    server::{call::Call, reply::Reply},
    world::{
        World,
        credentials::{Known, Nonce},
    },
};

const REALM: &str = "MMS Public API";
const NONCE_LIFE: Duration = Duration::from_secs(60);
const NONCE_USES: u64 = 1024;

/// A 401 with a fresh nonce.
pub(crate) fn challenge(world: &mut World, stale: bool) -> Reply {
    let now = world.clock.now();
    let nonce = world.mint.base64(24);
    world.credentials.nonces.retain(|_, nonce| between(nonce.issued, now) <= NONCE_LIFE);
    world.credentials.nonces.insert(nonce.clone(), Nonce { issued: now, used: std::collections::BTreeSet::new() });
    let qop = match world.behaviour.challenge {
        ChallengeStyle::Recorded => "qop=\"auth\"",
        ChallengeStyle::Charset => "qop=\"auth\", charset=UTF-8",
        ChallengeStyle::WithoutQop => "op=\"auth\"",
    };
    let header =
        format!("Digest realm=\"{REALM}\", domain=\"\", nonce=\"{nonce}\", algorithm=MD5, {qop}, stale={stale}");
    ApiError::unauthorized().reply().header("www-authenticate", &header)
}

/// Checks a digest header; the answer to give when it does not hold.
pub(crate) fn check(world: &mut World, call: &Call) -> Result<Known, Reply> {
    let fields = parse(call.header("authorization").unwrap_or_default());
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();

    let plain = world.behaviour.challenge == ChallengeStyle::WithoutQop && !fields.contains_key("qop");
    // An RFC 2069 answer has no count; its nonce is good for one use.
    let count = if plain { "1" } else { field("nc") };
    let nonce = match use_nonce(world, field("nonce"), count) {
        NonceUse::Fresh => field("nonce"),
        NonceUse::Stale => return Err(challenge(world, true)),
        NonceUse::Refused => return Err(challenge(world, false)),
    };
    let known = world.credentials.find(CredentialKind::ApiKey, field("username")).cloned();
    let Some(known) = known else {
        return Err(challenge(world, false));
    };
    let algorithm = fields.get("algorithm").map_or("MD5", String::as_str);
    let target = call.target();
    let secret = &known.credential.secret;
    let ha1 = md5_hex(&format!("{}:{REALM}:{secret}", field("username")));
    let ha2 = md5_hex(&format!("{}:{target}", call.method));
    let expected = if plain {
        md5_hex(&format!("{ha1}:{nonce}:{ha2}"))
    } else {
        md5_hex(&format!("{ha1}:{nonce}:{}:{}:{}:{ha2}", field("nc"), field("cnonce"), field("qop")))
    };
    let holds = field("realm") == REALM
        && (plain || field("qop") == "auth")
        && algorithm.eq_ignore_ascii_case("MD5")
        && field("uri") == target
        && field("response") == expected;
    if holds { Ok(known) } else { Err(challenge(world, false)) }
}

enum NonceUse {
    Fresh,
    Stale,
    Refused,
}

fn use_nonce(world: &mut World, nonce: &str, count: &str) -> NonceUse {
    let now = world.clock.now();
    let Some(nonce) = world.credentials.nonces.get_mut(nonce) else {
        return NonceUse::Stale;
    };
    if between(nonce.issued, now) > NONCE_LIFE {
        return NonceUse::Stale;
    }
    let Ok(count) = u64::from_str_radix(count, 16) else {
        return NonceUse::Refused;
    };
    if count > NONCE_USES {
        return NonceUse::Stale;
    }
    if nonce.used.insert(count) { NonceUse::Fresh } else { NonceUse::Refused }
}

/// Splits `Digest a="b", c=d` into its fields; commas inside quotes stay, unknown fields too.
fn parse(header: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut rest = header.split_once(' ').map(|(_, rest)| rest).unwrap_or_default();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, tail) = if let Some(quoted) = after.strip_prefix('"') {
            quoted.split_once('"').unwrap_or((quoted, ""))
        } else {
            let end = after.find(',').unwrap_or(after.len());
            after.split_at(end)
        };
        fields.insert(name.trim_matches([' ', ',', '\t']).to_ascii_lowercase(), value.trim().to_owned());
        rest = tail;
    }
    fields
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted_or_bare_and_hold_commas() {
        let fields = parse(r#"Digest username="a", uri="/x?y=1,2", nc=00000001, extra="z""#);
        assert_eq!(fields.get("username").map(String::as_str), Some("a"));
        assert_eq!(fields.get("uri").map(String::as_str), Some("/x?y=1,2"));
        assert_eq!(fields.get("nc").map(String::as_str), Some("00000001"));
        assert_eq!(fields.get("extra").map(String::as_str), Some("z"));
    }

    #[test]
    fn the_hash_is_md5() {
        assert_eq!(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
