//! How values on the command line and in the environment are read.
//!
//! Owns the parsers and their messages: what is wrong and what to write instead. Must never know a flag's name or its
//! default: those stand in `cli.rs`.

use crate::domain::pacer::Rate;
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// A length of time such as `90s`, `5m` or `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let cure = "write a number with a unit, such as 500ms, 90s, 5m or 1h30m";
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return Err(format!("it has no unit: write {text}s for seconds, {text}m for minutes or {text}h for hours"));
    }
    let parsed = SignedDuration::from_str(text).map_err(|_| format!("it is not a length of time: {cure}"))?;
    let length = Duration::try_from(parsed).map_err(|_| format!("it is negative: {cure}"))?;
    if length.is_zero() { Err(format!("it must be longer than nothing: {cure}")) } else { Ok(length) }
}

/// How often a watch is renewed: whole seconds, as the API server wants them, and less than what liveness allows.
pub(super) fn renewal(text: &str) -> Result<Duration, String> {
    let length = duration(text)?;
    if length.subsec_nanos() == 0 && (1..=120).contains(&length.as_secs()) {
        Ok(length)
    } else {
        Err("it must be whole seconds, at least 1s and at most 2m".to_owned())
    }
}

/// A length of time as [`duration`] reads it, in its largest whole unit.
pub(super) fn shown(length: Duration) -> String {
    let seconds = length.as_secs();
    match (length.subsec_millis(), seconds) {
        (0, 3600..) if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        (0, 300..) if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        (0, _) => format!("{seconds}s"),
        (_, _) => format!("{}ms", length.as_millis()),
    }
}

/// How many a minute; `0` and `unlimited` are no limit.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    if text.eq_ignore_ascii_case("unlimited") {
        return Ok(Rate::Unlimited);
    }
    let count: u32 = text.parse().map_err(|_| "write a whole number such as 10, or unlimited".to_owned())?;
    Ok(NonZeroU32::new(count).map_or(Rate::Unlimited, Rate::PerMinute))
}

/// The name of a namespace.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    let well_formed = (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err("it cannot be the name of a namespace: write 1 to 63 lower-case letters, digits and '-', such as team-a"
            .to_owned())
    }
}

/// The name of an object.
pub(super) fn object_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let well_formed = (1..=253).contains(&text.len())
        && text.bytes().all(|byte| allowed(byte) || byte == b'-' || byte == b'.')
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().last().is_some_and(allowed);
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err("it cannot be the name of an object: write lower-case letters, digits, '-' and '.', such as invitation-operator"
            .to_owned())
    }
}

/// A host with an optional port, in the form in which base URLs are compared: lower case, without the port of https.
pub(super) fn host(text: &str) -> Result<String, String> {
    let cure = "write a host with a port if it is not 443, such as cloud.mongodb.com or opsmanager.example.com:8443";
    if text.contains("://") {
        return Err(format!("it is a URL: {cure}"));
    }
    if text.contains(['/', '?', '#', '@', '*', ' ']) {
        return Err(format!("it is not a plain host: {cure}"));
    }
    let parsed = url::Url::parse(&format!("https://{text}/")).map_err(|_| format!("it is not a host: {cure}"))?;
    let name = parsed.host_str().ok_or_else(|| format!("it names no host: {cure}"))?.trim_end_matches('.');
    Ok(match parsed.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    })
}

/// An IP address and a port to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it is not an IP address and a port: write one such as 0.0.0.0:8080, 127.0.0.1:8080 or [::]:8080".to_owned()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_units() {
        for (text, seconds) in [("10s", 10), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("1h 30m", 5400)] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
    }

    #[test]
    fn a_wrong_length_of_time_is_told_what_to_write() {
        for (text, part) in [
            ("10", "no unit: write 10s"),
            ("", "not a length of time"),
            ("soon", "not a length of time"),
            ("-5m", "negative"),
            ("0s", "longer than nothing"),
            ("1y", "not a length of time"),
        ] {
            let message = duration(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn lengths_of_time_are_shown_as_they_are_written() {
        for text in ["10s", "120s", "5m", "1h", "250ms", "90m"] {
            assert_eq!(shown(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn hosts_are_compared_in_one_form() {
        for (text, form) in [
            ("cloud.mongodb.com", "cloud.mongodb.com"),
            ("Cloud.MongoDB.com.", "cloud.mongodb.com"),
            ("cloud.mongodb.com:443", "cloud.mongodb.com"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(host(text).unwrap(), form, "{text}");
        }
        for text in ["https://cloud.mongodb.com", "cloud.mongodb.com/api", "user@host", "*.mongodb.com", "", "a:b"] {
            assert!(host(text).unwrap_err().contains("cloud.mongodb.com"), "{text}");
        }
    }

    #[test]
    fn a_name_is_one_or_more_labels() {
        assert_eq!(object_name("operator.team-a").unwrap(), "operator.team-a");
        for text in ["", "Lease", "a_b", ".a", "a-", "a/b"] {
            assert!(object_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_namespace_is_a_label() {
        assert_eq!(namespace("team-a").unwrap(), "team-a");
        for text in ["", "Team", "a_b", "-a", "a-", "a.b"] {
            assert!(namespace(text).is_err(), "{text}");
        }
    }
}
