//! What is written to the wire: paths, queries, media types, bodies, signatures.

use crate::harness::*;
use crate::server::{Reply, Server};
use invitation_operator::api::Product;
use invitation_operator::cloud::{Cancelled, Created, InvitesApi, Room};
use invitation_operator::domain::remote::Username;
use serde_json::json;

const INVITES_V1: &str = "application/vnd.atlas.2023-01-01+json";
const USERS_V2: &str = "application/vnd.atlas.2025-02-19+json";

#[tokio::test]
async fn a_create_at_atlas_is_one_post_with_exactly_roles_and_username() {
    let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
    let caller = caller(Product::Atlas, &server);
    let created = caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap();
    let Created::Invitation(found) = created else { panic!("no invitation") };
    assert_eq!((found.id, found.inviter_username.as_deref()), (id(), Some(PUBLIC_KEY)));
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].is("GET", ATLAS_INVITES) && seen[0].header("authorization").is_none());
    let post = &seen[1];
    assert!(post.is("POST", ATLAS_INVITES));
    assert_eq!(post.body, format!(r#"{{"roles":["GROUP_OWNER","GROUP_READ_ONLY"],"username":"{JANE}"}}"#));
    assert_eq!(post.header("content-type"), Some(INVITES_V1));
    assert_eq!(post.header("accept"), Some(INVITES_V1));
    assert_eq!(post.header("connection"), Some("close"));
    assert_eq!(post.header("accept-encoding"), None);
    assert!(post.header("user-agent").unwrap().starts_with("invitation-operator/"));
    assert!(post.head.lines().next().unwrap().ends_with("HTTP/1.1"));
    assert_ne!(post.connection, seen[0].connection, "the request has a connection of its own");
}

#[tokio::test]
async fn a_create_at_cloud_manager_and_ops_manager_takes_plain_json_and_201() {
    for product in [Product::CloudManager, Product::OpsManager] {
        let server = Server::start(with_digest(|_| Reply::json(201, &invitation(ID, JANE)))).await;
        let caller = caller(product, &server);
        let created = caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap();
        assert!(matches!(created, Created::Invitation(_)));
        let post = server.seen().pop().unwrap();
        assert!(post.is("POST", PUBLIC_INVITES));
        assert_eq!(post.header("content-type"), Some("application/json"));
        assert_eq!(post.header("accept"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_list_of_one_person_sends_the_address_as_written_and_signs_path_and_query() {
    let server = Server::start(with_digest(|_| Reply::json(200, &json!([invitation(ID, JANE)])))).await;
    let caller = caller(Product::Atlas, &server);
    let person = Username::new("Jane.O'Doe+a&b=c#d@example.com");
    assert_eq!(caller.api.list(&project(), Some(&person)).await.unwrap().len(), 1);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].target, seen[1].target);
    let query = seen[1].target.strip_prefix(&format!("{ATLAS_INVITES}?")).unwrap();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    assert_eq!(pairs, [("username".into(), person.as_written().into())]);
    assert!(query.contains("%2B") && query.contains("%40") && query.contains("%26"), "{query}");
    assert!(seen[1].header("authorization").unwrap().contains(&format!("uri=\"{}\"", seen[1].target)));
    assert!(seen[1].header("authorization").unwrap().contains("nc=00000001"));
}

#[tokio::test]
async fn a_list_of_a_project_has_no_query_and_no_body() {
    let server = Server::start(with_digest(|_| Reply::json(200, &json!([])))).await;
    assert_eq!(caller(Product::OpsManager, &server).api.list(&project(), None).await.unwrap(), []);
    let last = server.seen().pop().unwrap();
    assert_eq!(last.target, PUBLIC_INVITES);
    assert_eq!((last.body.as_str(), last.header("content-type")), ("", None));
}

#[tokio::test]
async fn an_update_is_a_patch_by_id_with_exactly_roles() {
    for (product, path, media_type) in
        [(Product::Atlas, ATLAS_INVITES, INVITES_V1), (Product::CloudManager, PUBLIC_INVITES, "application/json")]
    {
        let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
        let updated = caller(product, &server).api.update_roles(&project(), &id(), &roles()).await.unwrap();
        assert_eq!(updated.id, id());
        let patch = server.seen().pop().unwrap();
        assert!(patch.is("PATCH", &format!("{path}/{ID}")));
        assert_eq!(patch.body, r#"{"roles":["GROUP_OWNER","GROUP_READ_ONLY"]}"#);
        assert_eq!(patch.header("content-type"), Some(media_type));
        assert_eq!(server.count("PATCH"), 1, "an unsigned update never goes out");
    }
}

#[tokio::test]
async fn a_cancel_is_a_delete_by_id_without_body() {
    for (product, path) in [(Product::Atlas, ATLAS_INVITES), (Product::OpsManager, PUBLIC_INVITES)] {
        let server = Server::start(with_digest(|_| Reply::empty(204))).await;
        assert_eq!(caller(product, &server).api.cancel(&project(), &id()).await, Ok(Cancelled::Now));
        let delete = server.seen().pop().unwrap();
        assert!(delete.is("DELETE", &format!("{path}/{ID}")));
        assert_eq!(delete.body, "");
        assert_eq!(server.count("DELETE"), 1);
    }
}

#[tokio::test]
async fn a_get_by_id_reads_the_invitation() {
    let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
    let found = caller(Product::Atlas, &server).api.get(&project(), &id()).await.unwrap().unwrap();
    assert_eq!(found.expires_at.unwrap().to_string(), "2026-09-09T03:04:53Z");
    assert_eq!(found.group_name.as_deref(), Some("demo"));
    assert_eq!(found.group_id, Some(project()));
    assert!(server.seen().pop().unwrap().is("GET", &format!("{ATLAS_INVITES}/{ID}")));
}

#[tokio::test]
async fn members_are_asked_for_in_pages_of_500_with_a_count() {
    for (product, path, media_type) in [
        (Product::Atlas, "/api/atlas/v2/groups/5f0000000000000000000001/users", USERS_V2),
        (Product::OpsManager, "/api/public/v1.0/groups/5f0000000000000000000001/users", "application/json"),
    ] {
        let server = Server::start(with_digest(|_| Reply::json(200, &json!({"results": [], "totalCount": 0})))).await;
        assert_eq!(caller(product, &server).api.members(&project()).await.unwrap(), []);
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.target, format!("{path}?itemsPerPage=500&pageNum=1&includeCount=true"));
        assert_eq!(seen.header("accept"), Some(media_type));
    }
}

#[tokio::test]
async fn a_probe_reads_the_root_of_the_api() {
    for (product, path) in [(Product::Atlas, "/api/atlas/v2"), (Product::CloudManager, "/api/public/v1.0")] {
        let server = Server::start(with_digest(|_| Reply::json(200, &json!({"build": "x"})))).await;
        caller(product, &server).api.probe().await.unwrap();
        assert!(server.seen().pop().unwrap().is("GET", path));
    }
}

#[tokio::test]
async fn a_base_url_with_a_path_or_a_trailing_slash_is_kept_in_one_form() {
    let server = Server::start(with_digest(|_| Reply::json(200, &json!([])))).await;
    for (suffix, prefix) in [("/", ""), ("/om", "/om"), ("/om//", "/om")] {
        let connection = connection(Product::OpsManager, &format!("{}{suffix}", server.url()), api_key());
        connect(connection, TestFence::open(1000)).api.list(&project(), None).await.unwrap();
        assert_eq!(server.seen().pop().unwrap().target, format!("{prefix}{PUBLIC_INVITES}"));
    }
}

#[tokio::test]
async fn every_call_answers_a_new_challenge_with_a_new_client_nonce() {
    let server = Server::start(with_digest(|_| Reply::json(200, &json!([])))).await;
    let caller = caller(Product::Atlas, &server);
    for _ in 0..3 {
        caller.api.list(&project(), None).await.unwrap();
    }
    let seen = server.seen();
    let signed: Vec<_> = seen.iter().filter_map(|one| one.header("authorization")).collect();
    assert_eq!((seen.len(), signed.len()), (6, 3));
    assert!(signed[0] != signed[1] && signed[1] != signed[2]);
    assert_eq!(server.connections(), 1, "what may be repeated shares a connection");
}

#[tokio::test]
async fn a_stale_nonce_is_answered_once_more_and_only_once() {
    let server = Server::start(|request| match request.header("authorization") {
        Some(text) if text.contains("YmFyYmFy") => Reply::json(200, &json!([])),
        Some(_) => stale_challenge(),
        None => challenge(),
    })
    .await;
    assert_eq!(caller(Product::Atlas, &server).api.list(&project(), None).await.unwrap(), []);
    assert_eq!(server.seen().len(), 3);
    let always = Server::start(|_| stale_challenge()).await;
    let found = kind(caller(Product::Atlas, &always).api.list(&project(), None).await);
    assert_eq!(found, invitation_operator::domain::failure::FailureKind::CredentialsRejected);
    assert_eq!(always.seen().len(), 3);
}

#[tokio::test]
async fn challenges_of_other_forms_are_answered() {
    for header in [
        CHALLENGE.replace("algorithm=MD5", "algorithm=\"MD5\""),
        CHALLENGE.replace("stale=", "charset=UTF-8, stale="),
        CHALLENGE.replace("qop=", "op="),
        CHALLENGE.replace("algorithm=MD5", "algorithm=SHA-256"),
    ] {
        let sent = header.clone();
        let server = Server::start(move |request| match request.header("authorization") {
            None => Reply::empty(401).with("WWW-Authenticate", "Bearer").with("WWW-Authenticate", &sent),
            Some(text) if digest_is_right(request, text, &sent) => Reply::json(200, &json!([])),
            Some(_) => Reply::empty(401),
        })
        .await;
        assert_eq!(caller(Product::Atlas, &server).api.list(&project(), None).await, Ok(vec![]), "{header}");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_no_credentials_is_not_sent_any() {
    let server = Server::start(|request| match request.method.as_str() {
        "GET" => Reply::json(200, &json!([])),
        _ => Reply::json(200, &invitation(ID, JANE)),
    })
    .await;
    let caller = caller(Product::Atlas, &server);
    caller.api.list(&project(), None).await.unwrap();
    caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap();
    caller.api.update_roles(&project(), &id(), &roles()).await.unwrap();
    assert!(server.seen().iter().all(|one| one.header("authorization").is_none()));
    assert_eq!(server.seen().len(), 5);
}
