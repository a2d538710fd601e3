//! Against the simulator, which shares no code with the operator: whole lives, and the promise that binds verdict and mail.

use crate::harness::*;
use atlas_sim::{
    ChallengeStyle, CredentialKind, CredentialSeed, Endpoint as Operation, Fault, FaultRule, GrantReply, Options,
    ProjectSeed, Simulator, Span,
};
use invitation_operator::api::Product;
use invitation_operator::cloud::{Cancelled, Created, Credentials, InvitesApi, Room};
use invitation_operator::domain::failure::FailureKind;
use invitation_operator::domain::remote::ObjectId;
use std::time::Duration;

struct Stage {
    simulator: Simulator,
    project: ObjectId,
    caller: Caller,
}

fn sold_as(product: Product) -> atlas_sim::Product {
    match product {
        Product::Atlas => atlas_sim::Product::Atlas,
        Product::CloudManager => atlas_sim::Product::CloudManager,
        Product::OpsManager => atlas_sim::Product::OpsManager,
    }
}

async fn stage(product: Product, credential: CredentialSeed) -> Stage {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let project = simulator.seed_project(ProjectSeed::new(sold_as(product), "payments"));
    let credential = simulator.seed_credential(credential.grant(&project, ["GROUP_OWNER"]));
    let credentials = match credential.kind {
        CredentialKind::ApiKey => {
            Credentials::ApiKey { public_key: credential.id, private_key: credential.secret.into() }
        }
        CredentialKind::ServiceAccount => {
            Credentials::ServiceAccount { client_id: credential.id, client_secret: credential.secret.into() }
        }
    };
    let mut connection = connection(product, simulator.base_url(), credentials);
    connection.call_deadline = Duration::from_secs(2);
    let caller = connect(connection, TestFence::open(600));
    Stage { simulator, project: ObjectId::parse(&project).unwrap(), caller }
}

impl Stage {
    async fn create(&self) -> Result<Created, invitation_operator::domain::failure::Failure> {
        self.caller.api.create(attempt(), Room::unlimited(), &self.project, &jane(), &roles()).await
    }

    fn mails(&self) -> usize {
        self.simulator.mails_to(JANE).len()
    }
}

#[tokio::test]
async fn an_invitation_lives_in_every_product_with_every_kind_of_credential() {
    for (product, credential) in [
        (Product::Atlas, CredentialSeed::api_key()),
        (Product::Atlas, CredentialSeed::service_account()),
        (Product::CloudManager, CredentialSeed::api_key()),
        (Product::CloudManager, CredentialSeed::service_account()),
        (Product::OpsManager, CredentialSeed::api_key()),
    ] {
        let stage = stage(product, credential).await;
        let (api, project) = (&stage.caller.api, &stage.project);
        api.probe().await.unwrap();
        assert_eq!(api.list(project, None).await, Ok(vec![]));
        let Ok(Created::Invitation(created)) = stage.create().await else { panic!("{product:?}: not created") };
        assert_eq!(stage.mails(), 1);
        assert_eq!(created.roles, roles());
        assert_eq!(api.list(project, Some(&jane())).await.unwrap(), vec![*created.clone()]);
        assert_eq!(api.get(project, &created.id).await.unwrap(), Some(*created.clone()));
        let fewer = ["GROUP_READ_ONLY".to_owned()].into();
        let updated = api.update_roles(project, &created.id, &fewer).await.unwrap();
        assert_eq!((updated.roles, updated.expires_at), (fewer.clone(), created.expires_at));
        assert!(stage.simulator.accept(project.as_str(), JANE));
        assert_eq!(api.get(project, &created.id).await, Ok(None));
        let members = api.members(project).await.unwrap();
        assert!(members.iter().any(|member| member.is(&jane()) && member.roles == fewer), "{product:?} {members:?}");
        assert_eq!(api.cancel(project, &created.id).await, Ok(Cancelled::AlreadyGone));
        assert_eq!(stage.mails(), 1);
    }
}

#[tokio::test]
async fn a_pending_invitation_is_cancelled_once_and_gone_after() {
    let stage = stage(Product::Atlas, CredentialSeed::api_key()).await;
    let Ok(Created::Invitation(created)) = stage.create().await else { panic!("not created") };
    assert_eq!(stage.caller.api.cancel(&stage.project, &created.id).await, Ok(Cancelled::Now));
    assert_eq!(stage.caller.api.cancel(&stage.project, &created.id).await, Ok(Cancelled::AlreadyGone));
    assert!(stage.simulator.invitations(stage.project.as_str()).is_empty());
}

#[tokio::test]
async fn a_definite_no_never_mailed_and_nothing_ever_mails_twice() {
    let span = |millis| Span::from(Duration::from_millis(millis));
    let faults = vec![
        Fault::status(400, "INVALID_ROLE_FOR_GROUP"),
        Fault::status(400, "DEFAULT_INVITATION_EXCEPTION"),
        Fault::status(500, "UNEXPECTED_ERROR"),
        Fault::rate_limited(Some(1)),
        Fault::maintenance(),
        Fault::Html { status: 404, after_effect: false },
        Fault::Html { status: 404, after_effect: true },
        Fault::Html { status: 403, after_effect: true },
        Fault::Html { status: 429, after_effect: true },
        Fault::Html { status: 200, after_effect: true },
        Fault::Html { status: 502, after_effect: true },
        Fault::Json { status: 404, body: serde_json::json!({"message": "no route"}), after_effect: true },
        Fault::Json { status: 400, body: serde_json::json!({"error": "bad gateway"}), after_effect: true },
        Fault::Json { status: 200, body: serde_json::json!(null), after_effect: true },
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::HangBefore,
        Fault::HangAfter,
        Fault::LateEffect { after: span(50), hang: false },
        Fault::Truncate { keep: 20 },
        Fault::Truncate { keep: 0 },
        Fault::HugeBody { bytes: 2 * 1024 * 1024 },
        Fault::Redirect { status: 307, location: "http://127.0.0.1:1/".to_owned() },
        Fault::ExtraFields,
        Fault::MissingFields { fields: vec!["id".to_owned()] },
        Fault::MissingFields { fields: ["roles", "createdAt", "username", "groupId"].map(str::to_owned).to_vec() },
        Fault::NoBody,
        Fault::Trickle { chunk: 1, every: span(20) },
    ];
    for product in [Product::Atlas, Product::OpsManager] {
        let stage = stage(product, CredentialSeed::api_key()).await;
        for fault in &faults {
            stage.simulator.clear_outbox();
            stage.simulator.clear_faults();
            stage.simulator.configure(|behaviour| behaviour.invitation_throttle = None);
            stage.simulator.add_fault(FaultRule::new(fault.clone()).on(Operation::CreateGroupInvite));
            let found = stage.create().await;
            stage.simulator.wait_until(span(100), |_| stage.mails() > 0).await;
            let mails = stage.mails();
            assert!(mails <= 1, "{fault:?}: {mails} mails");
            match found {
                Ok(_) => assert_eq!(mails, 1, "{fault:?}"),
                Err(failure) if failure.kind.is_definite_no() => assert_eq!(mails, 0, "{fault:?}: {failure:?}"),
                Err(_) => {}
            }
        }
    }
}

#[tokio::test]
async fn somebody_who_is_added_at_once_is_a_success_without_an_id() {
    for reply in [GrantReply::NoContent, GrantReply::EmptyBody, GrantReply::EmptyObject, GrantReply::WithoutId] {
        let stage = stage(Product::Atlas, CredentialSeed::api_key()).await;
        stage.simulator.configure(|behaviour| behaviour.granted_reply = reply);
        let org = stage.simulator.org_of(stage.project.as_str()).unwrap();
        stage.simulator.seed_org_member(&org, JANE, &["ORG_MEMBER"]);
        assert_eq!(stage.create().await, Ok(Created::WithoutId), "{reply:?}");
        assert!(stage.caller.api.members(&stage.project).await.unwrap().iter().any(|member| member.is(&jane())));
    }
}

#[tokio::test]
async fn a_member_is_already_there() {
    let stage = stage(Product::Atlas, CredentialSeed::api_key()).await;
    stage.simulator.seed_member(stage.project.as_str(), JANE, &["GROUP_OWNER"]);
    assert_eq!(kind(stage.create().await), FailureKind::AlreadyThere);
}

#[tokio::test]
async fn every_way_to_write_a_challenge_is_answered() {
    for challenge in [ChallengeStyle::Recorded, ChallengeStyle::Charset, ChallengeStyle::WithoutQop] {
        let stage = stage(Product::Atlas, CredentialSeed::api_key()).await;
        stage.simulator.configure(|behaviour| behaviour.challenge = challenge);
        assert!(matches!(stage.create().await, Ok(Created::Invitation(_))), "{challenge:?}");
    }
}

#[tokio::test]
async fn a_large_roster_comes_whole() {
    let stage = stage(Product::Atlas, CredentialSeed::api_key()).await;
    stage.simulator.configure(|behaviour| behaviour.users_per_group = 2000);
    for number in 0..1203 {
        stage.simulator.seed_member(stage.project.as_str(), &format!("p{number}@example.com"), &["GROUP_READ_ONLY"]);
    }
    assert_eq!(stage.caller.api.members(&stage.project).await.unwrap().len(), 1203);
}

#[tokio::test]
async fn the_wrong_product_is_named() {
    for (product, other) in [(Product::CloudManager, Product::Atlas), (Product::Atlas, Product::CloudManager)] {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let project = simulator.seed_project(ProjectSeed::new(sold_as(other), "other"));
        let key = simulator.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
        let credentials = Credentials::ApiKey { public_key: key.id, private_key: key.secret.into() };
        let caller = connect(connection(product, simulator.base_url(), credentials), TestFence::open(1000));
        let failure = caller.api.list(&ObjectId::parse(&project).unwrap(), None).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::WrongProduct, "{failure:?}");
        assert!(failure.message.contains(&format!("product: {}", other.as_str())), "{}", failure.message);
    }
}

#[tokio::test]
async fn tokens_that_the_server_forgot_are_replaced() {
    let stage = stage(Product::Atlas, CredentialSeed::service_account()).await;
    stage.caller.api.list(&stage.project, None).await.unwrap();
    stage.simulator.forget_tokens();
    stage.caller.api.list(&stage.project, None).await.unwrap();
    stage.simulator.forget_tokens();
    assert_eq!(kind(stage.create().await), FailureKind::CredentialsRejected);
    assert_eq!(stage.mails(), 0);
}
