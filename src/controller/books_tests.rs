//! Results that enter a ledger which fails, changes or is gone.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::controller::clock::SystemClock;
use crate::controller::cluster::claim_object;
use crate::controller::settings::Namespaces;
use crate::controller::testing::{Server, shared, unheard};
use crate::domain::ledger;
use crate::domain::testing;
use crate::domain::timings::Timings;
use tokio::time::Instant;

fn open() -> InvitationClaimSpec {
    let facts = testing::facts();
    ledger::attempt_opened(testing::claim(&facts), &facts)
}

fn made() -> InvitationClaimSpec {
    ledger::recorded(open(), &testing::invitation(), crate::api::Origin::Created)
}

/// As the server answered when the attempt was recorded.
fn acknowledged() -> InvitationClaim {
    let mut claim = claim_object(&claim_name(&open().key), &open());
    claim.metadata.resource_version = Some("2".to_owned());
    claim
}

fn holding(spec: &InvitationClaimSpec, silent_for: Duration) -> Arc<Server> {
    Arc::new(Server::silent_for(silent_for).with_claim(spec))
}

fn now_is(server: &Server) -> Option<InvitationClaimSpec> {
    server.claim_of(&open()).map(|claim| claim.spec)
}

fn books(server: &Arc<Server>) -> Books {
    let settings = ControllerSettings {
        operator_namespace: "operator".to_owned(),
        namespaces: Namespaces::All,
        allowed_hosts: std::collections::BTreeSet::new(),
        max_mails_per_person: 3,
        timings: Timings::default(),
        call_deadline: Duration::from_secs(30),
        rate: crate::domain::pacer::Rate::Unlimited,
        concurrency: 1,
        watch_renewal: Duration::from_secs(50),
    };
    Books::new(shared(server), Arc::new(Cache::default()), Arc::new(SystemClock), unheard(), &settings)
}

#[tokio::test(start_paused = true)]
async fn a_result_is_written_at_once_when_the_server_answers() {
    let server = holding(&open(), Duration::ZERO);
    let written = books(&server).write(acknowledged(), made()).await;
    assert_eq!(written, server.claim_of(&open()));
    assert_eq!(now_is(&server).unwrap(), made());
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_written_lets_its_pass_go_and_is_written_when_the_server_is_back() {
    let server = holding(&open(), Duration::from_secs(24 * 3600));
    let books = books(&server);
    let begun = Instant::now();
    assert_eq!(books.write(acknowledged(), made()).await, None);
    assert_eq!(begun.elapsed(), PATIENCE, "in the time of this test");
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    assert_eq!(now_is(&server).unwrap(), made());
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_end_writes_what_is_unwritten_as_far_as_the_grace_allows() {
    let server = holding(&open(), Duration::from_secs(15));
    let first = books(&server);
    first.write(acknowledged(), made()).await;
    first.close(Duration::from_secs(20)).await;
    assert_eq!(now_is(&server).unwrap(), made());
    let server = holding(&open(), Duration::from_secs(60));
    let second = books(&server);
    second.write(acknowledged(), made()).await;
    second.close(Duration::from_secs(20)).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(now_is(&server).unwrap(), open(), "after the end nothing is written; the attempt is the net");
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_changed_meanwhile_takes_the_result_as_it_then_can() {
    let mut other = made().invitation.unwrap();
    other.id = "64a0000000000000000000bb".to_owned();
    let server = holding(&open(), Duration::ZERO);
    let seen = server.claim_of(&open()).unwrap();
    server.replace_claim(&seen, &ledger::holding(open(), other.clone())).await.unwrap();
    let written = books(&server).write(acknowledged(), made()).await.unwrap();
    assert_eq!(written.spec.invitation, Some(other));
    assert_eq!(written.spec.surplus, [testing::invitation().id.as_str()]);
    assert_eq!(Some(written.spec), now_is(&server));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_deleted_meanwhile_is_made_anew() {
    let server = Arc::new(Server::silent_for(Duration::ZERO));
    books(&server).write(acknowledged(), made()).await.unwrap();
    assert_eq!(now_is(&server).unwrap(), made());
}
