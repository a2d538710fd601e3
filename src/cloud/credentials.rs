//! What an inviter proves its identity with, as its Secret holds it.
//!
//! Owns the Secret's key names (those of the Atlas Kubernetes Operator) and what is wrong with a Secret, in words that name
//! the keys. Must never show a private half: not in `Debug`, not in a message.

use secrecy::SecretString;
use std::collections::BTreeMap;

const PUBLIC_API_KEY: &str = "publicApiKey";
const PRIVATE_API_KEY: &str = "privateApiKey";
const CLIENT_ID: &str = "clientId";
const CLIENT_SECRET: &str = "clientSecret";

/// Credentials of one of the two kinds that MongoDB's APIs know.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A programmatic API key: HTTP digest.
    ApiKey {
        /// Identifies the key; not a secret.
        public_key: String,
        /// The secret half.
        private_key: SecretString,
    },
    /// A service account: OAuth 2.0 client credentials. Atlas and Cloud Manager only.
    ServiceAccount {
        /// Identifies the account; not a secret.
        client_id: String,
        /// The secret half.
        client_secret: SecretString,
    },
}

/// What is wrong with a Secret; every message names it and the keys in question, and no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// No key of either kind has a value.
    #[error("Secret {secret} holds no credentials: set publicApiKey and privateApiKey, or clientId and clientSecret")]
    Neither {
        /// Name of the Secret.
        secret: String,
    },
    /// Keys of both kinds are present.
    #[error(
        "Secret {secret} holds credentials of both kinds: keep either publicApiKey and privateApiKey, or clientId and clientSecret"
    )]
    Both {
        /// Name of the Secret.
        secret: String,
    },
    /// One half is there, the other is absent or empty.
    #[error("Secret {secret} has {present} but no {missing}: both are needed")]
    HalfMissing {
        /// Name of the Secret.
        secret: String,
        /// The key that has a value.
        present: &'static str,
        /// The key that is absent or empty.
        missing: &'static str,
    },
    /// A value is not text.
    #[error("Secret {secret}: the value of {key} is not UTF-8 text")]
    NotText {
        /// Name of the Secret.
        secret: String,
        /// The key in question.
        key: &'static str,
    },
    /// A value holds characters that cannot be part of such a key, as after a wrong paste.
    #[error("Secret {secret}: the value of {key} holds spaces, line breaks or characters that no such key has")]
    Malformed {
        /// Name of the Secret.
        secret: String,
        /// The key in question.
        key: &'static str,
    },
}

impl Credentials {
    /// Reads the keys `publicApiKey` + `privateApiKey` or `clientId` + `clientSecret`; other keys (`orgId`) are ignored.
    ///
    /// Values are trimmed, because a trailing line break is the most frequent mistake; an empty value counts as missing.
    ///
    /// # Errors
    /// Keys of both kinds, of neither, only one half of a kind, or a value that cannot be a key.
    pub fn from_secret(secret_name: &str, data: &BTreeMap<String, Vec<u8>>) -> Result<Self, CredentialsError> {
        let value = |key| value_of(secret_name, data, key);
        let api_key = (value(PUBLIC_API_KEY)?, value(PRIVATE_API_KEY)?);
        let service_account = (value(CLIENT_ID)?, value(CLIENT_SECRET)?);
        let secret = secret_name.to_owned();
        let half = |present, missing| CredentialsError::HalfMissing { secret: secret.clone(), present, missing };
        match (api_key, service_account) {
            ((None, None), (None, None)) => Err(CredentialsError::Neither { secret }),
            ((Some(public_key), Some(private_key)), (None, None)) => {
                Ok(Self::ApiKey { public_key, private_key: private_key.into() })
            }
            ((None, None), (Some(client_id), Some(client_secret))) => {
                Ok(Self::ServiceAccount { client_id, client_secret: client_secret.into() })
            }
            ((Some(_), None), (None, None)) => Err(half(PUBLIC_API_KEY, PRIVATE_API_KEY)),
            ((None, Some(_)), (None, None)) => Err(half(PRIVATE_API_KEY, PUBLIC_API_KEY)),
            ((None, None), (Some(_), None)) => Err(half(CLIENT_ID, CLIENT_SECRET)),
            ((None, None), (None, Some(_))) => Err(half(CLIENT_SECRET, CLIENT_ID)),
            ((Some(_), _) | (_, Some(_)), (Some(_), _) | (_, Some(_))) => Err(CredentialsError::Both { secret }),
        }
    }

    /// The public half: what `inviterUsername` of an invitation sent with these credentials says.
    #[must_use]
    pub fn identity(&self) -> &str {
        match self {
            Self::ApiKey { public_key, .. } => public_key,
            Self::ServiceAccount { client_id, .. } => client_id,
        }
    }
}

/// The trimmed value, or `None` where there is nothing but white space.
fn value_of(
    secret: &str,
    data: &BTreeMap<String, Vec<u8>>,
    key: &'static str,
) -> Result<Option<String>, CredentialsError> {
    let Some(bytes) = data.get(key) else { return Ok(None) };
    let text = std::str::from_utf8(bytes)
        .map_err(|_| CredentialsError::NotText { secret: secret.to_owned(), key })?
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return Ok(None);
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(CredentialsError::Malformed { secret: secret.to_owned(), key });
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(pairs: &[(&str, &[u8])]) -> Result<Credentials, CredentialsError> {
        let data = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.to_vec())).collect();
        Credentials::from_secret("atlas-key", &data)
    }

    #[test]
    fn an_api_key_is_read_trimmed_and_other_keys_are_ignored() {
        let found = read(&[("publicApiKey", b" abc\n"), ("privateApiKey", b"s3\r\n"), ("orgId", b"x")]).unwrap();
        assert_eq!(found.identity(), "abc");
        let Credentials::ApiKey { private_key, .. } = found else { panic!("not an API key") };
        assert_eq!(private_key.expose_secret(), "s3");
    }

    #[test]
    fn a_service_account_is_read() {
        let found = read(&[("clientId", b"mdb_sa_id_1"), ("clientSecret", b"mdb_sa_sk_1")]).unwrap();
        assert_eq!(found.identity(), "mdb_sa_id_1");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_secret_and_its_keys() {
        type Pairs<'a> = &'a [(&'a str, &'a [u8])];
        let cases: &[(Pairs<'_>, &[&str])] = &[
            (&[], &["atlas-key", "publicApiKey", "clientSecret"]),
            (&[("publicApiKey", b""), ("clientId", b" \n")], &["no credentials"]),
            (&[("publicApiKey", b"a")], &["atlas-key", "has publicApiKey", "no privateApiKey"]),
            (&[("privateApiKey", b"a"), ("publicApiKey", b"\n")], &["has privateApiKey", "no publicApiKey"]),
            (&[("clientId", b"a")], &["has clientId", "no clientSecret"]),
            (&[("clientSecret", b"a")], &["has clientSecret", "no clientId"]),
            (&[("publicApiKey", b"a"), ("clientSecret", b"b")], &["both kinds"]),
            (
                &[("publicApiKey", b"a"), ("privateApiKey", b"b"), ("clientId", b"c"), ("clientSecret", b"d")],
                &["atlas-key", "both kinds"],
            ),
            (&[("publicApiKey", b"\xff"), ("privateApiKey", b"b")], &["publicApiKey", "not UTF-8"]),
            (&[("publicApiKey", b"a"), ("privateApiKey", b"b\nc")], &["privateApiKey", "line breaks"]),
        ];
        for (data, words) in cases {
            let message = read(data).unwrap_err().to_string();
            for word in *words {
                assert!(message.contains(word), "{message} lacks {word}");
            }
        }
    }

    #[test]
    fn the_secret_half_is_not_in_debug_nor_in_a_message() {
        let shown = format!("{:?}", read(&[("publicApiKey", b"abc"), ("privateApiKey", b"canary")]).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
        let message = read(&[("privateApiKey", b"canary")]).unwrap_err().to_string();
        assert!(!message.contains("canary"), "{message}");
    }
}
