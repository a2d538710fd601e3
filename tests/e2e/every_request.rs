//! Killed at any request to the API server, the operator comes to the same end.
//!
//! One story, an invitation and its deletion, is told again and again; in each telling the operator is killed at another
//! request, once before the API server has it and once before the operator has the answer. The end must be that of the
//! undisturbed telling. `-- --ignored --nocapture` kills at every request, not only at those that write.

use crate::harness::plane::{Between, shared};
use crate::harness::wait::LIMIT;
use crate::harness::*;
use control_plane::{Request, Rule, Trouble};
use futures::{StreamExt, stream};
use libtest_mimic::Trial;

/// Tellings at a time.
const AT_A_TIME: usize = 4;

pub fn tests() -> Vec<Trial> {
    let mut tests = crate::tests![killed_at_any_write_the_end_is_the_same, killed_at_any_request_the_end_is_the_same];
    let every = tests.pop().map(|trial| trial.with_ignored_flag(true));
    tests.into_iter().chain(every).collect()
}

/// What is compared.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Calls that could e-mail, and could have acted.
    posts: usize,
    /// E-mails.
    mails: usize,
    /// Invitations that are left in the project.
    pending: usize,
    /// Claims that still have an owner, an attempt, an invitation or a debt.
    unsettled: usize,
    /// Claims.
    claims: usize,
}

/// Where the operator is killed.
#[derive(Clone, Copy, Debug)]
struct Kill {
    /// After so many others of its kind.
    number: usize,
    trouble: fn() -> Trouble,
    of: fn(&Request) -> bool,
}

const BEFORE_AND_AFTER: [fn() -> Trouble; 2] = [|| Trouble::Hold, || Trouble::HoldAnswer];

/// Tells the story; returns its end, and the requests that it took.
async fn told(kill: Option<Kill>) -> (End, Vec<Request>) {
    let Between { proxy, operator_kubeconfig } = shared().await.between().await;
    let setup = Setup::default().flag("--kubeconfig", operator_kubeconfig.to_str().unwrap());
    let world = setup.without_operator().start().await;
    // What was made just before a kill is not listed yet just after it.
    world.sim.configure(|behaviour| behaviour.list_lag = Span::millis(1500));
    let account = world.atlas().await;
    let object = world.invite("jane", &account.project, JANE).await;
    if let Some(Kill { number, trouble, of }) = kill {
        proxy.add(Rule::new(trouble()).on(of).skip(number).once());
    }
    let mut operator = Some(world.another_operator());
    let story = async {
        world.until("jane", "invited", in_phase(Phase::Invited)).await;
        world.delete("jane").await;
        world.until_gone(&object).await;
    };
    let killer = async {
        let held = |all: &[Request]| all.iter().any(|request| request.held);
        while !proxy.wait_until(LIMIT, held).await {}
        operator.take().unwrap().kill();
        proxy.clear();
        operator = Some(world.another_operator());
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = story => {}
        () = killer => {}
    }
    let claims = world.claims().await;
    let unsettled = |claim: &&InvitationClaim| {
        let InvitationClaimSpec { owner, attempt, invitation, debt, .. } = &claim.spec;
        owner.is_some() || attempt.is_some() || invitation.is_some() || debt.is_some()
    };
    let end = End {
        posts: world.calls(Endpoint::CreateGroupInvite).len(),
        mails: world.mails(JANE),
        pending: world.sim.invitations(&account.project).len(),
        unsettled: claims.iter().filter(unsettled).count(),
        claims: claims.len(),
    };
    (end, proxy.requests())
}

async fn compared(of: fn(&Request) -> bool) {
    let (undisturbed, requests) = told(None).await;
    assert_eq!(undisturbed, End { posts: 1, mails: 1, pending: 0, unsettled: 0, claims: 1 });
    let count = requests.iter().filter(|request| of(request)).count();
    let kills = (0..count).flat_map(|number| BEFORE_AND_AFTER.map(|trouble| Kill { number, trouble, of }));
    let ends: Vec<_> = stream::iter(kills)
        .map(async |kill| (kill, told(Some(kill)).await.0))
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    let different: Vec<_> = ends.iter().filter(|(_, end)| *end != undisturbed).collect();
    println!(
        "{count} requests, killed at each before and after it: {} tellings, {} differ",
        ends.len(),
        different.len()
    );
    assert!(different.is_empty(), "undisturbed: {undisturbed:#?}\ndifferent: {different:#?}");
}

async fn killed_at_any_write_the_end_is_the_same() {
    compared(Request::is_write).await;
}

async fn killed_at_any_request_the_end_is_the_same() {
    compared(|_| true).await;
}
