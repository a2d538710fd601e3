//! The in-process side: the very fakes that the simulation runs on.

use crate::cloud::{Cloud, JANE, Mishap};
use crate::cluster::Plane;
use invitation_operator::api::{ProjectInvitation, ProjectInvitationSpec};
use invitation_operator::cloud::{Fence, InvitesApi};
use invitation_operator::controller::cluster::Cluster;
use invitation_operator::domain::remote::{ObjectId, Username};
use jiff::Timestamp;
use simulation::action::project;
use simulation::cloud::Reception;
use simulation::effect::Fault;
use simulation::plan::Plan;
use simulation::ports::{Api, Ports};
use simulation::run::runtime;
use simulation::world::{Caller, IDENTITY, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const NAMESPACE: &str = "a";

fn ports() -> Ports {
    Ports { world: World::new(Plan::listed(Vec::new()), 1), caller: Caller { process: 0, life: 0 } }
}

pub(crate) struct FakePlane(Ports);

pub(crate) fn plane(rule: impl AsyncFnOnce(FakePlane)) {
    runtime().block_on(async { rule(FakePlane(ports())).await });
}

impl Plane for FakePlane {
    fn port(&self) -> &dyn Cluster {
        &self.0
    }

    async fn create(&self, name: &str, spec: ProjectInvitationSpec) {
        let now = self.0.world.now();
        assert!(self.0.world.state().kubernetes.create_object(NAMESPACE, name, spec, BTreeMap::new(), now));
    }

    async fn delete(&self, name: &str) {
        let now = self.0.world.now();
        assert!(self.0.world.state().kubernetes.delete_object(NAMESPACE, name, now));
    }

    async fn edit(&self, name: &str, edit: impl FnOnce(&mut ProjectInvitation)) {
        assert!(self.0.world.state().kubernetes.edit_object(NAMESPACE, name, edit));
    }

    fn namespace(&self) -> &str {
        NAMESPACE
    }
}

struct Open;

impl Fence for Open {
    fn time_left(&self, _: Timestamp) -> Option<Duration> {
        Some(Duration::from_secs(10))
    }
}

pub(crate) struct FakeCloud {
    world: Arc<World>,
    api: Api,
}

pub(crate) fn cloud(rule: impl AsyncFnOnce(FakeCloud)) {
    runtime().block_on(async {
        let ports = ports();
        let world = Arc::clone(&ports.world);
        rule(FakeCloud { world, api: Api::new(ports, Arc::new(Open), IDENTITY) }).await;
    });
}

impl FakeCloud {
    fn at_next(&self, fault: Fault) {
        let mut state = self.world.state();
        let next = state.plan.boundaries();
        state.plan.strike(next, fault);
    }
}

impl Cloud for FakeCloud {
    fn port(&self) -> &dyn InvitesApi {
        &self.api
    }

    fn project(&self) -> ObjectId {
        project()
    }

    fn identity(&self) -> String {
        IDENTITY.to_owned()
    }

    fn mails(&self) -> usize {
        self.world.state().cloud.outbox().len()
    }

    async fn accept(&self) {
        let now = self.world.now();
        assert!(self.world.state().cloud.accept(&project(), &Username::new(JANE), now));
    }

    async fn decline(&self) {
        assert!(self.world.state().cloud.withdraw(&project(), &Username::new(JANE)));
    }

    async fn expire(&self) {
        tokio::time::sleep(Duration::from_secs(31 * 24 * 3600)).await;
    }

    async fn hide_new(&self) {
        self.world.state().cloud.list_lag = Duration::from_secs(2);
    }

    async fn wait(&self) {
        tokio::time::sleep(Duration::from_secs(200)).await;
        let at = self.world.at();
        let mut state = self.world.state();
        while let Some(index) = state.late.iter().position(|(due, _)| *due <= at) {
            let (_, late) = state.late.remove(index);
            late.arrive(&mut state, at);
        }
    }

    async fn mishap(&self, mishap: Mishap) {
        self.at_next(match mishap {
            Mishap::LostReply => Fault::LostReply,
            Mishap::LostRequest => Fault::LostRequest,
            Mishap::LateEffect => Fault::LateEffect,
            Mishap::Unclear => Fault::Unclear,
            Mishap::Throttled => Fault::Throttled,
        });
    }

    async fn lead_astray(&self) {
        let mut state = self.world.state();
        let next = state.plan.boundaries();
        for boundary in next..next + 10 {
            state.plan.strike(boundary, Fault::NotFound);
        }
    }

    async fn revoke(&self) {
        self.world.state().cloud.accepts_credentials = false;
    }

    async fn grant_at_once(&self) {
        self.world.state().cloud.reception = Reception::Granted;
    }
}
