//! What a user reads about an answer that was no success.
//!
//! Owns the cleaning of text that a server wrote: bounded, on one line, without characters that a terminal or an editor
//! obeys, and without what changes from call to call, because a message that changes would wake its own object. Must
//! never take text from a body that is not an API's own error.

use jiff::Timestamp;

/// Conditions and events stay readable below this, in bytes.
const LONGEST_MESSAGE: usize = 1024;

/// So much of it is the server's own text at most, in bytes, so that the cure behind it is never cut off.
const LONGEST_DETAIL: usize = 600;

/// `API answered 400 INVALID_ROLE_FOR_GROUP: <detail>; <cure>`.
pub(super) fn compose(status: u16, code: Option<&str>, detail: Option<&str>, cure: &str) -> String {
    let mut text = format!("API answered {status}");
    if let Some(code) = code {
        text.push(' ');
        text.push_str(code);
    }
    let detail = detail.map(|detail| cut(&cleaned(detail), LONGEST_DETAIL)).unwrap_or_default();
    let detail = detail.trim_end_matches(['.', ' ']);
    if !detail.is_empty() {
        text.push_str(": ");
        text.push_str(detail);
    }
    if !cure.is_empty() {
        text.push_str("; ");
        text.push_str(cure);
    }
    cut(&text, LONGEST_MESSAGE)
}

/// Any other text from outside, such as that of a connection error, under the same rules.
pub(super) fn bounded(text: &str) -> String {
    cut(&cleaned(text), LONGEST_DETAIL)
}

/// One line, nothing that acts on a display, nothing that differs each time.
fn cleaned(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c })
        .collect();
    visible.split_whitespace().map(|word| if is_volatile(word) { "…" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Bidirectional controls, zero-width characters, variation tags: they change what is seen and are never needed.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Whether a word is a request id or a point in time. Ids of 24 digits are MongoDB's own and stay.
fn is_volatile(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let digits = word.bytes().filter(u8::is_ascii_hexdigit).count();
    let only_hex = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    (only_hex && digits >= 32) || word.parse::<Timestamp>().is_ok()
}

/// At most so many bytes, whole characters, marked where something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub('…'.len_utf8());
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= room).last().unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_status_code_detail_and_cure() {
        assert_eq!(
            compose(400, Some("INVALID_ROLE_FOR_GROUP"), Some("Role X is bad."), "change spec.roles"),
            "API answered 400 INVALID_ROLE_FOR_GROUP: Role X is bad; change spec.roles"
        );
        assert_eq!(compose(503, None, None, ""), "API answered 503");
        assert_eq!(compose(503, None, Some(" .\n"), ""), "API answered 503");
    }

    #[test]
    fn characters_that_act_on_a_display_are_taken_out() {
        let dirty = "a\u{1b}[31mred\u{7}\r\nb\u{202e}c\u{2066}\u{200b}d\u{9b}e\u{feff}\u{e0041}\u{2028}f\tg\0";
        assert_eq!(bounded(dirty), "a [31mred bcd e f g");
    }

    #[test]
    fn what_differs_from_call_to_call_is_taken_out() {
        assert_eq!(
            bounded(
                "request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 at 2026-08-10T03:04:53Z (0123456789abcdef0123456789abcdef)."
            ),
            "request … at … …"
        );
        assert_eq!(
            bounded("No group with ID 111111111111111111111111 exists"),
            "No group with ID 111111111111111111111111 exists"
        );
    }

    #[test]
    fn a_message_is_never_longer_than_one_kibibyte_and_keeps_its_cure() {
        for filler in ["x", "é", "𝄞", "x "] {
            let text = compose(400, Some("VALIDATION_ERROR"), Some(&filler.repeat(5000)), "do this");
            assert!(text.len() <= 1024, "{}", text.len());
            assert!(text.ends_with("…; do this"), "{text}");
        }
        assert!(bounded(&"y".repeat(100_000)).len() <= 600);
        assert!(compose(400, None, None, &"z".repeat(3000)).len() <= 1024);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_message_long_or_unclean(code in ".{0,50}", detail in ".{0,3000}", status in 0_u16..1000) {
            let text = compose(status, None, Some(&format!("{code}\u{1b}{detail}")), "cure");
            proptest::prop_assert!(text.len() <= 1024);
            proptest::prop_assert!(!text.chars().any(|c| c.is_control() || is_invisible(c)));
        }
    }
}
