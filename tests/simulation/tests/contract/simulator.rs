//! The other side of MongoDB: the simulator of its APIs, through the operator's own HTTP client.

use crate::cloud::{Cloud, JANE, Mishap};
use atlas_sim::{CredentialSeed, Endpoint, Fault, FaultRule, Options, ProjectSeed, Simulator, Span};
use invitation_operator::api::Product;
use invitation_operator::cloud::{Connection, Credentials, Fence, HttpApi, InvitesApi, NoCalls};
use invitation_operator::domain::remote::ObjectId;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

struct Open;

impl Fence for Open {
    fn time_left(&self, _: Timestamp) -> Option<Duration> {
        Some(Duration::from_secs(5))
    }
}

pub(crate) struct Simulated {
    simulator: Simulator,
    api: HttpApi,
    project: ObjectId,
    key: String,
}

pub(crate) fn each(rule: impl AsyncFnOnce(Simulated)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let project = simulator.seed_project(ProjectSeed::atlas("payments"));
        let key = simulator.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
        let connection = Connection {
            product: Product::Atlas,
            base_url: simulator.base_url().parse().unwrap(),
            credentials: Credentials::ApiKey { public_key: key.id.clone(), private_key: key.secret.into() },
            ca_bundle_pem: None,
            call_deadline: Duration::from_secs(5),
        };
        let api = HttpApi::new(connection, Arc::new(Open), Arc::new(NoCalls)).unwrap();
        rule(Simulated { simulator, api, project: ObjectId::parse(&project).unwrap(), key: key.id }).await;
    });
}

impl Cloud for Simulated {
    fn port(&self) -> &dyn InvitesApi {
        &self.api
    }

    fn project(&self) -> ObjectId {
        self.project.clone()
    }

    fn identity(&self) -> String {
        self.key.clone()
    }

    fn mails(&self) -> usize {
        self.simulator.mails_to(JANE).len()
    }

    async fn accept(&self) {
        assert!(self.simulator.accept(self.project.as_str(), JANE));
    }

    async fn decline(&self) {
        assert!(self.simulator.decline(self.project.as_str(), JANE));
    }

    async fn expire(&self) {
        assert!(self.simulator.expire(self.project.as_str(), JANE));
    }

    async fn hide_new(&self) {
        self.simulator.configure(|behaviour| behaviour.list_lag = Span::seconds(3600));
    }

    async fn wait(&self) {
        // The late call acts after 100 ms of real time; hiding goes by the simulated clock.
        let late = self.simulator.faults().iter().any(|fault| matches!(fault.rule.fault, Fault::LateEffect { .. }));
        if late {
            assert!(self.simulator.wait_until(Span::seconds(20), |_| self.mails() > 0).await);
        }
        self.simulator.advance_clock(Duration::from_secs(3700));
    }

    async fn mishap(&self, mishap: Mishap) {
        let fault = match mishap {
            Mishap::LostReply => Fault::ResetAfter,
            Mishap::LostRequest => Fault::ResetBefore,
            Mishap::LateEffect => Fault::LateEffect { after: Span::millis(300), hang: false },
            Mishap::Unclear => Fault::Json {
                status: 400,
                body: serde_json::json!({"error": 400, "errorCode": "DEFAULT_INVITATION_EXCEPTION", "detail": "failed"}),
                after_effect: true,
            },
            Mishap::Throttled => Fault::status(400, "INVITATION_RATE_LIMITED_IP"),
        };
        self.simulator.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    }

    async fn lead_astray(&self) {
        self.simulator.add_fault(FaultRule::new(Fault::Html { status: 404, after_effect: false }));
    }

    async fn revoke(&self) {
        assert!(self.simulator.remove_credential(&self.key));
    }

    async fn grant_at_once(&self) {
        let org = self.simulator.org_of(self.project.as_str()).unwrap();
        self.simulator.seed_org_member(&org, JANE, &["ORG_MEMBER"]);
    }
}
