//! Members: all pages or an error, and who counts as a member.

use crate::harness::*;
use crate::server::{Reply, Seen, Server};
use invitation_operator::api::Product;
use invitation_operator::cloud::InvitesApi;
use invitation_operator::domain::failure::Failure;
use invitation_operator::domain::remote::{Member, Username};
use serde_json::{Value, json};

fn page_number(request: &Seen) -> usize {
    let (_, query) = request.target.split_once('?').unwrap();
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "pageNum").unwrap().1.parse().unwrap()
}

fn person(number: usize) -> Value {
    json!({"id": format!("{number:024x}"), "orgMembershipStatus": "ACTIVE", "roles": ["GROUP_OWNER"],
        "username": format!("person{number}@example.com")})
}

/// A server with so many people in pages of its own size, and beside them what `extra` says.
async fn roster(
    people: usize,
    size: usize,
    extra: fn(usize, usize) -> Value,
) -> (Server, Result<Vec<Member>, Failure>) {
    let server = Server::start(with_digest(move |request| {
        let page = page_number(request);
        let first = (page - 1) * size;
        let results: Vec<_> = (first..people.min(first + size)).map(person).collect();
        let mut body = extra(page, people);
        body["results"] = json!(results);
        Reply::json(200, &body)
    }))
    .await;
    let found = caller(Product::Atlas, &server).api.members(&project()).await;
    (server, found)
}

#[tokio::test]
async fn all_pages_are_read_by_the_count_though_the_server_gives_fewer_than_asked() {
    let (server, found) = roster(250, 100, |_, people| json!({"totalCount": people})).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 250);
    assert_eq!(found[249].username, Username::new("person249@example.com"));
    assert_eq!(server.seen().len(), 6, "three pages, two exchanges each");
}

#[tokio::test]
async fn all_pages_are_read_by_their_links_where_there_is_no_count() {
    let links = |page: usize, _| {
        let rel = if page < 3 { "next" } else { "previous" };
        json!({"links": [{"rel": "self", "href": "http://evil.invalid/"}, {"rel": rel, "href": "http://evil.invalid/"}]})
    };
    let (_server, found) = roster(250, 100, links).await;
    assert_eq!(found.unwrap().len(), 250);
}

#[tokio::test]
async fn all_pages_are_read_up_to_an_empty_one_where_there_is_neither() {
    let (server, found) = roster(250, 100, |_, _| json!({})).await;
    assert_eq!(found.unwrap().len(), 250);
    assert_eq!(page_number(&server.seen().pop().unwrap()), 4);
}

#[tokio::test]
async fn exactly_full_pages_lose_nobody() {
    for extra in [|_, people| json!({"totalCount": people}), |_, _| json!({"totalCount": null, "links": []})] {
        let (_server, found) = roster(1000, 500, extra).await;
        assert_eq!(found.unwrap().len(), 1000);
    }
}

#[tokio::test]
async fn a_count_that_is_never_reached_is_an_error() {
    let (server, found) = roster(100, 100, |_, _| json!({"totalCount": 101})).await;
    assert!(is_unavailable(kind(found)));
    assert_eq!(page_number(&server.seen().pop().unwrap()), 2);
}

#[tokio::test]
async fn a_server_that_gives_the_same_page_for_ever_is_an_error_at_once() {
    for total in [json!(100), Value::Null] {
        let body = json!({"results": [person(1), person(2)], "totalCount": total});
        let server = Server::start(with_digest(move |_| Reply::json(200, &body))).await;
        assert!(is_unavailable(kind(caller(Product::Atlas, &server).api.members(&project()).await)));
        assert_eq!(page_number(&server.seen().pop().unwrap()), 2);
    }
}

#[tokio::test]
async fn a_server_whose_pages_never_end_is_an_error_in_the_end() {
    let server =
        Server::start(move |request| Reply::json(200, &json!({"results": [person(page_number(request))]}))).await;
    let failure = caller(Product::Atlas, &server).api.members(&project()).await.unwrap_err();
    assert!(is_unavailable(failure.kind), "{}", failure.message);
    assert!(server.seen().len() <= 400, "{}", server.seen().len());
}

#[tokio::test]
async fn all_pages_together_may_not_exceed_the_limit_of_a_list() {
    let server = Server::start(move |request| {
        let mut one = person(page_number(request));
        one["country"] = json!("x".repeat(3_000_000));
        Reply::json(200, &json!({"results": [one], "totalCount": 9}))
    })
    .await;
    assert!(is_unavailable(kind(caller(Product::Atlas, &server).api.members(&project()).await)));
    assert!(server.seen().len() < 9);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_roster() {
    let server = Server::start(with_digest(|request| match page_number(request) {
        1 => Reply::json(200, &json!({"results": [person(1)], "totalCount": 2})),
        _ => api_error(500, "UNEXPECTED_ERROR"),
    }))
    .await;
    assert!(is_unavailable(kind(caller(Product::Atlas, &server).api.members(&project()).await)));
}

#[tokio::test]
async fn a_roster_that_changes_while_it_is_read_is_an_error() {
    let (_server, found) = roster(150, 100, |page, people| json!({"totalCount": people - page + 1})).await;
    assert!(is_unavailable(kind(found)));
}

#[tokio::test]
async fn at_atlas_only_active_people_are_members() {
    let states = ["ACTIVE", "PENDING", "INVITATION_EXPIRED", "INVITATION_REJECTED", "SOMETHING_NEW"];
    let results: Vec<_> = states
        .iter()
        .enumerate()
        .map(|(number, state)| {
            let mut one = person(number);
            one["orgMembershipStatus"] = json!(state);
            one["lastAuth"] = Value::Null;
            one
        })
        .collect();
    let body = json!({"results": results, "totalCount": 5, "links": [{"rel": "self"}]});
    let server = Server::start(with_digest(move |_| Reply::json(200, &body))).await;
    let found = caller(Product::Atlas, &server).api.members(&project()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].username, Username::new("PERSON0@example.com"));
    assert_eq!(found[0].roles, ["GROUP_OWNER".to_owned()].into());
    assert_eq!(found[0].user_id.as_deref(), Some("000000000000000000000000"));
}

#[tokio::test]
async fn at_cloud_manager_and_ops_manager_roles_are_those_of_the_project() {
    let body = json!({"totalCount": 2, "results": [
        {"id": "1", "username": "jane", "emailAddress": "Jane@example.com", "firstName": "J", "roles": [
            {"groupId": PROJECT, "roleName": "GROUP_OWNER"},
            {"groupId": "999999999999999999999999", "roleName": "GROUP_READ_ONLY"},
            {"orgId": "888888888888888888888888", "roleName": "ORG_MEMBER"},
            {"roleName": "GLOBAL_OWNER"}]},
        {"emailAddress": "only@example.com"}]});
    for product in [Product::CloudManager, Product::OpsManager] {
        let body = body.clone();
        let server = Server::start(with_digest(move |_| Reply::json(200, &body))).await;
        let found = caller(product, &server).api.members(&project()).await.unwrap();
        assert!(found[0].is(&Username::new("jane@example.com")) && found[0].is(&Username::new("JANE")));
        assert_eq!(found[0].roles, ["GROUP_OWNER".to_owned()].into());
        assert!(found[1].is(&Username::new("only@example.com")) && found[1].roles.is_empty());
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_fails_the_roster() {
    for (product, entry) in [
        (Product::Atlas, json!({"orgMembershipStatus": "ACTIVE"})),
        (Product::Atlas, json!({"username": "a@b.c"})),
        (Product::Atlas, json!({"username": "a@b.c", "orgMembershipStatus": "ACTIVE", "roles": [{"groupId": "x"}]})),
        (Product::Atlas, json!(null)),
        (Product::OpsManager, json!({"id": "1"})),
        (Product::OpsManager, json!({"username": "a", "roles": ["GROUP_OWNER"]})),
        (Product::OpsManager, json!("a@b.c")),
    ] {
        let body = json!({"results": [entry], "totalCount": 1});
        let shown = body.to_string();
        let server = Server::start(with_digest(move |_| Reply::json(200, &body))).await;
        assert!(is_unavailable(kind(caller(product, &server).api.members(&project()).await)), "{shown}");
    }
}
