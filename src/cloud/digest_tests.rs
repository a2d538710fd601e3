//! Digest against the vectors of RFC 7616 and RFC 2617, against another implementation, and against odd headers.

#![allow(clippy::unwrap_used)]

use super::*;

const LIVE: &str = "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4\", \
                    algorithm=MD5, qop=\"auth\", stale=false";

fn headers(values: &[&str]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for value in values {
        map.append(header::WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn answer(values: &[&str], username: &str, secret: &str, target: &str, cnonce: &str) -> String {
    let challenge = Challenge::strongest(&headers(values)).unwrap();
    let value = challenge.answer(username, &secret.to_owned().into(), &Method::GET, target, cnonce).unwrap();
    assert!(value.is_sensitive());
    value.to_str().unwrap().to_owned()
}

#[test]
fn the_vectors_of_rfc_7616_are_met() {
    let common = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                  nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                  opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let md5 = format!("{common}, algorithm=MD5");
    let sha = format!("{common}, algorithm=SHA-256");
    let text = answer(&[&md5], "Mufasa", "Circle of Life", "/dir/index.html", cnonce);
    assert!(text.contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""), "{text}");
    let text = answer(&[&md5, &sha], "Mufasa", "Circle of Life", "/dir/index.html", cnonce);
    assert!(text.contains("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""), "{text}");
    assert!(text.contains("algorithm=SHA-256"), "{text}");
}

#[test]
fn the_vector_of_rfc_2617_is_met() {
    let header = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                  nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let text = answer(&[header], "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b");
    assert!(text.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{text}");
    assert!(!text.contains("algorithm"), "what the server did not name is not named: {text}");
}

#[test]
fn another_implementation_computes_the_same() {
    for (header, target) in [
        (LIVE, "/api/atlas/v2/groups/5f/invites?username=jane%40example.com"),
        ("Digest realm=\"a\", nonce=\"b\"", "/x"),
        ("Digest realm=\"a\", nonce=\"b\", algorithm=SHA-256, qop=\"auth\", opaque=\"c\"", "/x?y=1"),
    ] {
        let cnonce = "0123456789abcdef";
        let ours = answer(&[header], "abcdefgh", "s3cr3t", target, cnonce);
        let mut prompt = digest_auth::parse(header).unwrap();
        let mut context = digest_auth::AuthContext::new("abcdefgh", "s3cr3t", target);
        context.set_custom_cnonce(cnonce);
        let theirs = prompt.respond(&context).unwrap().response;
        assert!(ours.contains(&format!("response=\"{theirs}\"")), "{header}: {ours} / {theirs}");
    }
}

#[test]
fn challenges_that_servers_are_known_to_send_are_understood() {
    let with_charset = LIVE.replace("stale", "charset=UTF-8, stale");
    let quoted_algorithm = LIVE.replace("algorithm=MD5", "algorithm=\"MD5\"");
    let typo = LIVE.replace("qop=", "op=");
    let two_schemes = format!("Basic realm=\"x, y\", {LIVE}");
    let odd_spaces = LIVE.replace(", ", " ,\t").replace("qop=", "QOP = ");
    for (header, qop_auth) in [
        (LIVE, true),
        (with_charset.as_str(), true),
        (quoted_algorithm.as_str(), true),
        (typo.as_str(), false),
        (two_schemes.as_str(), true),
        (odd_spaces.as_str(), true),
    ] {
        let found = Challenge::strongest(&headers(&[header])).unwrap();
        assert_eq!(found.realm, "MMS Public API", "{header}");
        assert_eq!(found.nonce, "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4", "{header}");
        assert_eq!(found.qop_auth, qop_auth, "{header}");
        assert!(!found.stale, "{header}");
    }
    assert!(Challenge::strongest(&headers(&["Bearer", "Negotiate abc==", LIVE])).is_some());
    assert!(Challenge::strongest(&headers(&[&LIVE.replace("stale=false", "stale=TRUE")])).unwrap().is_stale());
}

#[test]
fn challenges_that_cannot_be_answered_are_none() {
    let session = LIVE.replace("MD5", "MD5-sess");
    let integrity = LIVE.replace("\"auth\"", "\"auth-int\"");
    let no_nonce = LIVE.replace("nonce=", "nonsense=");
    for header in
        ["", "Bearer realm=\"x\"", "Digest", "=,=\"", "Digest realm=\"", &session, &integrity, &no_nonce, "Digest \\"]
    {
        assert_eq!(Challenge::strongest(&headers(&[header])), None, "{header}");
    }
}

#[test]
fn quotes_in_values_stay_inside_their_quotes() {
    let text = answer(&["Digest realm=\"a \\\"b\\\\\", nonce=\"n\""], "u", "s", "/", "c");
    assert!(text.contains("realm=\"a \\\"b\\\\\""), "{text}");
}

#[test]
fn client_nonces_are_hexadecimal_and_differ() {
    let (one, two) = (fresh_cnonce().unwrap(), fresh_cnonce().unwrap());
    assert_eq!(one.len(), 16);
    assert!(one.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_ne!(one, two);
}

proptest::proptest! {
    #[test]
    fn no_header_breaks_the_reading(text in "[ -~\\t]{0,200}") {
        let _ = Challenge::strongest(&headers(&[&text]));
        let _ = Challenge::strongest(&headers(&[&format!("Digest {text}"), &format!("{LIVE}{text}")]));
    }

    #[test]
    fn no_header_hides_a_good_challenge(before in "[a-z ,=]{0,40}", extra in "[a-z]{1,8}=[a-z]{0,8}") {
        let found = Challenge::strongest(&headers(&[&before, &format!("{LIVE}, x{extra}")]));
        proptest::prop_assert_eq!(found.map(|one| one.nonce), Some("Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4".to_owned()));
    }
}
