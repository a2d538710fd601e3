//! The handle tests hold.
//!
//! Owns start, stop and every call of the library API. Must never be needed by the simulated
//! service itself.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

use crate::{
    atlas,
    behaviour::Behaviour,
    control::Control,
    fault::{ActiveFault, FaultRule},
    options::Options,
    seed::{Credential, CredentialSeed, OrganizationSeed, ProjectSeed, Seed, Seeded},
    server::{self, Shared, log::RequestRecord, pipeline::Service, tls},
    span::Span,
    world::{
        World,
        outbox::Mail,
        views::{InvitationView, MemberView},
    },
};

/// A running simulator. Dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    base_url: String,
    control_url: String,
    address: SocketAddr,
    service: JoinHandle<()>,
    control: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator on its addresses; free loopback ports by default.
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on, or the TLS identity cannot be read.
    pub async fn start(options: Options) -> io::Result<Self> {
        let tls = options.tls.as_ref().map(tls::config).transpose()?;
        let listener = TcpListener::bind(options.listen).await?;
        let control_listener = TcpListener::bind(options.control).await?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base_url = format!("{scheme}://{address}");
        let control_url = format!("http://{}", control_listener.local_addr()?);
        let shared = Arc::new(Shared::new(World::new(&options)));
        let control = Control { shared: Arc::clone(&shared), base_url: base_url.as_str().into() };
        Ok(Self {
            service: tokio::spawn(server::listen(listener, tls, Service(Arc::clone(&shared)))),
            control: tokio::spawn(server::listen(control_listener, None, control)),
            shared,
            base_url,
            control_url,
            address,
        })
    }

    /// Base URL of the simulated service, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Base URL of the control API, without a slash at the end.
    #[must_use]
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// Address of the simulated service.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Plants a whole seed.
    pub fn seed(&self, seed: Seed) -> Seeded {
        self.change(|world| world.plant(seed))
    }

    /// Plants an organisation and returns its id.
    pub fn seed_organization(&self, seed: OrganizationSeed) -> String {
        self.change(|world| world.plant_organization(seed))
    }

    /// Plants a project and returns its id.
    pub fn seed_project(&self, seed: ProjectSeed) -> String {
        self.change(|world| world.plant_project(seed))
    }

    /// Plants a credential and returns it with its secret.
    pub fn seed_credential(&self, seed: CredentialSeed) -> Credential {
        self.change(|world| world.plant_credential(seed))
    }

    /// Creates an account that belongs to nothing, and returns its id.
    pub fn seed_account(&self, username: &str) -> String {
        self.change(|world| world.account(username).id)
    }

    /// Makes a person a member of an organisation.
    pub fn seed_org_member(&self, org: &str, username: &str, roles: &[&str]) {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        self.change(|world| world.join_org(org, username, &roles));
    }

    /// Makes a person a member of a project and its organisation.
    pub fn seed_member(&self, project: &str, username: &str, roles: &[&str]) {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        self.change(|world| world.join_project(project, username, &roles));
    }

    /// Verifies a domain for an organisation's identity provider.
    pub fn federate(&self, org: &str, domain: &str) {
        self.change(|world| {
            if let Some(org) = world.orgs.get_mut(org) {
                org.federated_domains.push(domain.to_owned());
            }
        });
    }

    /// The organisation of a project.
    #[must_use]
    pub fn org_of(&self, project: &str) -> Option<String> {
        self.look(|world| world.projects.get(project).map(|p| p.org.clone()))
    }

    /// Removes a project with everything in it.
    pub fn remove_project(&self, project: &str) -> bool {
        self.change(|world| world.projects.remove(project).is_some())
    }

    /// Removes a credential and its tokens.
    pub fn remove_credential(&self, id: &str) -> bool {
        self.change(|world| world.credentials.remove(id))
    }

    /// The person accepts their invitation; `false` when there is none. On Atlas all of the
    /// person's invitations in the same organisation are accepted with it (contract §2.5).
    pub fn accept(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.accept(project, username))
    }

    /// The person declines; `false` when there is nothing to decline.
    pub fn decline(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.decline(project, username))
    }

    /// The invitation's time runs out now; `false` when there is none.
    pub fn expire(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.expire(project, username))
    }

    /// The person leaves the project, or is removed from it by hand.
    pub fn leave(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.leave_project(project, username))
    }

    /// Somebody cancels the invitation by hand.
    pub fn cancel(&self, project: &str, id: &str) -> bool {
        self.change(|world| world.cancel_invitation(project, id))
    }

    /// Open invitations of a project, of both API generations, whatever the list lag.
    #[must_use]
    pub fn invitations(&self, project: &str) -> Vec<InvitationView> {
        self.look(|world| world.invitation_views(project))
    }

    /// Members of a project.
    #[must_use]
    pub fn members(&self, project: &str) -> Vec<MemberView> {
        self.look(|world| world.member_views(project))
    }

    /// Every mail sent so far.
    #[must_use]
    pub fn outbox(&self) -> Vec<Mail> {
        self.look(|world| world.outbox.clone())
    }

    /// Every mail to one address, without regard to case.
    #[must_use]
    pub fn mails_to(&self, username: &str) -> Vec<Mail> {
        let mut mails = self.outbox();
        mails.retain(|mail| mail.to.eq_ignore_ascii_case(username));
        mails
    }

    /// Empties the outbox.
    pub fn clear_outbox(&self) {
        self.change(|world| world.outbox.clear());
    }

    /// Every request so far, challenged first legs included.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.look(|world| world.log.records.clone())
    }

    /// Empties the request log; numbers go on.
    pub fn clear_requests(&self) {
        self.change(|world| world.log.records.clear());
    }

    /// Puts a fault in force and returns its number.
    pub fn add_fault(&self, rule: FaultRule) -> u64 {
        self.change(|world| world.faults.add(rule))
    }

    /// Ends a fault.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.change(|world| world.faults.remove(id))
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.change(|world| world.faults.active.clear());
    }

    /// The faults in force with their counts.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.look(|world| world.faults.active.clone())
    }

    /// Changes the behaviour from now on.
    pub fn configure(&self, change: impl FnOnce(&mut Behaviour)) {
        self.change(|world| {
            let bypass = world.behaviour.ops_manager_bypass;
            change(&mut world.behaviour);
            let wanted = world.behaviour.ops_manager_bypass;
            world.behaviour.ops_manager_bypass = bypass;
            world.set_bypass(wanted);
        });
    }

    /// Moves the simulated clock forward: invitations, tokens, nonces and limits age with it.
    pub fn advance_clock(&self, by: Duration) {
        self.change(|world| world.clock.advance(by));
    }

    /// The simulated time, RFC 3339.
    #[must_use]
    pub fn now(&self) -> String {
        self.look(|world| world.clock.now().to_string())
    }

    /// Forgets every nonce, as another server behind a balancer does (contract §5.1).
    pub fn forget_nonces(&self) {
        self.change(|world| world.credentials.nonces.clear());
    }

    /// Forgets every access token.
    pub fn forget_tokens(&self) {
        self.change(|world| world.credentials.tokens.clear());
    }

    /// Empties the token buckets of a project, so that its next calls are refused.
    pub fn drain_rate_limit(&self, project: &str) {
        self.change(|world| atlas::drain(world, project));
    }

    /// Waits until a condition holds, looking at every request and every change; `false` when the
    /// time is over.
    pub async fn wait_until(&self, limit: Span, condition: impl Fn(&Self) -> bool) -> bool {
        let mut bell = self.shared.bell();
        self.bounded(limit, async {
            while !condition(self) {
                // Time alone may make a condition true (list lag, expiry): look regularly, too.
                let _either = timeout(Duration::from_millis(20), bell.changed()).await;
            }
        })
        .await
    }

    /// Ends the simulator; all connections end with it.
    pub async fn stop(self) {
        self.service.abort();
        self.control.abort();
        while !(self.service.is_finished() && self.control.is_finished()) {
            tokio::task::yield_now().await;
        }
    }

    async fn bounded(&self, limit: Span, work: impl Future<Output = ()>) -> bool {
        timeout(limit.duration(), work).await.is_ok()
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.shared.world());
        self.shared.ring();
        result
    }

    fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.world())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.service.abort();
        self.control.abort();
    }
}
