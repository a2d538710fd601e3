//! Faults: what goes wrong, when, and whether it acted.

use std::time::Duration;

use atlas_sim::{Endpoint, Fault, FaultRule, Leg, Span};
use reqwest::{Method, StatusCode};
use tokio::time::Instant;

use crate::lab::{Got, JANE, Lab, invitation};

fn create(fault: Fault) -> FaultRule {
    FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once()
}

async fn attempt(lab: &Lab) -> reqwest::Result<Got> {
    lab.try_send(&lab.key, Method::POST, &lab.path("/invites"), Some(&invitation(JANE))).await
}

#[tokio::test]
async fn a_reset_before_the_effect_leaves_nothing() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::ResetBefore));
    assert!(attempt(&lab).await.is_err());
    assert!(lab.sim.outbox().is_empty());
    attempt(&lab).await.unwrap().ok();
}

#[tokio::test]
async fn a_reset_after_the_effect_has_mailed() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::ResetAfter));
    let error = attempt(&lab).await.unwrap_err();
    assert!(!error.is_connect() && !error.is_timeout());
    assert_eq!(lab.sim.mails_to(JANE).len(), 1);
    assert_eq!(lab.invites().await.len(), 1);
    let record = lab.sim.requests().into_iter().find(|request| !request.faults.is_empty()).unwrap();
    assert_eq!(
        (record.status, record.finished, record.faults.as_slice()),
        (None, true, &["resetAfter".to_owned()][..])
    );
}

#[tokio::test]
async fn a_reset_is_a_true_reset() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let lab = Lab::atlas().await;
    lab.sim.add_fault(FaultRule::new(Fault::ResetBefore).leg(Leg::Any));
    let mut stream = tokio::net::TcpStream::connect(lab.sim.address()).await.unwrap();
    stream.write_all(b"GET /api/atlas/v2 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let error = stream.read(&mut [0; 16]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_late_effect_acts_after_the_connection_is_gone() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::LateEffect { after: Span::millis(100), hang: false }));
    assert!(attempt(&lab).await.is_err());
    assert!(lab.sim.outbox().is_empty());
    assert!(lab.sim.wait_until(Span::seconds(5), |sim| sim.mails_to(JANE).len() == 1).await);
    assert_eq!(lab.invites().await.len(), 1);
}

#[tokio::test]
async fn a_hanging_call_ends_only_by_the_clients_deadline() {
    let lab = Lab::atlas().await;
    for (fault, mails) in [(Fault::HangBefore, 0), (Fault::HangAfter, 1)] {
        lab.sim.add_fault(create(fault));
        assert!(tokio::time::timeout(Duration::from_millis(300), attempt(&lab)).await.is_err());
        assert_eq!(lab.sim.outbox().len(), mails);
    }
}

#[tokio::test]
async fn an_effect_under_way_happens_though_the_client_is_gone() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::latency(Span::millis(200))));
    assert!(tokio::time::timeout(Duration::from_millis(100), attempt(&lab)).await.is_err());
    assert!(lab.sim.wait_until(Span::seconds(5), |sim| sim.outbox().len() == 1).await);
}

#[tokio::test]
async fn latency_before_and_after_the_effect_is_told_apart() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::Latency { before: Span::ZERO, after: Span::millis(150) }));
    let started = Instant::now();
    attempt(&lab).await.unwrap().ok();
    assert!(started.elapsed() >= Duration::from_millis(150));
    let record = lab.sim.requests().last().cloned().unwrap();
    assert!(record.elapsed_ms.unwrap() >= 150);
}

// §3: statuses with codes, with and without Retry-After; §4.1: the oldest shape has no `errorCode`.
#[tokio::test]
async fn error_answers_have_the_shape_asked_for() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::status(503, "UNEXPECTED_ERROR")));
    assert_eq!(attempt(&lab).await.unwrap().code(), (503, "UNEXPECTED_ERROR".to_owned()));
    lab.sim.add_fault(create(Fault::rate_limited(Some(7))));
    let got = attempt(&lab).await.unwrap();
    assert_eq!((got.status.as_u16(), got.header("retry-after")), (429, "7"));
    lab.sim.add_fault(create(Fault::rate_limited(None)));
    assert_eq!(attempt(&lab).await.unwrap().header("retry-after"), "");
    lab.sim.add_fault(create(Fault::maintenance()));
    let got = attempt(&lab).await.unwrap();
    assert_eq!(got.code(), (405, "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES".to_owned()));
    let oldest = r#"{"kind":"status","status":500,"detail":"boom"}"#;
    lab.sim.add_fault(create(serde_json::from_str(oldest).unwrap()));
    let got = attempt(&lab).await.unwrap();
    assert!(got.json().get("errorCode").is_none() && got.header("x-error-code").is_empty());
    assert_eq!(got.json()["detail"], "boom");
    assert!(lab.sim.outbox().is_empty());
}

#[tokio::test]
async fn an_error_may_hide_an_effect() {
    let lab = Lab::atlas().await;
    let fault = r#"{"kind":"status","status":500,"code":"UNEXPECTED_ERROR","afterEffect":true}"#;
    lab.sim.add_fault(create(serde_json::from_str(fault).unwrap()));
    assert_eq!(attempt(&lab).await.unwrap().status.as_u16(), 500);
    assert_eq!(lab.sim.mails_to(JANE).len(), 1);
}

#[tokio::test]
async fn a_proxy_answers_html() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::Html { status: 502, after_effect: false }));
    let got = attempt(&lab).await.unwrap();
    assert_eq!((got.status.as_u16(), got.header("content-type")), (502, "text/html"));
    assert!(got.text.starts_with("<html>"));
}

// §6.2: the docs show the token endpoint's 429 in OAuth's shape, too.
#[tokio::test]
async fn any_json_can_stand_in_for_an_answer() {
    let lab = Lab::atlas().await;
    let body = serde_json::json!({"error": "rate_limited"});
    lab.sim.add_fault(create(Fault::Json { status: 429, body: body.clone(), after_effect: false }));
    let got = attempt(&lab).await.unwrap();
    assert_eq!((got.status.as_u16(), got.json()), (429, body));
}

#[tokio::test]
async fn a_redirect_points_elsewhere() {
    let lab = Lab::atlas().await;
    let location = "http://127.0.0.1:9/elsewhere".to_owned();
    lab.sim.add_fault(create(Fault::Redirect { status: 302, location: location.clone() }));
    let got = attempt(&lab).await.unwrap();
    assert_eq!((got.status, got.header("location")), (StatusCode::FOUND, location.as_str()));
    assert!(lab.sim.outbox().is_empty());
}

#[tokio::test]
async fn a_truncated_body_breaks_off() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::Truncate { keep: 20 }));
    let error = attempt(&lab).await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(lab.sim.outbox().len(), 1);
}

#[tokio::test]
async fn a_trickled_body_arrives_whole_but_slowly() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::Trickle { chunk: 50, every: Span::millis(30) }));
    let started = Instant::now();
    assert_eq!(attempt(&lab).await.unwrap().ok()["username"], JANE);
    assert!(started.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_huge_body_is_valid_but_huge() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::HugeBody { bytes: 3_000_000 }));
    let got = attempt(&lab).await.unwrap();
    assert!(got.text.len() > 3_000_000);
    assert_eq!(got.header("content-length"), got.text.len().to_string());
    assert_eq!(got.json()["username"], JANE);
}

#[tokio::test]
async fn a_list_can_be_empty_though_people_are_there() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    lab.sim.add_fault(FaultRule::new(Fault::EmptyList).method("GET").path("/invites").once());
    assert!(lab.invites().await.is_empty());
    assert_eq!(lab.invites().await.len(), 1);
}

#[tokio::test]
async fn one_creation_can_be_slow_to_show_up() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::ListLag { lag: Span::days(1) }));
    lab.invite(JANE).await.ok();
    lab.invite("john@example.com").await.ok();
    assert_eq!(lab.invites().await.len(), 1);
    assert_eq!(lab.sim.invitations(&lab.project).len(), 2);
}

// §4.3: fields may be added or omitted.
#[tokio::test]
async fn fields_can_be_added_and_left_out() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(create(Fault::ExtraFields));
    assert_eq!(attempt(&lab).await.unwrap().ok()["simUnknownFlag"], true);
    let fields = vec!["id".to_owned(), "expiresAt".to_owned()];
    lab.sim.add_fault(create(Fault::MissingFields { fields }));
    let body = attempt(&lab).await.unwrap().ok();
    assert!(body.get("id").is_none() && body.get("createdAt").is_some());
    lab.sim.add_fault(create(Fault::NoBody));
    let got = attempt(&lab).await.unwrap();
    assert_eq!((got.status, got.text.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn rules_choose_their_calls() {
    let lab = Lab::atlas().await;
    let rule = FaultRule::new(Fault::status(500, "UNEXPECTED_ERROR"))
        .on(Endpoint::CreateGroupInvite)
        .project(&lab.project)
        .username("JANE.doe@example.com")
        .skip(1)
        .times(1);
    let id = lab.sim.add_fault(rule);
    lab.invite("john@example.com").await.ok();
    let statuses = [lab.invite(JANE).await, lab.invite(JANE).await, lab.invite(JANE).await];
    assert_eq!(statuses.map(|got| got.status.as_u16()), [200, 500, 200]);
    let active = lab.sim.faults();
    assert_eq!((active[0].id, active[0].matched, active[0].struck), (id, 2, 1));
    assert!(lab.sim.remove_fault(id) && !lab.sim.remove_fault(id));
}

#[tokio::test]
async fn a_rule_may_strike_the_challenged_leg_only() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(FaultRule::new(Fault::status(503, "UNEXPECTED_ERROR")).leg(Leg::Challenged).once());
    assert_eq!(lab.invite(JANE).await.status.as_u16(), 503);
    assert_eq!(lab.sim.requests().len(), 1);
    lab.invite(JANE).await.ok();
}

#[tokio::test]
async fn probability_zero_never_strikes_and_clearing_ends_all() {
    let lab = Lab::atlas().await;
    lab.sim.add_fault(FaultRule::new(Fault::ResetBefore).probability(0.0));
    lab.invite(JANE).await.ok();
    lab.sim.add_fault(FaultRule::new(Fault::ResetBefore).probability(1.0));
    assert!(attempt(&lab).await.is_err());
    lab.sim.clear_faults();
    attempt(&lab).await.unwrap().ok();
}
