//! What counts as an invitation, and what as a list of them.

#![allow(clippy::unwrap_used)]

use super::*;

const ID: &str = "6a7a3f8e1122334455667788";
const OTHER: &str = "111111111111111111111111";

fn project() -> ObjectId {
    ObjectId::parse("5f0000000000000000000001").unwrap()
}

fn list(body: &str) -> Result<Vec<Invitation>, Unreadable> {
    read_list(body.as_bytes(), &project())
}

#[test]
fn both_forms_of_a_list_are_read_and_unknown_fields_ignored() {
    let entry = format!(r#"{{"id":"{ID}","username":"Jane@Example.com","roles":["GROUP_OWNER"],"links":[],"x":{{}}}}"#);
    for body in [format!("[{entry}]"), format!(r#" {{"results":[{entry}],"totalCount":1,"links":[{{"rel":"self"}}]}}"#)]
    {
        let found = list(&body).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found.first().unwrap().username, Username::new("jane@example.com"));
        assert_eq!(found.first().unwrap().group_id, None);
    }
    assert_eq!(list("[]").unwrap(), []);
    assert_eq!(list(r#"{"results":[]}"#).unwrap(), []);
}

#[test]
fn what_is_no_list_is_never_an_empty_one() {
    for body in [
        "",
        " ",
        "null",
        "{}",
        "<html></html>",
        "\"\"",
        "0",
        "true",
        "[",
        "[null]",
        "[[]]",
        "[{}] trailing",
        r#"{"results":null}"#,
        r#"{"results":{}}"#,
        r#"{"error":404,"errorCode":"GROUP_NOT_FOUND"}"#,
        r#"{"status":200,"content":[]}"#,
    ] {
        assert!(list(body).is_err(), "{body}");
    }
}

#[test]
fn an_entry_that_cannot_be_read_makes_the_list_unreadable() {
    let good = format!(r#"{{"id":"{ID}","username":"a@b.c"}}"#);
    for bad in [
        r#"{"username":"a@b.c"}"#.to_owned(),
        r#"{"id":"","username":"a@b.c"}"#.to_owned(),
        r#"{"id":"../../x","username":"a@b.c"}"#.to_owned(),
        r#"{"id":"6A7A3F8E1122334455667788","username":"a@b.c"}"#.to_owned(),
        r#"{"id":7,"username":"a@b.c"}"#.to_owned(),
        format!(r#"{{"id":"{ID}"}}"#),
        format!(r#"{{"id":"{ID}","username":null}}"#),
        format!(r#"{{"id":"{ID}","username":"  "}}"#),
        format!(r#"{{"id":"{ID}","username":"a@b.c","groupId":"short"}}"#),
        format!(r#"{{"id":"{ID}","username":"a@b.c","roles":"GROUP_OWNER"}}"#),
    ] {
        assert!(list(&format!("[{good},{bad}]")).is_err(), "{bad}");
    }
}

#[test]
fn a_part_of_a_list_is_not_taken_for_the_list() {
    let entry = format!(r#"{{"id":"{ID}","username":"a@b.c"}}"#);
    assert!(list(&format!(r#"{{"results":[{entry}],"totalCount":2}}"#)).is_err());
    assert!(list(&format!(r#"{{"results":[{entry}],"links":[{{"rel":"next","href":"http://x"}}]}}"#)).is_err());
}

#[test]
fn entries_of_other_projects_are_left_out() {
    let body = format!(
        r#"[{{"id":"{ID}","username":"a@b.c","groupId":"{OTHER}"}},{{"id":"{ID}","username":"d@e.f","groupId":"{}"}}]"#,
        project()
    );
    let found = list(&body).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found.first().unwrap().username, Username::new("d@e.f"));
}

#[test]
fn dates_are_read_leniently_and_unknown_where_they_cannot_be() {
    for (text, expected) in [
        (r#""2026-08-10T03:04:53Z""#, Some("2026-08-10T03:04:53Z")),
        (r#""2026-08-10T03:04:53.5Z""#, Some("2026-08-10T03:04:53.5Z")),
        (r#""2026-08-10T05:04:53+02:00""#, Some("2026-08-10T03:04:53Z")),
        (r#""2026-08-10T03:04:53""#, Some("2026-08-10T03:04:53Z")),
        (r#""2026-08-10 03:04:53Z""#, Some("2026-08-10T03:04:53Z")),
        (r#""tomorrow""#, None),
        ("1754794800", None),
        ("null", None),
    ] {
        let body = format!(r#"[{{"id":"{ID}","username":"a@b.c","createdAt":{text},"expiresAt":{text}}}]"#);
        let found = list(&body).unwrap();
        let first = found.first().unwrap();
        assert_eq!(first.created_at.map(|at| at.to_string()).as_deref(), expected, "{text}");
        assert_eq!(first.expires_at, first.created_at);
    }
}

#[test]
fn requests_carry_exactly_what_their_endpoint_takes() {
    let roles: Roles = ["GROUP_READ_ONLY", "GROUP_OWNER"].map(str::to_owned).into();
    let jane = Username::new("Jane@Example.com");
    let create = CreateRequest::new(&jane, &roles);
    assert_eq!(
        serde_json::to_string(&create).unwrap(),
        r#"{"roles":["GROUP_OWNER","GROUP_READ_ONLY"],"username":"Jane@Example.com"}"#
    );
    let update = UpdateRequest { roles: &roles };
    assert_eq!(serde_json::to_string(&update).unwrap(), r#"{"roles":["GROUP_OWNER","GROUP_READ_ONLY"]}"#);
}
