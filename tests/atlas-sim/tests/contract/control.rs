//! The control API, the life of a simulator and TLS.

use atlas_sim::{Options, Product, Simulator, Span, TlsIdentity};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lab::{Got, JANE, Lab, client, got};

async fn sim(lab: &Lab, method: Method, path: &str, body: Value) -> Got {
    let request = client().request(method, format!("{}/sim/{path}", lab.sim.control_url()));
    got(request.body(body.to_string())).await.unwrap()
}

#[tokio::test]
async fn people_are_steered_from_outside() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    let person = json!({"projectId": lab.project, "username": JANE});
    let path = format!("invitations?projectId={}", lab.project);
    assert_eq!(sim(&lab, Method::GET, &path, json!({})).await.ok()[0]["username"], JANE);
    sim(&lab, Method::POST, "accept", person.clone()).await.ok();
    assert_eq!(sim(&lab, Method::POST, "accept", person.clone()).await.status, StatusCode::NOT_FOUND);
    let path = format!("members?projectId={}", lab.project);
    assert_eq!(sim(&lab, Method::GET, &path, json!({})).await.ok()[0]["roles"], json!(["GROUP_READ_ONLY"]));
    sim(&lab, Method::POST, "remove", person).await.ok();
    assert!(lab.sim.members(&lab.project).is_empty());
}

#[tokio::test]
async fn the_outbox_and_the_requests_are_read_and_cleared() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    let mails = sim(&lab, Method::GET, "outbox?to=Jane.Doe@example.com", json!({})).await.ok();
    assert_eq!((&mails[0]["kind"], &mails[0]["project"]), (&json!("projectInvitation"), &json!(lab.project)));
    let requests = sim(&lab, Method::GET, "requests", json!({})).await.ok();
    assert_eq!(requests.as_array().unwrap().len(), 2);
    assert_eq!((&requests[0]["challenged"], &requests[1]["endpoint"]), (&json!(true), &json!("createGroupInvite")));
    assert_eq!(requests[1]["username"], JANE);
    sim(&lab, Method::DELETE, "outbox", json!({})).await.ok();
    sim(&lab, Method::DELETE, "requests", json!({})).await.ok();
    assert!(lab.sim.outbox().is_empty() && lab.sim.requests().is_empty());
}

#[tokio::test]
async fn seeds_plant_projects_people_and_credentials() {
    let lab = Lab::atlas().await;
    let seed = json!({
        "organizations": [{"id": "5f0000000000000000000001", "federatedDomains": ["x.example"]}],
        "projects": [{"id": "5f00000000000000000000c1", "orgId": "5f0000000000000000000001",
                      "product": "CloudManager", "members": [{"username": JANE, "roles": ["GROUP_OWNER"]}]}],
        "credentials": [{"kind": "apiKey", "id": "pub", "secret": "priv", "grants": {"*": ["GROUP_OWNER"]}}],
    });
    let seeded = sim(&lab, Method::POST, "seed", seed).await.ok();
    assert_eq!(seeded["projects"], json!(["5f00000000000000000000c1"]));
    assert_eq!(seeded["credentials"][0], json!({"kind": "apiKey", "id": "pub", "secret": "priv"}));
    assert_eq!(lab.sim.members("5f00000000000000000000c1")[0].username, JANE);
    let wrong = sim(&lab, Method::POST, "seed", json!({"project": []})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn clock_behaviour_and_faults_are_set_from_outside() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    sim(&lab, Method::POST, "clock", json!({"advance": "31d"})).await.ok();
    assert!(lab.invites().await.is_empty());
    let patch = json!({"invitationLife": "45s", "duplicateInvite": "conflict", "invitationThrottle": null});
    let behaviour = sim(&lab, Method::PATCH, "behaviour", patch).await.ok();
    assert_eq!((&behaviour["invitationLife"], &behaviour["tokenLimit"]), (&json!("45s"), &json!(100)));
    let wrong = sim(&lab, Method::PATCH, "behaviour", json!({"invitationlife": "45s"})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let rule = json!({"endpoint": "createGroupInvite", "times": 1, "fault": {"kind": "html", "status": 502}});
    let id = sim(&lab, Method::POST, "faults", rule).await.ok()["id"].clone();
    assert_eq!(lab.invite(JANE).await.status.as_u16(), 502);
    assert_eq!(sim(&lab, Method::GET, "faults", json!({})).await.ok()[0]["struck"], 1);
    sim(&lab, Method::DELETE, &format!("faults/{id}"), json!({})).await.ok();
    assert!(lab.sim.faults().is_empty());
}

#[tokio::test]
async fn control_is_not_served_beside_the_simulated_service() {
    let lab = Lab::atlas().await;
    let answer = got(lab.http.get(format!("{}/sim/status", lab.sim.base_url()))).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let status = sim(&lab, Method::GET, "status", json!({})).await.ok();
    assert_eq!(status["baseUrl"], lab.sim.base_url());
}

#[tokio::test]
async fn several_simulators_live_side_by_side_and_stop() {
    let (one, two) = (Lab::atlas().await, Lab::new(Product::OpsManager).await);
    one.invite(JANE).await.ok();
    assert_eq!((one.sim.outbox().len(), two.sim.outbox().len()), (1, 0));
    let url = two.sim.base_url().to_owned();
    two.sim.stop().await;
    assert!(client().get(url).send().await.unwrap_err().is_connect());
    assert_eq!(one.invites().await.len(), 1);
}

#[tokio::test]
async fn waiting_ends_with_the_condition_or_the_limit() {
    let lab = Lab::atlas().await;
    assert!(!lab.sim.wait_until(Span::millis(50), |sim| !sim.outbox().is_empty()).await);
    let (found, _) =
        tokio::join!(lab.sim.wait_until(Span::seconds(5), |sim| !sim.outbox().is_empty()), lab.invite(JANE));
    assert!(found);
}

// Private CAs are the rule for Ops Manager (contract §1.4).
#[tokio::test]
async fn tls_is_served_with_a_given_certificate() {
    let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let identity = TlsIdentity { certificate_pem: issued.cert.pem(), key_pem: issued.signing_key.serialize_pem() };
    let options = Options { tls: Some(identity), ..Options::default() };
    let sim = Simulator::start(options).await.unwrap();
    assert!(sim.base_url().starts_with("https://"));
    let url = format!("{}/api/public/v1.0", sim.base_url());
    assert!(client().get(&url).send().await.is_err());
    let root = reqwest::Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
    let trusting = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    assert_eq!(trusting.get(&url).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
