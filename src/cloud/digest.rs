//! HTTP digest authentication (RFC 7616, and RFC 2069 where the server offers no `qop`), client side.
//!
//! Own lines instead of the crate `digest_auth` 0.3: it reads one scheme per header, refuses a challenge over a `qop` or
//! `charset` that it does not know, slices a remote's header by character counts, and brings a second `rand`. What is
//! needed here is two hashes over a few strings; the tests check them against the RFCs and against that crate.
//! One challenge serves one request: a nonce is never used twice. Must never keep or show a private key or a response.

use http::{HeaderMap, HeaderValue, Method, header};
use md5::Md5;
use rand::TryRngCore;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use sha2::digest::Digest;
use std::fmt::Write;

/// Each challenge is answered once, so its first count is its only one.
const NONCE_COUNT: &str = "00000001";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

/// A challenge that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    algorithm_named: bool,
    qop_auth: bool,
    stale: bool,
}

impl Challenge {
    /// The strongest digest challenge of all `WWW-Authenticate` headers that can be answered: MD5 or SHA-256, with
    /// `qop` absent or `auth`. Unknown parameters are ignored (Jetty adds `charset`; the documentation prints `op`).
    pub(super) fn strongest(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(header::WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(challenges)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest"))
            .filter_map(|(_, parameters)| Self::from_parameters(&parameters))
            .max_by_key(|challenge| challenge.algorithm)
    }

    /// The server knows the nonce no longer, and says nothing about the credentials.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// The `Authorization` of one request. `target` is path and query, exactly as sent.
    pub(super) fn answer(
        &self,
        username: &str,
        private_key: &SecretString,
        method: &Method,
        target: &str,
        cnonce: &str,
    ) -> Option<HeaderValue> {
        let Self { realm, nonce, .. } = self;
        let secret = self.hash(&[username, ":", realm, ":", private_key.expose_secret()]);
        let request = self.hash(&[method.as_str(), ":", target]);
        let response = if self.qop_auth {
            self.hash(&[&secret, ":", nonce, ":", NONCE_COUNT, ":", cnonce, ":auth:", &request])
        } else {
            self.hash(&[&secret, ":", nonce, ":", &request])
        };
        let mut text = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(username),
            quoted(realm),
            quoted(nonce),
            quoted(target),
        );
        if self.algorithm_named {
            text.push_str(match self.algorithm {
                Algorithm::Md5 => ", algorithm=MD5",
                Algorithm::Sha256 => ", algorithm=SHA-256",
            });
        }
        if self.qop_auth {
            text.extend([", qop=auth, nc=", NONCE_COUNT, ", cnonce=", &quoted(cnonce)]);
        }
        if let Some(opaque) = &self.opaque {
            text.extend([", opaque=", &quoted(opaque)]);
        }
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn from_parameters(parameters: &[(String, String)]) -> Option<Self> {
        let value = |name: &str| {
            parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let algorithm = value("algorithm").filter(|name| !name.is_empty());
        let qop = value("qop").filter(|names| !names.trim().is_empty());
        let qop_auth = qop.is_some_and(|names| names.split(',').any(|name| name.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !qop_auth {
            return None;
        }
        Some(Self {
            realm: value("realm")?.to_owned(),
            nonce: value("nonce").filter(|nonce| !nonce.is_empty())?.to_owned(),
            opaque: value("opaque").map(str::to_owned),
            algorithm: match algorithm {
                None => Algorithm::Md5,
                Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
                Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
                Some(_) => return None,
            },
            algorithm_named: algorithm.is_some(),
            qop_auth,
            stale: value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    fn hash(&self, parts: &[&str]) -> String {
        match self.algorithm {
            Algorithm::Md5 => hex_digest::<Md5>(parts),
            Algorithm::Sha256 => hex_digest::<Sha256>(parts),
        }
    }
}

/// Sixteen hexadecimal digits from the operating system's generator; `None` if it fails.
pub(super) fn fresh_cnonce() -> Option<String> {
    let mut bytes = [0_u8; 8];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).ok()?;
    Some(hex(&bytes))
}

fn hex_digest<D: Digest>(parts: &[&str]) -> String {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Splits one header into its challenges: a word followed by `=` is a parameter, any other word begins a challenge.
fn challenges(header: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
        let (word, after) = rest.split_at(rest.find(|c: char| "=, \t\"".contains(c)).unwrap_or(rest.len()));
        if word.is_empty() {
            match rest.char_indices().nth(1) {
                Some((next, _)) => rest = rest.get(next..).unwrap_or_default(),
                None => return found,
            }
            continue;
        }
        if let Some(value) = after.trim_start().strip_prefix('=') {
            let (value, remaining) = parameter_value(value.trim_start());
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((word.to_owned(), value));
            }
            rest = remaining;
        } else {
            found.push((word.to_owned(), Vec::new()));
            rest = after;
        }
    }
}

/// A quoted string, or everything up to the next comma or blank.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, inside.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
