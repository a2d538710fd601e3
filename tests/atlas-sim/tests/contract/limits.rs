//! Rate limits, throttles and room: contract §2.15, §2.16, §6.

use std::time::Duration;

use atlas_sim::{Behaviour, CredentialSeed, Product};
use reqwest::StatusCode;
use serde_json::json;

use crate::lab::{JANE, Lab, got};

// §2.16: HTTP 400 INVITATIONS_RATE_LIMITED_IP, "Rate limit of 10 invitations per 1 minutes exceeded."
#[tokio::test]
async fn the_eleventh_invitation_in_a_minute_is_a_400_to_retry() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.invitation_throttle = Some(10));
    for number in 0..10 {
        lab.invite(&format!("p{number}@example.com")).await.ok();
    }
    let refused = lab.invite(JANE).await;
    assert_eq!(refused.code(), (400, "INVITATIONS_RATE_LIMITED_IP".to_owned()));
    assert_eq!(refused.json()["detail"], "Rate limit of 10 invitations per 1 minutes exceeded.");
    assert!(lab.sim.mails_to(JANE).is_empty());
    lab.sim.advance_clock(Duration::from_secs(60));
    lab.invite(JANE).await.ok();
}

#[tokio::test]
async fn a_minute_of_the_throttle_may_be_shorter() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| {
        behaviour.invitation_throttle = Some(1);
        behaviour.invitation_throttle_window = Duration::from_secs(3).into();
    });
    lab.invite("first@example.com").await.ok();
    lab.sim.advance_clock(Duration::from_secs(1));
    assert_eq!(lab.invite(JANE).await.code().0, 400);
    lab.sim.advance_clock(Duration::from_secs(2));
    lab.invite(JANE).await.ok();
}

// The program throttles by default, the library does not, so that tests are quick.
#[test]
fn only_strict_behaviour_throttles() {
    assert_eq!(Behaviour::default().invitation_throttle, None);
    assert_eq!(Behaviour::strict().invitation_throttle, Some(10));
    assert_eq!(Behaviour::strict().token_rate_limit, Some(50));
}

// §6.1: capacity 1200 per project, counted down, refilled with time.
#[tokio::test]
async fn atlas_counts_down_per_project_and_refills() {
    let lab = Lab::atlas().await;
    let remaining = |got: crate::lab::Got| got.header("ratelimit-remaining").parse::<u32>().unwrap();
    assert_eq!(remaining(lab.get(&lab.path("/invites")).await), 1199);
    assert!(remaining(lab.get(&lab.path("/invites")).await) <= 1199);
    lab.sim.advance_clock(Duration::from_secs(60));
    assert_eq!(remaining(lab.get(&lab.path("/invites")).await), 1199);
}

// §6.1: errors and the second endpoint set; users have a bucket of their own.
#[tokio::test]
async fn errors_carry_the_limits_too() {
    let lab = Lab::atlas().await;
    let got = lab.get(&lab.path("/invites/111111111111111111111111")).await;
    assert_eq!((got.status.as_u16(), got.header("ratelimit-limit")), (404, "1200"));
    assert_eq!(lab.get(&lab.path("/users")).await.header("ratelimit-remaining"), "1199");
}

// §3, §6.1: 429 RATE_LIMITED_TOKEN_BUCKET with `[path, retryAfter, capacity, refillRate, refillSeconds]` and Retry-After.
#[tokio::test]
async fn an_empty_bucket_is_429_with_retry_after() {
    let lab = Lab::atlas().await;
    lab.sim.drain_rate_limit(&lab.project);
    let path = lab.path("/invites");
    let got = lab.get(&path).await;
    assert_eq!(got.code(), (429, "RATE_LIMITED_TOKEN_BUCKET".to_owned()));
    let wait: u64 = got.header("retry-after").parse().unwrap();
    assert_eq!(got.json()["parameters"], json!([path, wait, 1200, 500, 60]));
    lab.sim.advance_clock(Duration::from_secs(wait));
    assert_eq!(lab.get(&path).await.status, StatusCode::OK);
}

// A limit may be lowered while clients use it: what is left shrinks with it.
#[tokio::test]
async fn a_bucket_may_shrink_underneath() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    lab.get(&path).await;
    lab.sim.configure(|behaviour| (behaviour.atlas_capacity, behaviour.atlas_refill) = (2, 2));
    let got = lab.get(&path).await;
    assert_eq!((got.header("ratelimit-limit"), got.header("ratelimit-remaining")), ("2", "1"));
    lab.get(&path).await;
    let refused = lab.get(&path).await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(refused.json()["parameters"], json!([path, wait, 2, 2, 60]));
}

// §6.2: Cloud Manager and Ops Manager: 100 requests per minute and project, 429 RATE_LIMITED.
#[tokio::test]
async fn the_hundred_and_first_classic_request_is_429() {
    let lab = Lab::new(Product::OpsManager).await;
    let path = lab.path("/invites");
    for _ in 0..100 {
        assert_eq!(lab.get(&path).await.status, StatusCode::OK);
    }
    let got = lab.get(&path).await;
    assert_eq!(got.code(), (429, "RATE_LIMITED".to_owned()));
    assert_eq!(got.json()["parameters"], json!([path, 100, 1]));
    assert!(!got.header("retry-after").is_empty());
    assert_eq!(lab.get("/api/public/v1.0").await.status, StatusCode::OK);
    lab.sim.advance_clock(Duration::from_secs(60));
    assert_eq!(lab.get(&path).await.status, StatusCode::OK);
}

// §6.2: the token endpoint's limit has the shape of an ApiError, with `["/api/oauth/token",50,1]`.
#[tokio::test]
async fn the_token_limit_looks_like_an_api_error() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.token_rate_limit = Some(1));
    let robot = lab.sim.seed_credential(CredentialSeed::service_account());
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = lab
            .http
            .post(format!("{}/api/oauth/token", lab.sim.base_url()))
            .basic_auth(&robot.id, Some(&robot.secret))
            .form(&[("grant_type", "client_credentials")]);
        answers.push(got(request).await.unwrap());
    }
    assert_eq!(answers[0].status, StatusCode::OK);
    assert_eq!(answers[1].code(), (429, "RATE_LIMITED".to_owned()));
    assert_eq!(answers[1].json()["parameters"], json!(["/api/oauth/token", 1, 1]));
}

// §2.15: MAX_USERS_PER_GROUP_EXCEEDED and MAX_USERS_PER_ORG_EXCEEDED are 400.
#[tokio::test]
async fn a_full_project_or_organisation_refuses() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.users_per_group = 1);
    lab.invite(JANE).await.ok();
    let got = lab.invite("john@example.com").await;
    assert_eq!(got.code(), (400, "MAX_USERS_PER_GROUP_EXCEEDED".to_owned()));
    lab.sim.configure(|behaviour| (behaviour.users_per_group, behaviour.users_per_org) = (500, 1));
    let got = lab.invite("john@example.com").await;
    assert_eq!(got.code(), (400, "MAX_USERS_PER_ORG_EXCEEDED".to_owned()));
}
