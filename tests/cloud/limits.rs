//! Politeness, counted at the server: the simulator's buckets refuse, and both clocks can be moved on.

use crate::harness::*;
use atlas_sim::{CredentialSeed, Fault, FaultRule, Options, Product as Sold, ProjectSeed, Simulator};
use futures::future::join_all;
use invitation_operator::api::Product;
use invitation_operator::cloud::http_api::Shared;
use invitation_operator::cloud::{Created, Credentials, HttpApi, InvitesApi, NoCalls};
use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::remote::{ObjectId, Username};
use std::sync::Arc;
use std::time::Duration;

struct Town {
    sim: Simulator,
    sold: Sold,
    project: ObjectId,
}

impl Town {
    async fn with(sold: Sold) -> Self {
        let sim = Simulator::start(Options::default()).await.unwrap();
        let project = ObjectId::parse(&sim.seed_project(ProjectSeed::new(sold, "payments"))).unwrap();
        Self { sim, sold, project }
    }

    /// A process of its own, with a service account.
    fn client(&self) -> (HttpApi, Shared) {
        let seed = CredentialSeed::service_account().grant(self.project.as_str(), ["GROUP_OWNER"]);
        let robot = self.sim.seed_credential(seed);
        self.connect(Credentials::ServiceAccount { client_id: robot.id, client_secret: robot.secret.into() })
    }

    /// The same with an API key.
    fn client_with_digest(&self) -> (HttpApi, Shared) {
        let key = self.sim.seed_credential(CredentialSeed::api_key().grant(self.project.as_str(), ["GROUP_OWNER"]));
        self.connect(Credentials::ApiKey { public_key: key.id, private_key: key.secret.into() })
    }

    fn connect(&self, credentials: Credentials) -> (HttpApi, Shared) {
        let product = match self.sold {
            Sold::Atlas => Product::Atlas,
            Sold::CloudManager => Product::CloudManager,
            Sold::OpsManager => Product::OpsManager,
        };
        let connection = connection(product, self.sim.base_url(), credentials);
        let shared = Shared::default();
        let api = HttpApi::sharing(connection, TestFence::open(10_000), Arc::new(NoCalls), &shared).unwrap();
        (api, shared)
    }

    fn refused(&self) -> usize {
        self.sim.requests().into_iter().filter(|call| call.status == Some(429)).count()
    }

    fn requests(&self) -> usize {
        self.sim.requests().len()
    }

    /// The client's clock and the server's.
    async fn pass(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
        self.sim.advance_clock(time);
    }

    async fn list(&self, api: &HttpApi) -> Result<(), Failure> {
        api.list(&self.project, None).await.map(|_| ())
    }

    async fn invite(&self, api: &HttpApi, number: usize) -> Result<Created, Failure> {
        let room = api.room(&self.project).await?;
        let person = Username::new(&format!("person-{number}@example.com"));
        api.create(attempt(), room, &self.project, &person, &roles()).await
    }
}

fn held_back<T>(result: &Result<T, Failure>) -> bool {
    matches!(result, Err(Failure { kind: FailureKind::HeldBack { .. }, .. }))
}

/// Looks and invitations all at once; returns how many were held back. Nothing else may go wrong.
async fn rush(town: &Town, api: &HttpApi, round: usize, count: usize) -> usize {
    let looks = join_all((0..count).map(|_| town.list(api)));
    let mails = join_all((0..count).map(|number| town.invite(api, round * 1000 + number)));
    let (looks, mails) = tokio::join!(looks, mails);
    assert!(looks.iter().all(|one| one.is_ok() || held_back(one)), "{looks:?}");
    assert!(mails.iter().all(|one| one.is_ok() || held_back(one)), "{mails:?}");
    looks.iter().filter(|one| held_back(one)).count() + mails.iter().filter(|one| held_back(one)).count()
}

#[tokio::test]
async fn a_limit_that_is_lowered_underneath_is_learned_without_a_refusal() {
    let town = Town::with(Sold::Atlas).await;
    town.sim.configure(|behaviour| (behaviour.users_per_group, behaviour.users_per_org) = (10_000, 10_000));
    let (api, _) = town.client();
    // So few at a time that none waits for another's answer, however slow the machine is.
    for part in 10..35 {
        assert_eq!(rush(&town, &api, part, 4).await, 0, "as much as there is");
    }
    let before = town.requests();
    // While calls are under way.
    let (_, ()) = tokio::join!(rush(&town, &api, 1, 60), async {
        assert!(town.sim.wait_until(atlas_sim::Span::seconds(10), |_| town.requests() > before + 20).await);
        town.sim.configure(|behaviour| (behaviour.atlas_capacity, behaviour.atlas_refill) = (20, 10));
    });
    let mut held = 0;
    for round in 2..6 {
        town.pass(Duration::from_secs(60)).await;
        held += rush(&town, &api, round, 20).await;
    }
    assert!(held > 50, "{held} held back");
    assert_eq!(town.refused(), 0);
}

#[tokio::test]
async fn a_bucket_that_also_fills_more_slowly_costs_one_refusal() {
    let town = Town::with(Sold::Atlas).await;
    let (api, _) = town.client();
    town.list(&api).await.unwrap();
    town.sim.configure(|behaviour| (behaviour.atlas_capacity, behaviour.atlas_refill) = (20, 1));
    let mut refused = 0;
    for _ in 0..8 {
        town.pass(Duration::from_secs(90)).await;
        for _ in 0..12 {
            let refusal = |failure: Failure| matches!(failure.kind, FailureKind::RateLimited { .. });
            refused += usize::from(town.list(&api).await.is_err_and(refusal));
        }
    }
    assert!(refused <= 1 && town.refused() == refused, "{refused} of {} at the server", town.refused());
    assert!(town.requests() >= 20);
}

#[tokio::test]
async fn other_clients_find_room() {
    let town = Town::with(Sold::Atlas).await;
    town.sim.configure(|behaviour| (behaviour.atlas_capacity, behaviour.atlas_refill) = (40, 1));
    let ((ours, _), (others, _)) = (town.client(), town.client());
    for _ in 0..25 {
        town.list(&others).await.unwrap();
    }
    let looks = join_all((0..20).map(|_| town.list(&ours))).await;
    assert!(looks.iter().any(Result::is_ok) && looks.iter().any(held_back));
    // They are as polite as we are, and go where they may: an invitation needs no reserve.
    for number in 0..5 {
        town.invite(&others, number).await.unwrap();
    }
    assert_eq!(town.refused(), 0);
}

#[tokio::test]
async fn after_a_429_nobody_calls_that_project_before_its_time_and_another_goes_on() {
    let town = Town::with(Sold::Atlas).await;
    let other = ObjectId::parse(&town.sim.seed_project(ProjectSeed::atlas("other"))).unwrap();
    let seed = CredentialSeed::service_account();
    let robot = town
        .sim
        .seed_credential(seed.grant(town.project.as_str(), ["GROUP_OWNER"]).grant(other.as_str(), ["GROUP_OWNER"]));
    let (api, _) =
        town.connect(Credentials::ServiceAccount { client_id: robot.id, client_secret: robot.secret.into() });
    town.sim.add_fault(FaultRule::new(Fault::rate_limited(Some(30))).project(town.project.as_str()).once());
    let wait = town.list(&api).await.unwrap_err().kind.retry_after();
    assert_eq!(wait, Some(Duration::from_secs(30)));
    let before = town.requests();
    let calls = join_all((0..10).map(|_| town.list(&api))).await;
    assert!(calls.iter().all(held_back), "{calls:?}");
    assert!(held_back(&town.invite(&api, 0).await));
    assert_eq!(town.requests(), before);
    api.list(&other, None).await.unwrap();
    api.members(&town.project).await.unwrap();
    town.pass(Duration::from_secs(31)).await;
    town.list(&api).await.unwrap();
    town.invite(&api, 0).await.unwrap();
}

#[tokio::test]
async fn what_has_leave_does_not_go_after_a_429() {
    let town = Town::with(Sold::Atlas).await;
    let (api, _) = town.client();
    for _ in 0..3 {
        town.list(&api).await.unwrap();
    }
    let room = api.room(&town.project).await.unwrap();
    town.sim.add_fault(FaultRule::new(Fault::rate_limited(Some(30))).once());
    town.list(&api).await.unwrap_err();
    let created = kind(api.create(attempt(), room, &town.project, &jane(), &roles()).await);
    assert!(matches!(created, FailureKind::NotSent { retry_after: Some(_) }), "{created:?}");
    assert!(created.is_definite_no() && created.left_unsent());
    assert!(town.sim.requests().iter().all(|call| call.method != "POST" || call.path.ends_with("/oauth/token")));
}

#[tokio::test]
async fn a_hundred_requests_a_minute_are_never_exceeded_digest_included() {
    for sold in [Sold::CloudManager, Sold::OpsManager] {
        let town = Town::with(sold).await;
        let (api, _) = town.client_with_digest();
        for round in 0..6 {
            rush(&town, &api, round, 12).await;
            town.pass(Duration::from_secs(20)).await;
        }
        assert_eq!(town.refused(), 0);
        assert!(town.requests() > 90, "{} requests", town.requests());
    }
}

#[tokio::test]
async fn projects_that_nobody_calls_any_more_are_forgotten() {
    let town = Town::with(Sold::Atlas).await;
    let (api, shared) = town.client();
    for number in 0..50 {
        let project = ObjectId::parse(&format!("{number:024}")).unwrap();
        api.list(&project, None).await.unwrap_err();
    }
    assert_eq!(shared.limits.remembered(), 51, "and the token's");
    town.pass(Duration::from_secs(2 * 3600)).await;
    town.list(&api).await.unwrap();
    assert!(shared.limits.remembered() <= 2);
}
